"use strict";

// The list of leads: keys, and boxes that select several.

const boxes = () => [...document.querySelectorAll("input[name=lead]")];

/** Shows how many are selected, and whether all are. */
function countSelected() {
  const all = document.querySelector("[data-all=lead]");
  const count = document.querySelector("[data-count=lead]");
  const selected = boxes().filter((box) => box.checked).length;
  if (all) {
    all.hidden = false;
    all.checked = selected > 0 && selected === boxes().length;
    all.indeterminate = selected > 0 && !all.checked;
  }
  if (count) count.textContent = `${selected} selected`;
}

document.addEventListener("change", (event) => {
  if (event.target.dataset.all === "lead") for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.dataset.all === "lead" || event.target.name === "lead") countSelected();
});

/** Moves the focus to the name of another row. */
function moveRow(step) {
  const rows = [...document.querySelectorAll("tr[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.querySelector(".title a")?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (!document.querySelector("table.leads") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  const row = document.activeElement?.closest?.("tr[data-row]");
  const box = row?.querySelector("input[name=lead]");
  const keys = {
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: () => box?.click(),
    a: () => {
      if (box && !boxes().some((other) => other.checked)) box.click();
      if (boxes().some((other) => other.checked)) document.querySelector(".bulk select")?.focus();
    },
    "/": () => document.querySelector(".search input[type=search]")?.focus(),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
