// Rows that move: by dragging (mouse or finger) and by the up and down buttons; the new order goes to the list's own form.
import Sortable from "sortablejs/modular/sortable.core.esm.js";

function tell(list) {
  const rows = [...list.children];
  rows.forEach((row, i) => {
    const name = row.dataset.name ?? "";
    const up = row.querySelector('[data-move="up"]');
    const down = row.querySelector('[data-move="down"]');
    if (up) up.disabled = i === 0;
    if (down) down.disabled = i === rows.length - 1;
    row.setAttribute("aria-label", `${name} ${i + 1}/${rows.length}`.trim());
  });
}

function changed(list) {
  tell(list);
  const form = list.closest("form");
  list.dispatchEvent(new CustomEvent("sorted", { bubbles: true }));
  form?.requestSubmit();
}

export default function sortable(list) {
  tell(list);
  new Sortable(list, {
    handle: ".grip", animation: 140, draggable: "li", forceFallback: false,
    onStart: ({ item }) => { item.dataset.dragging = ""; },
    onEnd: ({ item, oldIndex, newIndex }) => { delete item.dataset.dragging; if (oldIndex !== newIndex) changed(list); },
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    const other = button.dataset.move === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (button.dataset.move === "up") other.before(row); else other.after(row);
    button.focus();
    changed(list);
  });
}
