// A cell is changed in its place: the new value shows at once, and goes back if the server does not take it.
import { announce } from "./live.js";
import { complain, replace, send } from "./sending.js";

let cell = null;
let edited = "";

export function place(menu, at) {
  const box = at.getBoundingClientRect();
  menu.style.insetBlockStart = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
}

const labels = (row) => new Set([...row.querySelectorAll("[data-label]")].map((one) => one.dataset.label));

// Opens the menu of a part of a row beside a link of it; false where there is none.
export function edit(link, part) {
  const menu = document.getElementById(`edit-${part}`);
  if (!menu?.showPopover) return false;
  cell = link;
  edited = part;
  const mine = labels(link.closest("[data-row-url]"));
  for (const one of menu.querySelectorAll("[data-name=label]")) one.setAttribute("aria-pressed", String(mine.has(one.dataset.value)));
  menu.showPopover();
  place(menu, link);
  menu.querySelector("button")?.focus();
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-edit]");
  if (link && !event.ctrlKey && !event.metaKey) {
    if (edit(link, link.dataset.edit)) event.preventDefault();
    return;
  }
  const choice = event.target.closest(".cell-menu [data-value]");
  if (choice) {
    choice.closest("[popover]").hidePopover();
    if (cell?.isConnected) change(cell, edited, choice);
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".cell-menu");
  if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll("button")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
});

async function change(link, part, choice) {
  const row = link.closest("[data-row-url]");
  const before = link.innerHTML;
  const body = new FormData();
  if (part === "label") body.set(labels(row).has(choice.dataset.value) ? "label_off" : "label_on", choice.dataset.value);
  else {
    body.set(choice.dataset.name, choice.dataset.value);
    link.replaceChildren(...[...choice.childNodes].map((node) => node.cloneNode(true)));
  }
  link.setAttribute("aria-busy", "true");
  try {
    swap(row, await send(row.dataset.rowUrl, body), part);
  } catch (error) {
    link.innerHTML = before;
    link.removeAttribute("aria-busy");
    link.focus();
    complain(error);
  }
}

function swap(row, html, part) {
  const box = row.querySelector("[data-row]");
  const loose = document.activeElement === document.body;
  const { fresh, had } = replace(row, html);
  if (box?.checked) { fresh.querySelector("[data-row]").checked = true; fresh.setAttribute("data-selected", ""); }
  const again = fresh.querySelector(`[data-edit="${part}"]`) ?? fresh.querySelector("a[data-open-drawer]");
  if (had || loose) again?.focus();
  announce(again ? again.textContent.trim() : "");
}
