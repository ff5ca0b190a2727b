// The command palette: an htmx search in a dialog; arrows move, Enter opens.
import { show } from "./dialog.js";

const dialog = () => document.getElementById("palette");
const links = () => [...(dialog()?.querySelectorAll(".palette-results a") ?? [])];
let at = 0;

function mark(next) {
  const all = links();
  const input = dialog().querySelector("input");
  at = all.length ? (next + all.length) % all.length : 0;
  all.forEach((link, i) => { link.id ||= `palette-item-${i}`; link.setAttribute("role", "option"); link.tabIndex = -1; link.setAttribute("aria-selected", String(i === at)); });
  input.removeAttribute("aria-activedescendant");
  if (all[at]) { input.setAttribute("aria-activedescendant", all[at].id); all[at].scrollIntoView({ block: "nearest" }); }
}

export function openPalette() {
  show(dialog());
}

document.addEventListener("dialog:shown", (event) => {
  if (event.target !== dialog()) return;
  const input = dialog().querySelector("input");
  input.select();
  mark(0);
});
document.addEventListener("htmx:afterSettle", (event) => { if (dialog()?.contains(event.detail.elt)) mark(0); });
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k" && dialog()) { event.preventDefault(); openPalette(); return; }
  if (!dialog()?.open || !dialog().contains(event.target)) return;
  if (event.key === "ArrowDown") { event.preventDefault(); mark(at + 1); }
  else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
  else if (event.key === "Enter" && links()[at]) { event.preventDefault(); links()[at].click(); }
});
