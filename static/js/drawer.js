// The lead drawer: htmx loads it beside the list, its address is the lead's own page.
// Beside the list (wide windows) the page stays usable; over the list it keeps the focus.
import { announce, enhance } from "./live.js";

const over = matchMedia("(max-width: 1279px)");
let opener = null;
let from = ""; // the address of the list beside the drawer
let before = null; // the lead that was open, how far it was scrolled, what had the focus
let chosen = 0; // until when the part that somebody chose stays marked

const drawer = () => document.querySelector("[data-drawer]");

function mark(link) {
  for (const row of document.querySelectorAll("[data-row-url].is-open")) row.classList.remove("is-open");
  link?.closest("[data-row-url]")?.classList.add("is-open");
}

function close() {
  const open = drawer();
  if (!open) return;
  const back = open.dataset.back;
  open.remove();
  document.body.classList.remove("has-drawer");
  mark(null);
  if (from || back) history.pushState({}, "", from || back);
  from = "";
  const target = opener?.isConnected ? opener : document.querySelector("#main a, #main");
  target?.focus();
}

function background(off) {
  for (const part of document.querySelectorAll(".skip, .sidebar, .topbar, #main, .tabbar")) part.inert = off;
}

function settle() {
  const open = drawer();
  background(Boolean(open) && over.matches && document.body.classList.contains("has-drawer"));
}
over.addEventListener("change", settle);

document.addEventListener("click", (event) => {
  const contact = event.target.closest("[data-contact]");
  const form = contact && document.getElementById("contact-form");
  if (form) {
    form.elements.how.value = contact.dataset.contact;
    form.requestSubmit();
  }
  const link = event.target.closest("[data-open-drawer]");
  if (link) {
    opener = link;
    if (!drawer()) from = location.href;
  }
  const part = event.target.closest("[data-drawer] a[href^='#']");
  const section = part && document.querySelector(part.getAttribute("href"));
  if (section) {
    event.preventDefault();
    show(section);
  }
  const off = event.target.closest("[data-drawer-close]");
  if (off && document.querySelector("[data-list]")) {
    event.preventDefault();
    close();
    settle();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drawer() || document.querySelector(":popover-open")) return;
  if (!document.querySelector("[data-list]")) return;
  event.preventDefault();
  close();
  settle();
});

// A tab or a node of the trail leads to its part, with the focus; the tab of the part in sight is marked.
function show(section) {
  chosen = Date.now() + 600;
  section.tabIndex = -1;
  section.scrollIntoView({ block: "start" });
  section.focus({ preventScroll: true });
  tab(section.id);
}

function tab(id) {
  for (const link of document.querySelectorAll("[data-drawer] .tabs a")) {
    if (link.hash !== `#${id}`) { link.removeAttribute("aria-current"); continue; }
    link.setAttribute("aria-current", "true");
    link.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

document.addEventListener("scroll", (event) => {
  const body = event.target;
  if (!body.classList?.contains("drawer__body") || Date.now() < chosen) return;
  const parts = [...document.querySelectorAll("[data-drawer] .tabs a")].map((link) => document.querySelector(link.hash)).filter(Boolean);
  const line = body.getBoundingClientRect().top + 64;
  const past = parts.filter((part) => part.getBoundingClientRect().top < line);
  const end = body.scrollTop + body.clientHeight >= body.scrollHeight - 2 && body.scrollTop > 0;
  const part = end ? parts.at(-1) : past.at(-1) ?? parts[0];
  if (part) tab(part.id);
}, { capture: true, passive: true });

// Where the focus goes back to when a part of the same lead comes anew.
function placeOf(element) {
  const menu = element?.closest?.("[data-drawer] [data-menu]");
  if (menu) return [`[data-drawer] [data-menu="${menu.dataset.menu}"] > summary`];
  const section = element?.closest?.("[data-drawer] section[id]");
  return section ? ["textarea", "header :is(a, button)", "form button"].map((part) => `#${section.id} ${part}`) : [];
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "drawer-slot") return;
  const open = drawer();
  before = open && { lead: open.dataset.drawer, top: open.querySelector(".drawer__body").scrollTop, places: placeOf(document.activeElement) };
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "drawer-slot") return;
  const open = drawer();
  document.body.classList.toggle("has-drawer", Boolean(open));
  if (open) {
    const link = document.querySelector(`[data-open-drawer="${open.dataset.drawer}"]`);
    if (link) opener = link;
    mark(link);
    if (before?.lead === open.dataset.drawer) {
      open.querySelector(".drawer__body").scrollTop = before.top;
      const place = before.places.map((one) => open.querySelector(one)).find(Boolean);
      (place ?? open.querySelector("h2")).focus({ preventScroll: true });
      announce(open.dataset.saved);
    } else {
      open.querySelector("h2").focus();
    }
  }
  settle();
});

// Waiting is announced, and shown when it lasts.
const asked = (event) => event.detail.requestConfig.target; // the answer may have gone elsewhere
document.addEventListener("htmx:beforeRequest", (event) => asked(event).setAttribute("aria-busy", "true"));
document.addEventListener("htmx:afterRequest", (event) => asked(event).removeAttribute("aria-busy"));

enhance(settle);
