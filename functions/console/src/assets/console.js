"use strict";

// The pages work without this. It loads what takes a while, keeps what changes fresh, shows times in the reader's zone,
// and opens dialogs in place.

const WAIT_AFTER_FAILURE = 5000;

/** Times as the reader's zone and language have them; on hover, to the second and with the zone. */
function showTimes(root) {
  const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  for (const element of root.querySelectorAll("time[data-time]")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime())) continue;
    element.textContent = short.format(time);
    element.title = `${exact.format(time)} · ${element.title}`;
    element.removeAttribute("data-time");
  }
}

/** Loads a part of the page into its place, and again as long as it says that it goes on. */
async function load(place) {
  place.setAttribute("aria-busy", "true");
  let failed = false;
  try {
    const answer = await fetch(place.dataset.part, { headers: { "x-part": "1" } });
    const text = await answer.text();
    failed = !answer.ok;
    // Ours, and escaped where it was written; nothing in it can run, by the page's policy.
    const opened = new Set([...place.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent));
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const summary of page.querySelectorAll("details > summary")) {
      if (opened.has(summary.textContent)) summary.parentElement.open = true;
    }
    place.replaceChildren(...page.body.childNodes);
    prepare(place);
  } catch {
    failed = true;
    if (!place.querySelector("[data-again-in]")) {
      const words = Object.assign(document.createElement("p"), { textContent: "This could not be loaded. " });
      const again = Object.assign(document.createElement("button"), { textContent: "Try again", type: "button" });
      again.dataset.again = "";
      place.replaceChildren(words, again);
    }
  } finally {
    place.removeAttribute("aria-busy");
  }
  goOn(place, failed);
}

function goOn(place, failed) {
  const arrived = place.querySelector("[data-go]");
  if (arrived) location.replace(arrived.href);
  const mark = place.querySelector("[data-again-in]");
  if (mark) setTimeout(() => load(place), failed ? WAIT_AFTER_FAILURE : 1000 * Number(mark.dataset.againIn));
}

function prepare(root) {
  showTimes(root);
  for (const place of root.querySelectorAll("[data-part]")) {
    if (place.hasAttribute("data-later")) load(place);
    else goOn(place, false);
  }
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-close]");
  const again = event.target.closest("[data-again]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog)?.showModal();
  } else if (closer) {
    const dialog = closer.closest("dialog");
    if (dialog?.open && !new URLSearchParams(location.search).has("confirm")) {
      event.preventDefault();
      dialog.close();
    }
  } else if (again) {
    const place = again.closest("[data-part]");
    if (place) load(place);
    else location.reload();
  }
});

// A link that is a button answers to the space bar as well.
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches("a[role=button]")) {
    event.preventDefault();
    event.target.click();
  }
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
  if (button) setTimeout(() => button.setAttribute("aria-busy", "true"));
});

// Somebody who comes back by the browser's button finds forms that can be sent.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
});

prepare(document);
document.querySelector("form[data-go-on]")?.requestSubmit();
