// Only one menu is open at a time; Esc closes it and gives the focus back; arrows walk through it.
const origins = new WeakMap(); // where the focus was when a key opened the menu
const open = () => [...document.querySelectorAll("details.menu[open]")];

// Opens a menu by key, with the focus in it.
export function enter(menu) {
  origins.set(menu, document.activeElement);
  menu.open = true;
  menu.querySelector(".menu__panel :is(button:not([tabindex='-1']), input:not([type=hidden]))")?.focus();
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches("details.menu:not([open])")) origins.delete(event.target);
}, true);

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
    const origin = origins.get(menu);
    (origin?.isConnected && origin !== document.body ? origin : menu.querySelector("summary")).focus();
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
