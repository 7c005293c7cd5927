/* The public instant form: seals the answers in this browser before they leave, and does not lose them.
 *
 * HPKE (RFC 9180), base mode, single shot: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, by WebCrypto alone.
 * Without WebCrypto, or when anything here fails, the page stays an ordinary form and posts by itself.
 */
(() => {
  "use strict";

  const form = document.getElementById("form");
  const data = JSON.parse(document.getElementById("form-data").textContent);
  const texts = data.texts;
  const base = `/api/v1/public/forms/${data.form}/`;
  const PATIENCE = 30 * 60 * 1000; // ms for which sealed answers are sent again
  const VISIT = 30 * 60 * 1000; // ms in which one tab counts as one visit
  const utf8 = new TextEncoder();
  const $ = (id) => document.getElementById(id);

  // ---- bytes

  const join = (...parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) { whole.set(part, at); at += part.length; }
    return whole;
  };
  const toBase64url = (bytes) => {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const fromBase64url = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

  // ---- HPKE

  const KEM = join(utf8.encode("KEM"), Uint8Array.of(0, 0x10));
  const HPKE = join(utf8.encode("HPKE"), Uint8Array.of(0, 0x10, 0, 1, 0, 2));
  const NAME = utf8.encode("HPKE-v1");
  const EMPTY = new Uint8Array(0);
  const CURVE = { name: "ECDH", namedCurve: "P-256" };

  const hmac = async (key, message) => {
    // WebCrypto takes no empty key; HMAC fills a short one with zeros, so 32 zeros are the same key.
    const raw = key.length ? key : new Uint8Array(32);
    const imported = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
  };
  const extract = (suite, salt, label, input) => hmac(salt, join(NAME, suite, utf8.encode(label), input));
  const expand = async (suite, secret, label, info, length) => {
    // Never more than 32 bytes: one block of HKDF-Expand.
    const labeled = join(Uint8Array.of(0, length), NAME, suite, utf8.encode(label), info);
    return (await hmac(secret, join(labeled, Uint8Array.of(1)))).slice(0, length);
  };

  async function seal(publicKey, info, plaintext) {
    const theirs = await crypto.subtle.importKey("raw", publicKey, CURVE, false, []);
    const mine = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
    const enc = new Uint8Array(await crypto.subtle.exportKey("raw", mine.publicKey));
    const agreed = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, mine.privateKey, 256);
    const prk = await extract(KEM, EMPTY, "eae_prk", new Uint8Array(agreed));
    const shared = await expand(KEM, prk, "shared_secret", join(enc, publicKey), 32);
    const context = join(
      Uint8Array.of(0),
      await extract(HPKE, EMPTY, "psk_id_hash", EMPTY),
      await extract(HPKE, EMPTY, "info_hash", info),
    );
    const secret = await extract(HPKE, shared, "secret", EMPTY);
    const key = await crypto.subtle.importKey("raw", await expand(HPKE, secret, "key", context, 32), "AES-GCM", false, ["encrypt"]);
    const iv = await expand(HPKE, secret, "base_nonce", context, 12);
    return { enc, ct: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plaintext)) };
  }

  // ---- what is sent

  const newKey = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const setKey = () => { form.elements.submission_key.value = newKey(); };

  function body() {
    const answers = {};
    const consents = {};
    for (const field of form.elements) {
      if (field.name.startsWith("c-")) consents[field.name.slice(2)] = field.checked;
      else if (field.name.startsWith("a-") && (field.type !== "radio" || field.checked) && field.value) answers[field.name.slice(2)] = field.value;
    }
    return { submission_key: form.elements.submission_key.value, version: data.version, answers, consents, attribution: data.attribution };
  }

  async function sealedBody() {
    const info = utf8.encode(`leads-ingest/1\0${data.key.kid}\0${data.form}`);
    const { enc, ct } = await seal(fromBase64url(data.key.public_key), info, utf8.encode(JSON.stringify(body())));
    return JSON.stringify({ sealed: { kid: data.key.kid, enc: toBase64url(enc), ct: toBase64url(ct) } });
  }

  const canSeal = Boolean(data.key && window.crypto && crypto.subtle && window.fetch && window.TextEncoder);

  // ---- counting visits: no cookie, no name, once per tab and half hour

  const attributed = data.attribution.ad_id || "";
  const count = (counted) => fetch(`${base}measures/`, { method: "POST", body: JSON.stringify({ ...counted, ad_id: attributed, version: data.version }), headers: { "Content-Type": "application/json" }, credentials: "omit", keepalive: true }).catch(() => {});
  function measure(kind, always) {
    const mark = `${data.form}/${kind}`;
    try {
      if (!always && Date.now() - Number(sessionStorage.getItem(mark) || 0) < VISIT) return;
      sessionStorage.setItem(mark, String(Date.now()));
    } catch { /* storage is switched off: count, at worst twice */ }
    count({ kind });
  }
  // Which questions came into view: each once in a visit, told a few at a time and when the page is left.
  const seen = new Set();
  const told = new Set();
  function tellSeen() {
    const questions = [...seen].filter((key) => !told.has(key));
    for (const key of questions) told.add(key);
    if (questions.length) count({ kind: "question", questions });
  }
  function watchQuestions() {
    const mark = `${data.form}/questions`;
    try { for (const key of JSON.parse(sessionStorage.getItem(mark) || "[]")) { seen.add(key); told.add(key); } } catch { /* as above */ }
    const watcher = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watcher.unobserve(target);
        seen.add(target.dataset.ask.slice(2));
      }
      try { sessionStorage.setItem(mark, JSON.stringify([...seen])); } catch { /* as above */ }
      clearTimeout(watchQuestions.later);
      watchQuestions.later = setTimeout(tellSeen, 1500);
    }, { threshold: 0.5 });
    for (const ask of form.querySelectorAll('[data-ask^="a-"]')) watcher.observe(ask);
    addEventListener("pagehide", tellSeen);
  }
  const forget = () => {
    try { for (const kind of ["open", "start", "questions"]) sessionStorage.removeItem(`${data.form}/${kind}`); } catch { /* as above */ }
  };
  const measured = document.createElement("input");
  Object.assign(measured, { type: "hidden", name: "measured", value: "1" });

  // ---- what the person sees

  const button = $("send");
  const progress = $("progress");
  let waiting = false;
  const warn = (event) => { if (waiting) event.preventDefault(); };

  function busy(on, text) {
    button.disabled = on;
    form.setAttribute("aria-busy", String(on));
    progress.textContent = text || "";
  }

  function message(id) {
    const shown = $(id).content.cloneNode(true).firstElementChild;
    form.hidden = true;
    form.after(shown);
    shown.querySelector("main").focus();
    window.scrollTo(0, 0);
    return shown;
  }

  function clearFaults() {
    $("faults").hidden = true;
    for (const fault of form.querySelectorAll(".fault")) { fault.hidden = true; fault.textContent = ""; }
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  }

  function showFaults(errors, title, note) {
    clearFaults();
    const list = document.createElement("ul");
    let count = 0;
    for (const [key, sentence] of Object.entries(errors)) {
      const name = key.startsWith("consents.") ? `c-${key.slice(9)}` : `a-${key}`;
      const text = Array.isArray(sentence) ? sentence.join(" ") : String(sentence);
      const item = document.createElement("li");
      const place = $(name);
      const fault = $(`${name}-fault`);
      count += 1;
      if (place && fault) {
        place.setAttribute("aria-invalid", "true");
        const hint = $(`${name}-hint`);
        place.setAttribute("aria-describedby", hint ? `${name}-hint ${name}-fault` : `${name}-fault`);
        fault.textContent = text;
        fault.hidden = false;
        const link = document.createElement("a");
        link.href = `#${name}`;
        link.textContent = (form.querySelector(`[data-ask="${name}"]`).querySelector("legend, label, span") || place).firstChild.textContent.trim();
        link.addEventListener("click", (event) => { event.preventDefault(); (place.querySelector("input") || place).focus(); });
        item.append(link, `: ${text}`);
      } else item.textContent = text;
      list.append(item);
    }
    const head = document.createElement("b");
    head.textContent = title || (count === 1 ? texts.one_fault : texts.faults.replace("{count}", count));
    const foot = document.createElement("p");
    foot.textContent = note === undefined ? texts.kept : note;
    $("faults").replaceChildren(head, list, foot);
    $("faults").hidden = false;
    $("faults").focus();
  }

  function conflict(problem) {
    const shown = message("conflict");
    const when = problem.first_sent_at || problem.sent_at;
    if (when) shown.querySelector("[data-when]").textContent = texts.first_sent.replace("{when}", new Date(when).toLocaleString(document.documentElement.lang));
    shown.querySelector("[data-keep]").addEventListener("click", () => { shown.remove(); message("thanks").querySelector("[data-number]")?.parentElement.remove(); });
    shown.querySelector("[data-new]").addEventListener("click", () => {
      shown.remove();
      form.hidden = false;
      setKey();
      measure("open", true);
      measure("start", true);
      submit();
    });
  }

  // ---- sending

  const pause = (seconds) => new Promise((done) => {
    const end = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      progress.textContent = `${texts.waiting} ${texts.again.replace("{seconds}", left)}`;
      if (left) setTimeout(tick, Math.min(1000, end - Date.now())); else done();
    };
    tick();
  });

  async function post(sealed) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), 20000);
    try {
      return await fetch(`${base}submissions/`, { method: "POST", body: sealed, headers: { "Content-Type": "application/json" }, credentials: "omit", signal: late.signal });
    } catch {
      return null; // no answer at all
    } finally {
      clearTimeout(timer);
    }
  }

  function mayRecover(response) {
    return !response || response.status === 429 || response.status === 408 || response.status >= 500;
  }

  function wait(response, tries) {
    const asked = response ? Number(response.headers.get("Retry-After")) : 0;
    const grown = Math.min(60, 2 ** Math.min(tries, 6));
    return Math.max(asked > 0 && asked < 600 ? asked : 0, grown) * (1 + Math.random() / 4);
  }

  async function deliver(sealed) {
    const until = Date.now() + PATIENCE;
    for (let tries = 0; ; tries += 1) {
      const response = await post(sealed);
      if (!mayRecover(response)) return response;
      if (!waiting) {
        waiting = true; // from here on the page keeps the sealed answers only
        form.reset();
        $("main").hidden = true;
      }
      if (Date.now() > until) return null;
      await pause(wait(response, tries));
    }
  }

  async function settle(response) {
    const emptied = waiting;
    waiting = false;
    $("main").hidden = false;
    const answer = await response.json().catch(() => ({}));
    if (response.ok) {
      forget();
      form.reset();
      const shown = message("thanks");
      const number = shown.querySelector("[data-number]");
      if (answer.lead_id) number.textContent = answer.lead_id; else number.parentElement.remove();
    } else if (response.status === 409) {
      if (emptied) showFaults({}, texts.failed, texts.again_please); else conflict(answer);
    } else if (response.status === 404 || response.status === 410) {
      message("closed");
    } else if (answer.errors && Object.keys(answer.errors).length && !answer.errors.sealed) {
      busy(false);
      showFaults(answer.errors, "", emptied ? texts.again_please : undefined);
    } else if (emptied) {
      busy(false);
      showFaults({}, answer.detail || texts.failed, texts.again_please);
    } else {
      form.submit(); // the sealed answers could not be read: the plain post still can
    }
  }

  function offerAgain(sealed) {
    progress.textContent = texts.given_up;
    const again = document.createElement("button");
    Object.assign(again, { type: "button", className: "go", textContent: texts.retry });
    again.addEventListener("click", () => { again.remove(); button.hidden = false; send(sealed); });
    button.hidden = true;
    button.after(again);
  }

  async function send(sealed) {
    busy(true, texts.sending);
    const response = await deliver(sealed);
    if (!response) return offerAgain(sealed);
    busy(false);
    return settle(response);
  }

  /* What the browser sees itself, so that answers which wait sealed are rarely refused in the end. */
  function browserFaults() {
    const found = {};
    for (const field of form.elements) {
      if (!field.name || field.checkValidity()) continue;
      found[field.name.startsWith("c-") ? `consents.${field.name.slice(2)}` : field.name.slice(2)] = field.validationMessage;
    }
    return found;
  }

  async function submit() {
    clearFaults();
    const found = browserFaults();
    if (Object.keys(found).length) { showFaults(found); return; }
    busy(true, texts.sending);
    let sealed;
    try {
      sealed = await sealedBody();
    } catch {
      busy(false);
      form.submit(); // the browser cannot seal: the plain post still arrives
      return;
    }
    await send(sealed);
  }

  // ---- start

  if (data.fresh) setKey(); // a page that shows answers again keeps the key that they were sent with
  form.append(measured);
  measure("open");
  if (window.IntersectionObserver) watchQuestions();
  form.addEventListener("input", () => measure("start"), { once: true });
  if (canSeal) {
    form.noValidate = true; // faults are shown in the page, not in the browser's bubbles
    $("sealed").hidden = false;
    window.addEventListener("beforeunload", warn);
    form.addEventListener("submit", (event) => {
      if (form.elements.leave_empty.value) return; // the server judges it
      event.preventDefault();
      if (!button.disabled) submit();
    });
  }
})();
