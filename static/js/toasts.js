// Good news leaves by itself, with undo a little later; what went wrong stays until it is closed.
import { enhance } from "./live.js";

const region = document.getElementById("toasts");
const LIFE = { success: 6000, info: 6000, undo: 10000 };

function watch(toast) {
  if (toast.dataset.watched) return;
  toast.dataset.watched = "1";
  const life = toast.querySelector("form") ? LIFE.undo : LIFE[toast.dataset.toast];
  if (!life) return;
  let timer = setTimeout(() => toast.remove(), life);
  const hold = () => clearTimeout(timer);
  const go = () => {
    hold();
    if (!toast.matches(":hover") && !toast.contains(document.activeElement)) timer = setTimeout(() => toast.remove(), life);
  };
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("mouseleave", go);
  toast.addEventListener("focusout", go);
}

enhance(() => { for (const toast of document.querySelectorAll("#toasts [data-toast]")) watch(toast); });

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove();
});

// An answer that failed never leaves the page silent.
function fail(text) {
  if (!region) return;
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.toast = "error";
  toast.setAttribute("role", "alert");
  toast.append(text);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn--bare btn--small";
  close.dataset.toastClose = "";
  close.textContent = region.dataset.close;
  toast.append(close);
  region.append(toast);
}

document.addEventListener("holdfast:failed", (event) => fail(event.detail));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) { location.reload(); return; }
  const { refused, quicker, failed } = region?.dataset ?? {};
  fail(event.detail.said || (status === 403 ? refused : status === 409 ? quicker : failed));
});
document.addEventListener("htmx:sendError", () => fail(region?.dataset.silent));
