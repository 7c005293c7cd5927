/* The form editor: saves the draft while one types, and shows it in the preview. Without a script the buttons do it. */

const form = document.querySelector("form[data-builder]");
const saved = document.getElementById("saved");
const preview = document.getElementById("preview");
const QUIET = 700; // ms without a key before the draft is saved

let timer = 0;
let running = null;
let dirty = false;

async function save() {
  clearTimeout(timer);
  if (running) { await running; }
  if (!dirty) return;
  dirty = false;
  running = send().finally(() => { running = null; });
  await running;
}

async function send() {
  const fields = new FormData(form);
  fields.set("do", "save");
  try {
    const response = await fetch(location.href, { method: "POST", body: fields, headers: { "X-Requested-With": "fetch" } });
    const answer = await response.json();
    if (!response.ok) { tell(Object.values(answer.errors || {}).join(" ") || saved.dataset.failed, true); return; }
    tell(answer.saved, false);
    preview?.contentWindow?.location.reload();
  } catch {
    dirty = true; // the next key, or the buttons, try again
    tell("", true);
  }
}

function tell(text, failed) {
  if (text) saved.textContent = text;
  saved.classList.toggle("is-failed", failed);
}

/* The outline names the open question as it is worded now. */
function rename(words) {
  const row = document.querySelector(".item.is-open");
  if (!row) return;
  row.querySelector(".open").textContent = words || "…";
  for (const button of row.querySelectorAll(".moves button")) {
    button.setAttribute("aria-label", `${button.getAttribute("aria-label").split(": ")[0]}: ${words}`);
  }
}

if (form && saved) {
  const soon = () => {
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(save, QUIET);
  };
  form.addEventListener("input", (event) => {
    if (event.target.id === "label") rename(event.target.value);
    soon();
  });
  // What was typed before this script had arrived is saved too.
  if ([...form.elements].some((field) => field.defaultValue !== undefined && field.value !== field.defaultValue)) soon();
  form.addEventListener("submit", () => { clearTimeout(timer); dirty = false; });
  // A step or the review page is opened with what was typed just now.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    if (!link || !dirty || link.target || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    await save();
    location.assign(link.href);
  });
  // Alt and an arrow move the open question, wherever in the editor one is.
  document.addEventListener("keydown", (event) => {
    const way = { ArrowUp: "up:", ArrowDown: "down:" }[event.key];
    if (!way || !event.altKey || event.ctrlKey || event.metaKey) return;
    const button = document.querySelector(`.item.is-open .moves button[value^="${way}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
}
