// Single keys, never while somebody types, and never where they were turned off (WCAG 2.1.4).
const STORE = "holdfast.shortcuts";
const box = document.querySelector("[data-shortcuts-switch]");
let on = localStorage.getItem(STORE) !== "off";
if (box) {
  box.checked = on;
  box.addEventListener("change", () => {
    on = box.checked;
    localStorage.setItem(STORE, on ? "on" : "off");
  });
}

const links = () => [...document.querySelectorAll("[data-list] a[data-open-drawer]")];
const current = () => {
  const all = links();
  const focused = document.activeElement.closest?.("[data-row-url]")?.querySelector("a[data-open-drawer]");
  return all.indexOf(focused ?? document.querySelector("[data-row-url].is-open a[data-open-drawer]"));
};
let going = false;

const keys = {
  "/": () => {
    const field = document.querySelector("[data-search]");
    if (field) field.focus();
    else document.querySelector("[data-key='/']")?.click();
  },
  "?": () => document.getElementById("shortcuts")?.togglePopover(),
  j: () => step(1),
  k: () => step(-1),
  s: () => change("status"),
  a: () => change("assignee"),
  l: () => change("label"),
  e: () => document.querySelector("[data-download]")?.focus(),
  x: () => links()[current()]?.closest("[data-row-url]")?.querySelector("input[data-row]")?.click(),
  g: () => { going = true; setTimeout(() => { going = false; }, 1200); },
};
const places = { l: "leads", f: "forms", o: "overview", c: "campaigns", i: "integrations", a: "activity" };

// Opens the menu that changes one value: of the open lead, else of the row that has the focus.
function change(what) {
  const menu = document.querySelector(`[data-drawer] [data-menu="${what}"]`);
  if (menu) {
    menu.open = true;
    menu.querySelector(".menu__panel input, .menu__panel button")?.focus();
    return;
  }
  const row = links()[current()]?.closest("[data-row-url]");
  const moves = what === "status" && row?.querySelector("[data-move-menu]");
  if (moves) { moves.click(); return; }
  (row?.querySelector(`[data-edit="${what}"]`) ?? (what === "label" && row?.querySelector("[data-edit]")))?.click();
}

function step(by) {
  const all = links();
  if (!all.length) return;
  const to = all[Math.min(Math.max(current() + by, 0), all.length - 1)];
  to.focus();
  if (document.querySelector("[data-drawer]")) to.click();
}

document.addEventListener("keydown", (event) => {
  if (!on || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (going && places[key]) {
    event.preventDefault();
    document.querySelector(`.sidebar [data-nav="${places[key]}"]`)?.click();
    return;
  }
  if (!keys[key]) return;
  event.preventDefault();
  keys[key]();
});
