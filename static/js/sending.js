// A change that is sent while the page stays: its answer is text, its failure an event that the toasts put into words.
const headers = () => ({ ...JSON.parse(document.body.getAttribute("hx-headers") || "{}"), "HX-Request": "true" });

export async function send(url, body) {
  const answer = await fetch(url, { method: "POST", body, headers: headers(), redirect: "error" });
  if (!answer.ok) {
    const said = answer.headers.get("Content-Type")?.startsWith("text/plain") ? await answer.text() : "";
    throw Object.assign(new Error("refused"), { xhr: { status: answer.status }, said });
  }
  window.htmx.trigger(document.body, "leads-changed"); // the views count anew
  return answer.text();
}

export function complain(error) {
  const name = error.xhr ? "htmx:responseError" : "htmx:sendError";
  document.dispatchEvent(new CustomEvent(name, { detail: { xhr: error.xhr, said: error.said } }));
}

// The one element that an answer holds, with its htmx attributes alive, in the place of the one that has this id now: it
// may have come anew while the answer was on its way. `had`: that had the focus. Nothing where it is gone.
export function replace(id, html) {
  const old = document.getElementById(id);
  if (!old) return null;
  const parsed = document.createElement("template");
  parsed.innerHTML = html;
  const fresh = parsed.content.querySelector("[data-row-url]");
  const had = old.contains(document.activeElement);
  fresh.className = old.className;
  old.replaceWith(fresh);
  window.htmx.process(fresh);
  return { fresh, had };
}
