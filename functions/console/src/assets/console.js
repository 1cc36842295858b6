"use strict";

// The pages work without this. It loads what takes a while, keeps what changes fresh, shows times in the reader's zone,
// shows how a post will look, and opens dialogs in place.

const LONGEST_WAIT_S = 30;

/** The language and region of the page, by which times and numbers are written. */
const LOCALE = document.documentElement.lang;

/** A text of the script in the page's language. The page brings those that are not English. */
function say(text, values = {}) {
  const texts = JSON.parse(document.body.dataset.texts ?? "{}");
  return (texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Times as the reader's zone and language have them; on hover, to the second and with the zone. */
function showTimes(root) {
  const short = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "long" });
  for (const element of root.querySelectorAll("time[data-time]")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime())) continue;
    const how = { brief, ago }[element.dataset.time];
    element.textContent = how ? how(time) : short.format(time);
    element.title = `${exact.format(time)} · ${element.title}`;
    element.removeAttribute("data-time");
  }
}

/** How long ago, for a day; then the day. */
function ago(time) {
  const minutes = Math.round((time - Date.now()) / 60000);
  const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto", style: "short" });
  if (minutes > -1) return relative.format(0, "second");
  if (minutes > -60) return relative.format(minutes, "minute");
  if (minutes > -1440) return relative.format(Math.round(minutes / 60), "hour");
  return brief(time);
}

