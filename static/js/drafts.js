// A note that is half written stays with its lead: over each change of the drawer, and until the page ends. It is a
// person's data, so that it is kept in memory alone; whoever would leave the page with one is asked.
import { enhance } from "./live.js";

const drafts = new Map(); // by lead
let sent = null; // the note on its way, and how many stood there
let caret = null;

const field = () => document.querySelector("[data-drawer] #note");
const lead = () => document.querySelector("[data-drawer]")?.dataset.drawer;
const written = () => document.querySelectorAll("[data-drawer] #notes .quote").length;

document.addEventListener("input", (event) => {
  if (event.target !== field()) return;
  if (event.target.value.trim()) drafts.set(lead(), event.target.value);
  else drafts.delete(lead());
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches(".note-form")) sent = { lead: lead(), text: field().value, notes: written() };
});

// Sent by the browser itself: the page ends with it, and nothing is lost.
document.addEventListener("submit", (event) => {
  if (event.target.matches(".note-form") && !event.defaultPrevented) drafts.delete(lead());
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "drawer-slot") return;
  const note = field();
  caret = note && document.activeElement === note ? { lead: lead(), at: [note.selectionStart, note.selectionEnd] } : null;
});

function put() {
  const note = field();
  if (!note) return;
  // What was sent is done once it stands among the notes; what was refused, or typed meanwhile, is not.
  if (sent?.lead === lead() && written() > sent.notes) {
    if (drafts.get(lead()) === sent.text) drafts.delete(lead());
    sent = null;
  }
  const text = drafts.get(lead());
  if (!text || note.value === text) return;
  note.value = text;
  if (caret?.lead === lead()) note.setSelectionRange(...caret.at);
}
enhance(put);

window.addEventListener("beforeunload", (event) => { if (drafts.size) event.preventDefault(); });
