"use strict";

// What lets the inbox be used without leaving it: conversations, keys, drafts. It stands before the rest of the script,
// whose functions it uses.

/** Loads what else shows the conversation that was just changed. */
function refreshInbox(changed) {
  for (const place of document.querySelectorAll("[data-inbox] [data-part]")) {
    if (place !== changed && place.querySelector("[data-at-most]")) load(place);
  }
}

/** Where in the list the conversation that is read stands, or stood before it was closed. */
let placeInList = 0;

/** Marks the conversation that is read in the list, and lets the form for an answer follow what is possible. */
function followInbox() {
  for (const [index, link] of document.querySelectorAll("a[data-open]").entries()) {
    if (new URL(link.href).pathname === location.pathname) {
      link.setAttribute("aria-current", "true");
      placeInList = index;
    } else link.removeAttribute("aria-current");
  }
  const composer = document.getElementById("composer");
  const reply = document.querySelector("#thread [data-reply]")?.dataset.reply;
  const isClosed = Boolean(composer?.querySelector("[data-closed]"));
  const isTyped = Boolean(composer?.querySelector("form.composer textarea")?.value);
  if (composer && reply && !isTyped && isClosed !== (reply === "closed") && !composer.hasAttribute("aria-busy")) load(composer);
}

/** Opens a conversation beside the list. */
async function openConversation(address, isBack) {
  const pane = document.getElementById("pane");
  try {
    const answer = await fetch(address, { headers: { "x-part": "1" } });
    if (!answer.ok) throw new Error(answer.status);
    const text = await answer.text();
    if (!isBack) history.pushState(null, "", address);
    filled.delete(pane);
    fill(pane, text);
    document.querySelector("[data-inbox]").classList.add("open");
    // The next key or reading position is in the conversation, not behind the rest of the list.
    pane.focus();
    refreshInbox();
  } catch {
    location.assign(address);
  }
}

/** Whether the list and the conversation stand side by side. */
const isDesk = () => matchMedia("(min-width: 48.01rem)").matches;

/** What was typed in other conversations and not sent. */
const drafts = new Map();

/** Counts what may still be typed, and lets the button say what it does. */
function countLeft(area) {
  const place = document.getElementById("text-left");
  if (!place) return;
  const { limit, unit, act } = (area.form.querySelector("[data-limit]:checked") ?? area).dataset;
  if (act) area.form.querySelector("button.primary").textContent = act;
  // What a browser counts as one character can be two.
  const length = unit === "bytes" ? new TextEncoder().encode(area.value).length : [...area.value].length;
  const left = Number(limit) - length;
  const n = Math.abs(left).toLocaleString(LOCALE);
  if (unit === "bytes") place.textContent = say(left < 0 ? "Bytes over the limit: {n}" : "Bytes left: {n}", { n });
  else place.textContent = say(left < 0 ? "Characters over the limit: {n}" : "Characters left: {n}", { n });
  place.classList.toggle("wrong", left < 0);
}

/** Puts a saved reply where the cursor is in the form for an answer. */
function insertReply(text) {
  const area = document.querySelector("form.composer textarea");
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

// The keys of the inbox. They mean themselves where something is typed.
document.addEventListener("keydown", (event) => {
  const inbox = document.querySelector("[data-inbox]");
  if (!inbox || event.defaultPrevented) return;
  const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape") {
    for (const menu of inbox.querySelectorAll("details.menu[open]")) menu.open = false;
    if (isTyping) event.target.blur();
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("form.composer textarea")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j" || event.key === "k") {
    const links = [...inbox.querySelectorAll("a[data-open]")];
    const here = links.findIndex((link) => link.hasAttribute("aria-current"));
    const isInList = here >= 0;
    const next = event.key === "j" ? links[isInList ? here + 1 : placeInList] : links[(isInList ? here : placeInList) - 1];
    next?.scrollIntoView({ block: "nearest" });
    next?.click();
    return;
  }
  if (event.key === "x") inbox.querySelector("li:has([aria-current]) input")?.click();
  const target = inbox.querySelector(`[aria-keyshortcuts="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("textarea, input")) target.focus();
  else target.click();
});

addEventListener("popstate", () => {
  const isOpen = document.querySelector("[data-inbox]") && location.pathname.startsWith("/inbox/");
  if (isOpen) openConversation(location.href, true);
  else location.reload();
});

// Who comes back to the page sees at once what has changed.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshInbox();
});

// A chosen filter of the inbox applies at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("form:is(.find, .bar) select")) event.target.form.requestSubmit();
});
