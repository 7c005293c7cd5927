// Copy buttons show themselves only where copying works. A button with a URL reports the copy there first,
// because a copied contact detail leaves a trace like a revealed one.
import { announce, enhance } from "./live.js";

enhance((scope) => {
  if (!navigator.clipboard) return;
  for (const button of scope.querySelectorAll("[data-copy]")) button.hidden = false;
});

function csrf() {
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  let text = button.dataset.copyValue ?? document.querySelector(button.dataset.copy)?.textContent ?? "";
  if (button.dataset.copyUrl) {
    const answer = await fetch(button.dataset.copyUrl, { method: "POST", headers: csrf() });
    if (!answer.ok) {
      announce("Not copied. Reload the page and try again.");
      return;
    }
    text = await answer.text();
  }
  await navigator.clipboard.writeText(text.trim());
  announce("Copied");
  button.classList.add("is-done");
  setTimeout(() => button.classList.remove("is-done"), 1500);
});
