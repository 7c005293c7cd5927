// The one live region of the page. It is always there, so that readers announce what changes in it.
const region = document.getElementById("live");

export function announce(text) {
  if (region) region.textContent = text;
}

// Runs now and after each htmx swap, for the part of the page that is new.
export function enhance(work) {
  work(document);
  document.addEventListener("htmx:afterSwap", (event) => work(event.detail.elt.isConnected ? event.detail.elt : document));
}
