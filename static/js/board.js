// The board: a card goes to another column, dragged or by its "Move to" menu. It goes at once, and comes back with a
// word if the server does not take it. A card never stands twice, and always in the column of its status.
import { place } from "./cells.js";
import { announce } from "./live.js";
import { complain, replace, send } from "./sending.js";

const board = () => document.querySelector("[data-board]");
const columnOf = (status) => board().querySelector(`[data-stage="${status}"]`);
const nameOf = (card) => card.querySelector("[data-open-drawer]").textContent.trim();
let held = null;

function say(text, card, column) {
  announce(text.replace("{lead}", nameOf(card)).replace("{column}", column.querySelector("[data-name]").textContent));
}

function count(column, by) {
  const number = column.querySelector(".n");
  if (!number.dataset.exact) return;
  number.dataset.exact = Number(number.dataset.exact) + by;
  number.textContent = Number(number.dataset.exact).toLocaleString(document.documentElement.lang);
}

function put(card, column, before) {
  const from = card.closest("[data-stage]");
  column.querySelector("ol").insertBefore(card, before?.isConnected ? before : null);
  if (card.hasAttribute("data-test")) return;
  count(from, -1);
  count(column, 1);
}

const top = (column) => column.querySelector("ol").firstElementChild;

async function move(card, status) {
  const from = card.closest("[data-stage]");
  const to = columnOf(status);
  const form = card.querySelector("form");
  if (from === to || card.hasAttribute("aria-busy")) return;
  const behind = card.nextElementSibling;
  const had = card.contains(document.activeElement);
  const body = new FormData(form);
  body.set("status", status);
  put(card, to, top(to));
  card.setAttribute("aria-busy", "true");
  if (had) card.querySelector("[data-open-drawer]").focus();
  try {
    const { fresh, had: has } = replace(card.id, await send(form.action, body)) ?? {};
    if (!fresh) return;
    if (has) fresh.querySelector("[data-open-drawer]").focus({ preventScroll: true });
    say(board().dataset.moved, fresh, to);
  } catch (error) {
    card = document.getElementById(card.id) ?? card; // it may have come anew meanwhile
    card.removeAttribute("aria-busy");
    put(card, from, behind);
    if (had) card.querySelector("[data-open-drawer]").focus();
    say(board().dataset.back, card, from);
    complain(error);
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-card] form.move-menu");
  if (!form || !board()) return;
  event.preventDefault();
  form.hidePopover();
  move(form.closest("[data-card]"), event.submitter.value);
});

// The menu hangs under its button, and the keyboard is in it at once.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.(".move-menu") || event.newState !== "open") return;
  place(event.target, event.target.closest("[data-card]").querySelector("[data-move-menu]"));
  event.target.querySelector("button").focus();
}, true);

document.addEventListener("dragstart", (event) => {
  held = event.target.closest?.("[data-card]");
  if (!held) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", held.dataset.status);
  held.classList.add("is-held");
});

function over(column) {
  for (const one of document.querySelectorAll(".board__column.is-over")) if (one !== column) one.classList.remove("is-over");
  column?.classList.add("is-over");
}

document.addEventListener("dragover", (event) => {
  const column = held && event.target.closest?.("[data-stage]");
  if (held) over(column);
  if (column) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  const column = held && event.target.closest?.("[data-stage]");
  if (!column || !board()) return;
  event.preventDefault();
  move(held, column.dataset.stage);
});
document.addEventListener("dragend", () => {
  held?.classList.remove("is-held");
  over(null);
  held = null;
});

// What the drawer changed, or a next piece brought once more, stands where it belongs.
function settle() {
  if (!board()) return;
  const seen = new Map();
  for (const card of board().querySelectorAll("[data-card]")) {
    seen.get(card.id)?.remove();
    seen.set(card.id, card);
  }
  for (const card of seen.values()) {
    const column = columnOf(card.dataset.status);
    if (card.closest("[data-stage]") !== column) put(card, column, top(column));
  }
}
document.addEventListener("htmx:oobAfterSwap", settle);
document.addEventListener("htmx:afterSwap", settle);
