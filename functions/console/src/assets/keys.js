"use strict";

// The sheet that lists the keys, and the switch for those of a single character.

const LETTERS_OFF = "leadwire-letters=off";

const areLettersOn = () => !document.cookie.split("; ").includes(LETTERS_OFF);

// With them off, and behind an open dialog, nothing below hears of a character. What is typed into a field is still typed.
document.addEventListener("keydown", (event) => {
  const isCharacter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (isCharacter && (!areLettersOn() || document.querySelector("dialog:modal"))) event.stopImmediatePropagation();
}, true);

/** The sections by the second letter, after a g. */
const SECTION_KEYS = { h: "/home", l: "/leads", i: "/inbox", p: "/posts", a: "/ads", c: "/campaigns" };
const MAX_PAUSE_MS = 1500;

/** When the g was pressed. */
let pressedG = -Infinity;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift") return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  const isSecond = event.timeStamp - pressedG < MAX_PAUSE_MS;
  pressedG = event.key === "g" && !isSecond ? event.timeStamp : -Infinity;
  const link = isSecond && document.querySelector(`.sections a[href="${SECTION_KEYS[event.key]}"]`);
  if (!link) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  link.click();
}, true);

/** Shows the switch as it is set. */
function showLetters() {
  for (const box of document.querySelectorAll("input[name=letters]")) {
    box.checked = areLettersOn();
    box.closest("div").hidden = false;
  }
}

/** Shows the keys, which a page of the account lists. */
async function openKeys() {
  let dialog = document.getElementById("key-sheet");
  try {
    if (!dialog) {
      const answer = await fetch("/account");
      const list = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("keys");
      dialog = Object.assign(document.createElement("dialog"), { id: "key-sheet" });
      // Focus on the last button would begin at the end.
      const heading = Object.assign(list.querySelector("h2"), { tabIndex: -1, autofocus: true });
      dialog.setAttribute("aria-label", heading.textContent);
      const close = Object.assign(document.createElement("button"), { type: "button", textContent: say("Close") });
      close.dataset.close = "";
      const acts = Object.assign(document.createElement("div"), { className: "acts" });
      acts.append(close);
      dialog.append(...list.children, acts);
      document.body.append(dialog);
      showLetters();
    }
    if (!dialog.open) dialog.showModal();
  } catch {
    location.assign("/account#keys");
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || event.target.matches("input:not([type=checkbox]), select, textarea") || !document.querySelector(".sections")) return;
  event.preventDefault();
  openKeys();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-keys]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openKeys();
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "letters") return;
  keepChoice(event.target.checked ? "leadwire-letters=on" : LETTERS_OFF);
  showLetters();
});

showLetters();
