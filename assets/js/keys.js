// Keys: "/" goes to the search, "?" lists the keys, and [data-key="g c"] clicks its element. They can be turned off in the list (WCAG 2.1.4).
import { show } from "./dialog.js";
import { openPalette } from "./palette.js";

const OFF = "keys-off";
const off = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };
const typing = (element) => element.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]");
let first = "";
let clock = 0;

function list() {
  const sheet = document.getElementById("keys");
  const place = sheet?.querySelector("[data-keys]");
  if (!place) return;
  place.replaceChildren(...[...document.querySelectorAll("[data-key]")].filter((element, i, all) => all.findIndex((other) => other.dataset.key === element.dataset.key) === i).map((element) => {
    const row = document.createElement("div");
    const name = document.createElement("dt");
    const keys = document.createElement("dd");
    name.textContent = element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? element.textContent.trim();
    for (const key of element.dataset.key.split(" ")) { const kbd = document.createElement("kbd"); kbd.className = "kbd"; kbd.textContent = key; keys.append(kbd); }
    row.append(name, keys);
    return row;
  }));
  const toggle = sheet.querySelector("[data-keys-toggle]");
  if (toggle) toggle.checked = !off();
  show(sheet);
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-keys-toggle]")) return;
  try { localStorage.setItem(OFF, event.target.checked ? "0" : "1"); } catch { /* private mode: lasts for this page */ }
});
document.addEventListener("click", (event) => { if (event.target.closest("[data-keys-open]")) { event.preventDefault(); list(); } });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing || off()) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    event.preventDefault();
    const field = document.querySelector("main input[type=search]");
    if (field) field.focus(); else openPalette();
    return;
  }
  if (event.key === "?") { event.preventDefault(); list(); return; }
  if (event.key.length !== 1) return;
  const both = first ? `${first} ${event.key}` : event.key;
  const target = document.querySelector(`[data-key="${CSS.escape(both)}"]`) ?? document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  clearTimeout(clock);
  first = "";
  if (target) { event.preventDefault(); target.click(); return; }
  first = event.key;
  clock = setTimeout(() => { first = ""; }, 1200);
});
