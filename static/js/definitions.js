// What a number means: a press shows it as text beside the button; the title alone does not reach touch and keys.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-definition]");
  for (const open of document.querySelectorAll(".def-note")) open.remove();
  if (!button || button.dataset.shown) {
    if (button) delete button.dataset.shown;
    return;
  }
  const note = document.createElement("span");
  note.className = "def-note";
  note.setAttribute("role", "status");
  note.textContent = button.title;
  button.after(note);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of document.querySelectorAll(".def-note")) open.remove();
});
