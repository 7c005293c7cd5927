// A cell is changed in its place: the new value shows at once, and goes back if the server does not take it.
import { announce } from "./live.js";
import { complain, replace, send } from "./sending.js";

let edited = null; // the row by its id and the part whose menu is open; a row comes anew with each answer
const turns = new Map(); // by row: what was sent last; the next change waits for it, so that the last answer is the newest

export function place(menu, at) {
  const box = at.getBoundingClientRect();
  menu.style.insetBlockStart = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
}

// The link of a part of a row; the row's own where that part is not shown.
function linkOf(row, part) {
  const cell = row.querySelector(`[data-edit="${part}"]`);
  return cell?.checkVisibility() ? cell : row.querySelector("a[data-open-drawer]");
}

const labels = (row) => new Set([...row.querySelectorAll("[data-label]")].map((one) => one.dataset.label));

// Opens the menu of a part of a row beside a link of it; false where there is none.
export function edit(link, part) {
  const menu = document.getElementById(`edit-${part}`);
  if (!menu?.showPopover) return false;
  const row = link.closest("[data-row-url]");
  edited = { id: row.id, part };
  const mine = labels(row);
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
    const row = edited && document.getElementById(edited.id);
    if (row) change(row, edited.part, choice);
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

async function change(row, part, choice) {
  const { id } = row;
  const link = linkOf(row, part);
  const before = link.innerHTML;
  const body = new FormData();
  if (part === "label") body.set(labels(row).has(choice.dataset.value) ? "label_off" : "label_on", choice.dataset.value);
  else {
    body.set(choice.dataset.name, choice.dataset.value);
    if (link.dataset.edit) link.replaceChildren(...[...choice.childNodes].map((node) => node.cloneNode(true)));
  }
  link.setAttribute("aria-busy", "true");
  const turn = (turns.get(id) ?? Promise.resolve()).then(() => send(row.dataset.rowUrl, body));
  turns.set(id, turn.catch(() => {}));
  try {
    swap(id, await turn, part);
  } catch (error) {
    link.innerHTML = before;
    link.removeAttribute("aria-busy");
    if (link.isConnected) link.focus();
    complain(error);
  }
}

function swap(id, html, part) {
  const ticked = document.getElementById(id)?.querySelector("[data-row]")?.checked;
  const loose = document.activeElement === document.body;
  const { fresh, had } = replace(id, html) ?? {};
  if (!fresh) return;
  if (ticked) { fresh.querySelector("[data-row]").checked = true; fresh.setAttribute("data-selected", ""); }
  const again = linkOf(fresh, part);
  if (had || loose) again.focus();
  announce(again.textContent.trim());
}
