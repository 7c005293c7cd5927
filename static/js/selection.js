// Rows of a table: shift takes the range, the head box takes the page, the bar says how many.
import { announce, enhance } from "./live.js";

let last = null;
const boxes = (form) => [...form.querySelectorAll("input[type=checkbox][data-row]")];

function refresh(form) {
  const all = boxes(form);
  const chosen = all.filter((box) => box.checked);
  for (const box of all) {
    const row = box.closest("tr");
    if (box.checked) row.setAttribute("data-selected", "");
    else row.removeAttribute("data-selected");
  }
  const head = form.querySelector("[data-all]");
  if (head) {
    head.checked = all.length > 0 && chosen.length === all.length;
    head.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  const bar = form.querySelector("[data-selection]");
  if (bar) {
    bar.hidden = chosen.length === 0;
    say(bar, chosen.length);
  }
}

// How many match is known once the views were counted.
function say(bar, chosen) {
  const { matching } = document.getElementById("count")?.dataset ?? {};
  const count = bar.querySelector("[data-count]");
  const label = bar.querySelector("[data-known]");
  if (label && matching) label.textContent = label.dataset.known.replace("{n}", matching);
  const number = bar.querySelector("[name=scope]")?.checked ? matching : String(chosen);
  count.textContent = number ? `${number} ${count.dataset.count}` : count.dataset.everything;
}

enhance((scope) => {
  for (const form of scope.querySelectorAll("[data-select]")) {
    for (const head of form.querySelectorAll("[data-all]")) head.hidden = false;
    refresh(form);
  }
});

document.addEventListener("htmx:oobAfterSwap", () => {
  for (const form of document.querySelectorAll("[data-select]")) refresh(form);
});

// The bar while something is selected; a key leads to its download, Esc back to the row.
let origin = null;
export const bar = () => document.querySelector("[data-selection]:not([hidden])");

export function reach() {
  if (!bar().contains(document.activeElement)) origin = document.activeElement;
  (bar().querySelector("[value=export]") ?? bar().querySelector("button:not([tabindex='-1'])")).focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest?.("[data-selection]")) return;
  const row = origin?.isConnected && origin.closest("[data-row-url]") ? origin : null;
  (row ?? document.querySelector("tr[data-selected] a[data-open-drawer]"))?.focus();
  event.stopImmediatePropagation();
});

// Enter in a field of the bar is for its menu; on a tick it does nothing, least of all to what is selected.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("[data-select] input[type=checkbox]")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const clear = event.target.closest("[data-clear]");
  if (clear) {
    const form = clear.closest("[data-select]");
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = false;
    refresh(form);
    boxes(form)[0]?.focus();
    return;
  }
  const box = event.target.closest("[data-select] input[type=checkbox]");
  if (!box) return;
  const form = box.closest("[data-select]");
  const scope = form.querySelector("[name=scope]");
  if (scope && box !== scope) scope.checked = false; // whoever picks rows means these
  if (box.matches("[data-all]")) {
    for (const row of boxes(form)) row.checked = box.checked;
  } else if (box !== scope) {
    const all = boxes(form);
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      for (const row of all.slice(from, to + 1)) row.checked = box.checked;
    }
    last = box;
  }
  refresh(form);
  announce(form.querySelector("[data-count]").textContent);
});
