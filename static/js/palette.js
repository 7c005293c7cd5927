// The command palette: what this page links to, found by its words. It asks no server and finds no lead.
const dialog = document.getElementById("palette");
const field = dialog?.querySelector("input");
const list = dialog?.querySelector("ul");
const foot = dialog?.querySelector("[data-none]");
const SOURCES = ".sidebar a.nav, .switcher .menu__panel a, #views a, .topbar .menu__panel--end a, .title .push > a.btn";
const ACTIONS = "[data-palette], .title .push button.btn, .sidebar button.nav";
const MOST = 12;
let offered = [];
let at = 0;

const words = (element) => (element.getAttribute("aria-label") || element.textContent).replace(/\s+/g, " ").trim();

function gather() {
  const seen = new Set();
  return [...document.querySelectorAll(`${SOURCES}, ${ACTIONS}`)].filter((element) => {
    const name = words(element);
    const key = `${name} ${element.getAttribute("href") ?? ""}`;
    if (!name || element.getAttribute("aria-disabled") === "true" || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function show() {
  const asked = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  offered = gather().filter((element) => asked.every((word) => words(element).toLowerCase().includes(word))).slice(0, MOST);
  at = 0;
  list.replaceChildren(...offered.map((element, index) => {
    const item = document.createElement("li");
    item.id = `palette-${index}`;
    item.setAttribute("role", "option");
    item.textContent = words(element);
    item.addEventListener("click", () => take(index));
    return item;
  }));
  foot.textContent = offered.length ? "" : foot.dataset.none;
  mark();
}

function mark() {
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
  if (offered.length) field.setAttribute("aria-activedescendant", `palette-${at}`);
  else field.removeAttribute("aria-activedescendant");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function take(index) {
  const element = offered[index];
  if (!element) return;
  dialog.close();
  element.click();
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) { dialog.close(); return; }
    field.value = "";
    dialog.showModal();
    show();
    field.focus();
  });
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && offered.length) {
      event.preventDefault();
      at = (at + by + offered.length) % offered.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(at);
    }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
