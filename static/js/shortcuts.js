// Single keys, never while somebody types, and never where they were turned off (WCAG 2.1.4).
import { edit } from "./cells.js";
import { announce } from "./live.js";
import { enter } from "./menus.js";
import { bar, reach } from "./selection.js";

const STORE = "holdfast.shortcuts";
const ARRIVE = "holdfast.arrive";
const switches = [...document.querySelectorAll("[data-shortcuts-switch]")];
let on = localStorage.getItem(STORE) !== "off";

function turn(to) {
  on = to;
  for (const one of switches) one.checked = on;
}
turn(on);
for (const one of switches) {
  one.addEventListener("change", () => {
    turn(one.checked);
    localStorage.setItem(STORE, on ? "on" : "off");
  });
}

// Whoever was in the search before the page listened gets what it offers all the same.
document.body.addEventListener("htmx:load", ({ target }) => {
  const field = document.activeElement;
  if (field?.matches("[data-search]") && target.contains(field)) field.dispatchEvent(new Event("focus"));
});

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
  e: () => {
    if (bar()) reach();
    else document.querySelector("[data-download]")?.focus();
  },
  x: () => links()[current()]?.closest("[data-row-url]")?.querySelector("input[data-row]")?.click(),
  g: () => { going = true; setTimeout(() => { going = false; }, 1200); },
};
const places = { l: "leads", f: "forms", o: "overview", c: "campaigns", i: "integrations", a: "activity" };

// Opens the menu that changes one value: of all that is selected, unless somebody is in the open lead; else of that
// lead, else of the row that has the focus.
function change(what) {
  const open = document.querySelector("[data-drawer]");
  const place = bar() && !open?.contains(document.activeElement) ? bar() : open;
  const menu = place?.querySelector(`[data-menu="${what}"]`);
  if (menu) { enter(menu); return; }
  const name = links()[current()];
  const row = name?.closest("[data-row-url]");
  const moves = what === "status" && row?.querySelector("[data-move-menu]");
  if (moves) { moves.click(); return; }
  const cell = row?.querySelector(`[data-edit="${what}"]`);
  if (row) edit(cell?.checkVisibility() ? cell : name, what);
}

// An open lead hands on to its neighbour in the whole list; the list itself goes on with its next page.
function step(by) {
  const open = document.querySelector("[data-drawer]");
  const side = by > 0 ? "next" : "prev";
  if (open) {
    const link = open.querySelector(`.drawer__bar a[rel=${side}]`);
    if (link) {
      window.htmx.process(link); // a key may be quicker than htmx, which takes new links a moment after the swap
      link.click();
    } else announce(by > 0 ? open.dataset.last : open.dataset.first);
    return;
  }
  const all = links();
  const to = all[current() + by];
  const page = document.querySelector(`[data-list] a[rel=${side}]`);
  if (to) to.focus();
  else if (page && all.length) {
    sessionStorage.setItem(ARRIVE, side);
    page.click();
  } else all.at(by > 0 ? -1 : 0)?.focus();
}

const arrived = sessionStorage.getItem(ARRIVE);
if (arrived) {
  sessionStorage.removeItem(ARRIVE);
  links().at(arrived === "next" ? 0 : -1)?.focus();
}

document.addEventListener("keydown", (event) => {
  if (!on || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (going && places[key]) {
    event.preventDefault();
    document.querySelector(`.sidebar [data-nav="${places[key]}"]`)?.click();
    return;
  }
  if (!keys[key] || (key !== "?" && document.querySelector(":popover-open:not(.def-note)"))) return;
  event.preventDefault();
  keys[key]();
});
