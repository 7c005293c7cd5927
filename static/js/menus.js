// Only one menu is open at a time; Esc closes it and gives the focus back; arrows walk through it.
const open = () => [...document.querySelectorAll("details.menu[open]")];

document.addEventListener("click", (event) => {
  for (const menu of open()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const [menu] = open();
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopImmediatePropagation();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu__panel :is(a, button:not([tabindex='-1']))")];
    if (!items.length || !menu.contains(document.activeElement)) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const from = items.indexOf(document.activeElement);
    items[(from + step + items.length) % items.length].focus();
  }
}, true);
