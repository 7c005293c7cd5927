// The theme changes at once and is stored by the same post that the form makes without this script.
const root = document.documentElement;

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form], [data-density-form], [data-rail]")) return;
  const button = event.submitter;
  if (!button) return;
  event.preventDefault();
  const body = new FormData(form, button);
  if (button.name === "theme") {
    root.dataset.theme = button.value;
    for (const other of form.querySelectorAll("button[name=theme]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  } else if (button.name === "density") {
    root.dataset.density = button.value;
    for (const other of form.querySelectorAll("button[name=density]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  } else {
    const closed = document.body.classList.toggle("app--rail");
    button.value = closed ? "0" : "1";
  }
  await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
});
