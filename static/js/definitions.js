// What a number means: a press shows it as text beside the button; the title alone does not reach touch and keys.
// It hangs in the top layer, so that no card cuts it off.
function close() {
  for (const open of document.querySelectorAll(".def-note")) open.remove();
}

function place(note, button) {
  const box = button.getBoundingClientRect();
  const below = box.bottom + 6;
  const fits = below + note.offsetHeight <= innerHeight - 8;
  note.style.top = `${fits ? below : Math.max(8, box.top - note.offsetHeight - 6)}px`;
  note.style.left = `${Math.max(8, Math.min(box.left - 12, innerWidth - note.offsetWidth - 8))}px`;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-definition]");
  const shown = button?.nextElementSibling?.matches(".def-note");
  close();
  if (!button || shown) return;
  const note = document.createElement("span");
  note.className = "def-note";
  note.popover = "manual";
  note.setAttribute("role", "status");
  note.textContent = button.title;
  button.after(note);
  note.showPopover();
  place(note, button);
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
document.addEventListener("scroll", close, { capture: true, passive: true });
