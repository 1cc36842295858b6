"use strict";

// The list of leads: keys, boxes that select several, and a lead beside the list.

/** The boxes of a list of which several can be changed at once. */
const boxes = () => [...document.querySelectorAll("input[form=bulk]")];

/** Shows how many are selected, and whether all are. */
function countSelected() {
  const all = document.querySelector("[data-all]");
  const count = document.querySelector("[data-count]");
  const selected = boxes().filter((box) => box.checked).length;
  if (all) {
    all.hidden = false;
    all.checked = selected > 0 && selected === boxes().length;
    all.indeterminate = selected > 0 && !all.checked;
  }
  if (count) count.textContent = say("{n} selected", { n: selected.toLocaleString(LOCALE) });
}

document.addEventListener("change", (event) => {
  const isAll = event.target.matches("[data-all]");
  if (isAll) for (const box of boxes()) box.checked = event.target.checked;
  if (isAll || event.target.matches("input[form=bulk]")) countSelected();
});

/** Moves the focus to the name of another row. */
function moveRow(step) {
  const rows = [...document.querySelectorAll("tr[data-row]")];
  const open = openRow();
  const at = rows.findIndex((row) => (open ? row === open : row.contains(document.activeElement)));
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  const link = next?.querySelector(".title a");
  link?.focus();
  if (open && link) openLead(link);
  next?.scrollIntoView({ block: "nearest" });
}

/** Whether a lead has room beside the list. */
const hasRoom = () => matchMedia("(min-width: 64rem)").matches;

/** The row of the lead that is open beside the list. */
const openRow = () => document.getElementById(document.querySelector("#lead-panel:not([hidden]) .panel-head")?.dataset.row);

/** Counts the leads that were opened: of two answers, the later request's is shown. */
let opened = 0;

/** Shows a lead beside the list. */
async function openLead(link) {
  const number = ++opened;
  let panel = document.getElementById("lead-panel");
  if (!panel) {
    panel = Object.assign(document.createElement("aside"), { id: "lead-panel", tabIndex: -1 });
    document.querySelector("main").append(panel);
  }
  try {
    const answer = await fetch(link.href, { headers: { "x-part": "1" } });
    if (!answer.ok) throw new Error(answer.status);
    const text = await answer.text();
    if (number !== opened) return;
    filled.delete(panel);
    fill(panel, text);
    panel.hidden = false;
    panel.setAttribute("aria-label", link.textContent);
    markOpenLead();
    panel.focus();
  } catch {
    location.assign(link.href);
  }
}

function closeLead() {
  const row = openRow();
  const panel = document.getElementById("lead-panel");
  if (!panel || panel.hidden) return;
  opened += 1;
  panel.hidden = true;
  row?.querySelector(".title a")?.focus();
  markOpenLead();
}

/** Marks the row of the lead that is open. */
function markOpenLead() {
  const open = openRow();
  for (const row of document.querySelectorAll("tr[data-row]")) {
    if (row === open) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

/** What is changed beside the list is shown in the list at once. */
function refreshLeads() {
  const place = document.querySelector("table.leads")?.closest("[data-part]");
  if (place) load(place);
}

/** Forms of a lead beside the list leave the list where it is; an erased lead is gone with its panel, and undoing leads to the list. */
function keepInPanel(root) {
  for (const form of root.querySelectorAll("#lead-panel form[method=post]")) {
    if (!/\/(erase|undo)$/.test(form.getAttribute("action"))) form.dataset.inPlace = "#lead-panel";
  }
}

/** The name of the lead on whose row a click is, beside all that answers to clicks itself. */
function nameBeside(event) {
  const row = event.target.closest("table.leads tr[data-row]");
  const isAnswered = event.target.closest("a, button, input, summary, .tick");
  return row && !isAnswered && getSelection().isCollapsed ? row.querySelector(".title a") : null;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-panel]")) closeLead();
  // Beside a box, the box is meant.
  if (event.target.matches(".leads td.tick")) event.target.querySelector("input").click();
  const beside = nameBeside(event);
  if (beside && (event.ctrlKey || event.metaKey || event.shiftKey)) open(beside.href);
  else beside?.click();
  const link = event.target.closest("table.leads .title a");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || !hasRoom()) return;
  event.preventDefault();
  openLead(link);
});

// The middle button opens another tab, and does not begin to scroll.
document.addEventListener("auxclick", (event) => {
  if (event.button === 1 && nameBeside(event)) open(nameBeside(event).href);
});
document.addEventListener("mousedown", (event) => {
  if (event.button === 1 && nameBeside(event)) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) closeLead();
  if (!document.querySelector("table.leads") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  const row = openRow() ?? document.activeElement?.closest?.("tr[data-row]");
  const box = row?.querySelector("input[name=lead]");
  const isAny = () => boxes().some((other) => other.checked);
  // Of several the bar's field, of the open one its own.
  const begin = (field) => {
    if (!isAny() && openRow()) return document.querySelector(`#lead-panel select[name=${field}]`)?.focus();
    if (box && !isAny()) box.click();
    if (isAny()) document.querySelector(`.bulk select[name=${field}]`)?.focus();
  };
  const keys = {
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: () => box?.click(),
    a: () => begin("assigned_to"),
    s: () => begin("status"),
    "/": () => document.querySelector(".search input[type=search]")?.focus(),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
