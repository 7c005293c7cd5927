// The column chooser: drag a line, or move it with its buttons; nothing is sent before the form is.
import { announce } from "./live.js";

let held = null;
const form = (part) => part.closest("[data-columns]");

function say(line) {
  const place = [...line.parentElement.children].indexOf(line) + 1;
  announce(`${line.querySelector("label").textContent.trim()} ${form(line).dataset.moved} ${place}`);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-columns] [data-move]");
  if (!button) return;
  event.preventDefault();
  const line = button.closest("[data-column]");
  if (button.dataset.move === "-1") line.previousElementSibling?.before(line);
  else line.nextElementSibling?.after(line);
  button.focus();
  say(line);
});

document.addEventListener("dragstart", (event) => {
  held = event.target.closest?.("[data-column]");
  if (held) event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragover", (event) => {
  const over = held && event.target.closest?.("[data-column]");
  if (!over || over === held) return;
  event.preventDefault();
  const box = over.getBoundingClientRect();
  if (event.clientY < box.top + box.height / 2) over.before(held);
  else over.after(held);
});
document.addEventListener("drop", (event) => { if (held) event.preventDefault(); });
document.addEventListener("dragend", () => {
  if (held) say(held);
  held = null;
});

// Work in steps goes on by itself while the page is open.
for (const steps of document.querySelectorAll("[data-go-on]")) steps.requestSubmit();
