// The lead drawer: htmx loads it beside the list, its address is the lead's own page.
// Beside the list (wide windows) the page stays usable; over the list it keeps the focus.
import { enhance } from "./live.js";

const over = matchMedia("(max-width: 1279px)");
let opener = null;

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
  if (back) history.pushState({}, "", back);
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
  if (link) opener = link;
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

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "drawer-slot") return;
  const open = drawer();
  document.body.classList.toggle("has-drawer", Boolean(open));
  if (open) {
    const link = document.querySelector(`[data-open-drawer="${open.dataset.drawer}"]`);
    if (link) opener = link;
    mark(link);
    open.querySelector("h2")?.focus();
  }
  settle();
});

// Waiting is announced, and shown when it lasts.
document.addEventListener("htmx:beforeRequest", (event) => event.detail.target.setAttribute("aria-busy", "true"));
document.addEventListener("htmx:afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"));

enhance(settle);
