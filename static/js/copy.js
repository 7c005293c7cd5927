// Copy buttons show themselves only where copying works. A button with a URL fetches what it copies from there,
// because a copied contact detail leaves a trace like a revealed one: no trace, no copy.
import { announce, enhance } from "./live.js";

enhance((scope) => {
  if (!navigator.clipboard) return;
  for (const button of scope.querySelectorAll("[data-copy]")) button.hidden = false;
});

function fetched(button) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
  const body = new URLSearchParams({ key: button.dataset.copyKey ?? "" });
  return fetch(button.dataset.copyUrl, { method: "POST", headers, body, redirect: "error" }).then((answer) => {
    if (!answer.ok) throw new Error("refused");
    return answer.text();
  });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    const near = () => button.dataset.copyValue ?? document.querySelector(button.dataset.copy)?.textContent ?? "";
    const text = button.dataset.copyUrl ? await fetched(button) : near();
    await navigator.clipboard.writeText(text.trim());
  } catch {
    document.dispatchEvent(new CustomEvent("holdfast:failed", { detail: button.dataset.failed }));
    return;
  }
  announce(button.dataset.done);
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), 1500);
});