/** The hour of today, the day of another day. */
function brief(time) {
  const isToday = time.toDateString() === new Date().toDateString();
  const isThisYear = time.getFullYear() === new Date().getFullYear();
  const day = isThisYear ? { day: "numeric", month: "short" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(LOCALE, isToday ? { timeStyle: "short" } : day).format(time);
}

/** What each place was last filled with, as it came. */
const filled = new WeakMap();

/**
 * Makes an element like a fresh one, and leaves alone what is equal in both: it may be scrolled, have the focus, or be
 * about to be clicked. Elements with an id are found again where they have moved.
 */
function renew(old, fresh) {
  // What the reader opened, and where they are, is not in the answer.
  const isTheirs = (name) => name === "open" || name === "aria-current";
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !isTheirs(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  let at = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const isLike = (other) => other.nodeName === node.nodeName && other.id === node.id;
    let match = at;
    if (node.id) while (match && !isLike(match)) match = match.nextSibling;
    if (!match || !isLike(match)) {
      old.insertBefore(node, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    if (node.nodeType === Node.ELEMENT_NODE) renew(match, node);
    else if (match.data !== node.data) match.data = node.data;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Puts a part into its place, and says whether that changes anything. What was opened stays open, and the focus where it was. */
function fill(place, text) {
  const isKnown = filled.has(place);
  // The proofs of forms are others each time, and the earlier ones stay valid.
  const words = text.replace(/(name="form_key" value=")[^"]*/g, "$1");
  if (filled.get(place) === words) return false;
  filled.set(place, words);
  // Ours, and escaped where it was written; nothing in it can run, by the page's policy.
  const page = new DOMParser().parseFromString(text, "text/html");
  const isWatched = place.querySelector("[data-at-most]")?.closest("[data-part]") === place;
  if (isWatched && page.querySelector("[data-at-most]")) {
    showTimes(page);
    const fresh = place.cloneNode(false);
    fresh.replaceChildren(...page.body.childNodes);
    renew(place, fresh);
    followInbox();
    countSelected();
    markOpenLead();
    return isKnown;
  }
  for (const opened of place.querySelectorAll("details[data-key]")) {
    const again = page.querySelector(`details[data-key="${CSS.escape(opened.dataset.key)}"]`);
    if (again) again.open = opened.open;
  }
  const focusable = "a, button, summary, input, select";
  const focus = [...place.querySelectorAll(focusable)].indexOf(document.activeElement);
  place.replaceChildren(...page.body.childNodes);
  prepare(place);
  if (focus >= 0) place.querySelectorAll(focusable)[focus]?.focus();
  return isKnown;
}

/** Loads a part of the page into its place, and again as long as it says that it goes on. */
async function load(place, waited = 0) {
  if (!place.isConnected) return;
  clearTimeout(timers.get(place));
  // What is watched changes under the reader's eyes: it is not announced as busy each time.
  if (!place.querySelector("[data-at-most]")) place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(place.dataset.part, { headers: { "x-part": "1" } });
    const isOurs = answer.headers.get("content-type")?.startsWith("text/html");
    // What is shown is not given up for a failure that passes.
    if (!isOurs || (answer.status >= 500 && place.querySelector("[data-again-in]"))) throw new Error(answer.status);
    if (fill(place, await answer.text())) waited = 0;
  } catch {
    if (!place.querySelector("[data-again-in]")) {
      const words = Object.assign(document.createElement("p"), { textContent: `${say("This could not be loaded.")} ` });
      const again = Object.assign(document.createElement("button"), { textContent: say("Try again"), type: "button" });
      again.dataset.again = "";
      place.replaceChildren(words, again);
      filled.delete(place);
    }
  } finally {
    place.removeAttribute("aria-busy");
  }
  goOn(place, waited);
}

/** When each place is loaded again. */
const timers = new WeakMap();

/** Looks again after a while, each time a longer one, and not while nobody sees the page. */
function goOn(place, waited) {
  const arrived = place.querySelector("[data-go]");
  if (arrived) location.replace(arrived.href);
  const mark = place.querySelector("[data-again-in]");
  if (!mark) return;
  const longest = Number(mark.dataset.atMost ?? LONGEST_WAIT_S);
  const wait = Math.min(longest, Math.max(Number(mark.dataset.againIn), waited * 1.2));
  const later = () => timers.set(place, setTimeout(look, 1000 * wait));
  const look = () => (document.hidden ? later() : load(place, wait));
  later();
}

/** Keeps a cookie in this browser, for a year. */
function keepChoice(cookie) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${cookie}; path=/; max-age=31536000; samesite=lax${secure}`;
}

/** Tells the server the reader's zone. A page that was made for another one is loaded again, once. */
function rememberZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const cookie = `leadwire-zone=${zone}`;
  if (document.cookie.split("; ").includes(cookie)) return;
  keepChoice(cookie);
  const shown = document.querySelector("[data-zone]")?.dataset.zone ?? zone;
  if (shown !== zone && document.cookie.includes(cookie)) location.reload();
}

/** Shows how a post will look, a moment after each change. */
function preview(form) {
  const place = form.querySelector("[data-preview-place]");
  let timer;
  let latest = 0;
  const show = async () => {
    const number = ++latest;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.preview, { method: "POST", body, headers: { "x-part": "1" } });
    const text = await answer.text();
    // The answer to an earlier change may be the later one.
    if (answer.ok && number === latest) fill(place, text);
  };
  form.addEventListener("input", (event) => {
    // A time is chosen to be used.
    if (event.target.name === "at") form.elements.when.value = event.target.value ? "later" : "now";
    clearTimeout(timer);
    timer = setTimeout(() => show().catch(() => {}), 300);
  });
}

/** Sends files from the author's computer to the bucket, one after the other, and puts them into the form. */
function takeUploads(label) {
  const form = label.closest("form");
  const place = form.querySelector("[data-uploads]");
  const path = label.dataset.upload;
  const changed = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  const wrong = (text) => Object.assign(document.createElement("p"), { className: "wrong", textContent: text }).outerHTML;
  const send = async (file) => {
    const body = new URLSearchParams({ form_key: form.elements.form_key.value, content_type: file.type, size: file.size });
    const begun = await fetch(path, { method: "POST", body, headers: { "x-part": "1" } });
    if (!begun.ok) return begun.text();
    const upload = await begun.json();
    const sent = await fetch(upload.upload_url, { method: "PUT", body: file, headers: { "content-type": file.type } });
    if (!sent.ok) return wrong(say("The upload failed ({status}).", { status: sent.status }));
    return (await fetch(`${path}/${upload.id}`, { headers: { "x-part": "1" } })).text();
  };
  label.hidden = false;
  label.querySelector("input").addEventListener("change", async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    for (const file of files) {
      const item = Object.assign(document.createElement("li"), { textContent: say("Uploading {file}…", { file: file.name }) });
      item.setAttribute("aria-busy", "true");
      place.append(item);
      const text = await send(file).catch(() => wrong(say("The connection was interrupted.")));
      const page = new DOMParser().parseFromString(text, "text/html");
      const taken = page.querySelector("[data-upload-item]");
      if (taken) {
        taken.querySelector("div").prepend(Object.assign(document.createElement("b"), { textContent: file.name }));
        item.replaceWith(taken);
        changed();
      } else {
        const again = Object.assign(document.createElement("button"), { textContent: say("Remove"), type: "button" });
        again.dataset.uploadRemove = "";
        item.removeAttribute("aria-busy");
        const words = page.querySelector(".alert, .wrong")?.textContent ?? say("This could not be loaded.");
        item.replaceChildren(`${file.name}: ${words} `, again);
      }
    }
  });
  place.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (event.target.closest("[data-upload-remove]")) item.remove();
    else if (event.target.closest("[data-upload-earlier]")) item.previousElementSibling?.before(item);
    else if (event.target.closest("[data-upload-later]")) item.nextElementSibling?.after(item);
    else return;
    // What is moved or removed loses the focus.
    (item.isConnected ? event.target : label.querySelector("input")).focus();
    changed();
  });
}

/** Sends a form and puts what comes back into its place, so that the page stays. A failure spoils nothing that was typed. */
async function sendInPlace(form, submitter) {
  const place = document.querySelector(form.dataset.inPlace);
  const body = new URLSearchParams(new FormData(form, submitter));
  form.querySelector("[data-failure]")?.remove();
  let failure = say("The connection was interrupted. Check whether your action took effect before you try again.");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "x-part": "1" } });
    const text = await answer.text();
    if (answer.ok) {
      const menu = form.closest("details.menu");
      if (menu) menu.open = false;
      const sent = new DOMParser().parseFromString(text, "text/html").querySelector("[data-sent]");
      if (sent) drafts.delete(new URL(form.action).pathname.replace(/\/answer$/, ""));
      filled.delete(place);
      fill(place, text);
      refreshInbox(place);
      refreshLeads();
      (place.querySelector("[aria-invalid]") ?? (sent && place.querySelector("textarea")))?.focus();
      return;
    }
    failure = new DOMParser().parseFromString(text, "text/html").querySelector(".alert.bad, p.wrong")?.textContent ?? failure;
  } catch {
    // Said below.
  }
  const words = Object.assign(document.createElement("p"), { className: "wrong", textContent: failure });
  words.dataset.failure = "";
  words.setAttribute("role", "alert");
  form.prepend(words);
  delete form.dataset.sent;
  submitter?.removeAttribute("aria-busy");
}

function prepare(root) {
  showTimes(root);
  keepInPanel(document);
  for (const label of root.querySelectorAll("[data-upload]")) takeUploads(label);
  for (const form of root.querySelectorAll("form[data-preview]")) preview(form);
  for (const area of root.querySelectorAll("textarea[data-limit]")) {
    const { pathname } = location;
    if (!area.value) area.value = drafts.get(pathname) ?? "";
    area.form.addEventListener("input", () => {
      drafts.set(pathname, area.value);
      countLeft(area);
    });
    countLeft(area);
  }
  for (const place of root.querySelectorAll("[data-part]")) {
    if (place.hasAttribute("data-later")) load(place);
    else goOn(place, 0);
  }
  if (document.querySelector("[data-inbox]")) followInbox();
  countSelected();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-close]");
  const again = event.target.closest("[data-again]");
  const copied = event.target.closest("[data-copy]");
  const inserted = event.target.closest("[data-insert]");
  if (event.target.closest("[data-reload]")) location.reload();
  if (opener) {
    event.preventDefault();
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog.open) dialog.close();
    dialog.showModal();
  } else if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  } else if (again) {
    event.preventDefault();
    load(again.closest("[data-part]"));
  } else if (copied) {
    const isDone = () => (copied.textContent = say("Copied"));
    navigator.clipboard.writeText(copied.dataset.copy).then(isDone, () => {});
  } else if (inserted) insertReply(inserted.dataset.insert);
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const conversation = event.target.closest("a[data-open]");
  if (conversation && isPlain && isDesk()) {
    event.preventDefault();
    openConversation(conversation.href);
  }
  // A menu closes when something else is clicked.
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// A link that is a button answers to the space bar as well, and Escape closes the menu that it is pressed in.
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches("a[role=button]")) {
    event.preventDefault();
    event.target.click();
  }
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A file that is too large is told before it is sent.
document.addEventListener("change", (event) => {
  const most = Number(event.target.dataset.most);
  const file = event.target.files?.[0];
  if (!most || !file) return;
  const tooLarge = file.size > most;
  event.target.setCustomValidity(tooLarge ? say("This file is larger than 4 MB. Split it and upload the parts one by one.") : "");
  if (tooLarge) event.target.reportValidity();
});

// A form is sent once, and its button says that it is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter;
  if (form.dataset.inPlace) {
    event.preventDefault();
    sendInPlace(form, button);
  }
  if (button) setTimeout(() => button.setAttribute("aria-busy", "true"));
});

// Somebody who comes back by the browser's button finds forms that can be sent.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
});

// On a phone sections and tabs are wider than the screen: the current one is scrolled into view, and the page stays.
for (const here of document.querySelectorAll(".sections [aria-current], .tabs [aria-current]")) {
  const bar = here.parentElement;
  const [place, frame] = [here, bar].map((element) => element.getBoundingClientRect());
  bar.scrollLeft += place.left + place.width / 2 - frame.left - frame.width / 2;
}
rememberZone();
prepare(document);
document.querySelector("form[data-go-on]")?.requestSubmit();
