"use strict";

// Going anywhere by a few letters: the sections, what can be begun, and leads and other things, which the server finds.

const BEGINNINGS = {
  // Of admins, who alone have this section.
  "/home": [["/leads/import", "Import leads from a file"], ["/leads/exports", "Exports"]],
  "/leads": [["/leads?assigned_to=unassigned", "Unassigned leads"]],
  "/posts": [["/posts/new", "Write a post"], ["/posts/calendar", "Post calendar"]],
  "/campaigns": [["/campaigns/new", "Create a campaign"]],
  "/ads": [["/ads/outcomes", "Ad results"], ["/ads/report", "Ad reports"], ["/ads/accounts/new", "Link an ad account"]],
  "/settings": [["/settings/api", "API"], ["/webhooks", "Webhooks"]],
};

/** Where the reader can go: what their navigation has, and what can be begun there. */
function places() {
  const sections = [...document.querySelectorAll(".sections a")].map((link) => [link.getAttribute("href"), link.firstChild.textContent.trim(), link.querySelector("svg")]);
  return sections.flatMap(([href, name, sign]) => [[href, name, sign], ...(BEGINNINGS[href] ?? []).map(([path, text]) => [path, say(text), sign])]);
}

/** Links as items of a list. */
function asItems(links) {
  return links.map(([href, textContent, sign]) => {
    const item = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href, textContent });
    if (sign) link.append(sign.cloneNode(true));
    item.append(link);
    return item;
  });
}

function makePalette() {
  const dialog = Object.assign(document.createElement("dialog"), { id: "palette" });
  dialog.setAttribute("aria-label", say("Search"));
  const input = Object.assign(document.createElement("input"), { type: "search", placeholder: say("Go to a section, or find something") });
  input.setAttribute("aria-label", say("Go to a section, or find something"));
  input.autocomplete = "off";
  const [sections, found, all] = ["ul", "div", "ul"].map((name) => document.createElement(name));
  // Said aloud as soon as it changes.
  const told = Object.assign(document.createElement("p"), { className: "quiet" });
  told.setAttribute("role", "status");
  dialog.append(input, sections, found, all, told);
  document.body.append(dialog);
  let request = new AbortController();
  let timer;
  /** Forgets what is being looked for: the answer would be to an earlier text. */
  const giveUp = () => {
    clearTimeout(timer);
    request.abort();
  };
  /** Marks what Enter opens while the text has the focus. */
  const markFirst = () => dialog.querySelectorAll("a").forEach((link, at) => link.toggleAttribute("data-first", at === 0));
  const find = async (text) => {
    request = new AbortController();
    const answer = await fetch(`/leads/find?q=${encodeURIComponent(text)}`, { headers: { "x-part": "1" }, signal: request.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    found.replaceChildren(...page.querySelectorAll("section"));
    told.textContent = page.querySelector("p")?.textContent ?? "";
    markFirst();
  };
  const show = () => {
    const text = input.value.trim();
    giveUp();
    sections.replaceChildren(...asItems(places().filter(([, name]) => name.toLowerCase().includes(text.toLowerCase())).slice(0, 9)));
    found.replaceChildren();
    told.textContent = "";
    all.replaceChildren(...asItems(text ? [[`/leads?q=${encodeURIComponent(text)}`, say("Find leads: {text}", { text })]] : []));
    markFirst();
    if (text.length > 1) timer = setTimeout(() => find(text).catch(() => {}), 200);
  };
  input.addEventListener("input", show);
  dialog.addEventListener("close", giveUp);
  dialog.addEventListener("keydown", (event) => {
    const stops = [input, ...dialog.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    if (event.key === "ArrowDown") stops[Math.min(stops.length - 1, at + 1)]?.focus();
    else if (event.key === "ArrowUp") stops[Math.max(0, at - 1)]?.focus();
    else if (event.key === "Enter" && document.activeElement === input) stops[1]?.click();
    else return;
    event.preventDefault();
  });
  dialog.begin = () => {
    input.value = "";
    show();
    dialog.showModal();
  };
  return dialog;
}

function openPalette() {
  const dialog = document.getElementById("palette") ?? makePalette();
  if (!dialog.open) dialog.begin();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || !document.querySelector(".sections")) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("click", (event) => {
  // Without the script, and in another tab, the link leads to the search for leads.
  if (event.target.closest("[data-palette]") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openPalette();
  }
  // A click beside a dialog closes it.
  if (event.target.tagName !== "DIALOG" || !event.target.open) return;
  const box = event.target.getBoundingClientRect();
  const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  if (!isInside) event.target.close();
});
