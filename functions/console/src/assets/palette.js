"use strict";

// Going anywhere by a few letters: the sections, what can be begun, and a search for leads.

const BEGINNINGS = {
  "/leads": [["/leads/import", "Import leads from a file"], ["/leads/exports", "Exports"], ["/leads?assigned_to=unassigned", "Unassigned leads"]],
  "/posts": [["/posts/new", "Write a post"], ["/posts/calendar", "Post calendar"]],
  "/campaigns": [["/campaigns/new", "Create a campaign"]],
  "/ads": [["/ads/outcomes", "Ad results"], ["/ads/report", "Ad reports"], ["/ads/accounts/new", "Link an ad account"]],
  "/settings": [["/settings/api", "API"], ["/webhooks", "Webhooks"]],
};

/** Where the reader can go: what their navigation has, and what can be begun there. */
function places() {
  const sections = [...document.querySelectorAll(".sections a")].map((link) => [link.getAttribute("href"), link.firstChild.textContent.trim()]);
  return sections.flatMap(([href, name]) => [[href, name], ...(BEGINNINGS[href] ?? []).map(([path, text]) => [path, say(text)])]);
}

function openPalette() {
  let dialog = document.getElementById("palette");
  if (!dialog) {
    dialog = Object.assign(document.createElement("dialog"), { id: "palette" });
    dialog.setAttribute("aria-label", say("Go to"));
    const input = Object.assign(document.createElement("input"), { type: "search", placeholder: say("Go to a section or find a lead") });
    input.setAttribute("aria-label", say("Go to a section or find a lead"));
    const list = document.createElement("ul");
    dialog.append(input, list);
    document.body.append(dialog);
    const show = () => {
      const text = input.value.trim();
      const found = places().filter(([, name]) => name.toLowerCase().includes(text.toLowerCase()));
      if (text && document.querySelector(".sections a[href='/leads']")) {
        found.push([`/leads?q=${encodeURIComponent(text)}`, say("Find leads: {text}", { text })]);
      }
      list.replaceChildren(
        ...found.slice(0, 9).map(([href, textContent]) => {
          const item = document.createElement("li");
          item.append(Object.assign(document.createElement("a"), { href, textContent }));
          return item;
        }),
      );
    };
    input.addEventListener("input", show);
    dialog.addEventListener("keydown", (event) => {
      const stops = [input, ...list.querySelectorAll("a")];
      const at = stops.indexOf(document.activeElement);
      if (event.key === "ArrowDown") stops[Math.min(stops.length - 1, at + 1)]?.focus();
      else if (event.key === "ArrowUp") stops[Math.max(0, at - 1)]?.focus();
      else if (event.key === "Enter" && document.activeElement === input) list.querySelector("a")?.click();
      else return;
      event.preventDefault();
    });
    dialog.addEventListener("toggle", show);
    dialog.fresh = show;
  }
  if (dialog.open) return;
  dialog.querySelector("input").value = "";
  dialog.fresh();
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || !document.querySelector(".sections")) return;
  event.preventDefault();
  openPalette();
});

// A click beside a dialog closes it.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-palette]")) openPalette();
  if (event.target.tagName !== "DIALOG" || !event.target.open) return;
  const box = event.target.getBoundingClientRect();
  const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  if (!isInside) event.target.close();
});

for (const button of document.querySelectorAll("[data-palette]")) button.hidden = false;
