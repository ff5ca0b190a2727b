// <details class="menu">: closes on Escape, on a click outside and after a choice; arrow keys walk it; never cut off by a scrolling table.
const open = () => document.querySelectorAll("details.menu[open]");
const items = (menu) => [...menu.querySelectorAll(".menu-list :is(a, button, input):not([disabled])")];

function close(menu, focus = false) {
  menu.open = false;
  if (focus) menu.querySelector("summary").focus();
}

function place(menu) {
  const list = menu.querySelector(".menu-list");
  list.removeAttribute("style");
  if (!menu.open) return;
  const box = menu.getBoundingClientRect();
  const size = list.getBoundingClientRect();
  const clipped = menu.closest(".table-wrap");
  const below = innerHeight - box.bottom;
  const up = size.height + 8 > below && box.top > below;
  if (clipped) {
    const style = list.style;
    const far = (menu.dataset.align === "end") !== (getComputedStyle(menu).direction === "rtl") ? box.right - size.width : box.left;
    style.position = "fixed";
    style.inset = "auto";
    style.left = `${Math.max(8, Math.min(far, innerWidth - size.width - 8))}px`;
    style.top = `${up ? box.top - size.height - 4 : box.bottom + 4}px`;
  } else if (size.left < 8 || size.right > innerWidth - 8) {
    const shift = size.left < 8 ? 8 - size.left : innerWidth - 8 - size.right;
    list.style.translate = `${shift}px 0`;
  }
}

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("details.menu")) return;
  place(menu);
  if (menu.open) for (const other of open()) if (other !== menu && !other.contains(menu)) close(other);
}, true);

document.addEventListener("click", (event) => {
  for (const menu of open()) {
    const inside = menu.contains(event.target);
    if (!inside || event.target.closest(".menu-list :is(a, button:not([type=button]))") || event.target.closest("[data-opens]")) close(menu);
  }
});
document.addEventListener("scroll", () => { for (const menu of open()) if (menu.closest(".table-wrap")) close(menu); }, { capture: true, passive: true });

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]") ?? [...open()].at(-1);
  if (!menu) return;
  if (event.key === "Escape") { event.preventDefault(); close(menu, true); return; }
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!step || event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  const all = items(menu);
  if (!all.length) return;
  event.preventDefault();
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + step));
  all[next].focus();
});
