// Tables with checkboxes: the head box selects the page, Shift selects a range, the bar counts, "all" stands for every row of the list.
const boxes = (form) => [...form.querySelectorAll(".row-check")];
let last = null;

function tell(form) {
  const all = boxes(form);
  const some = all.filter((box) => box.checked).length;
  const head = form.querySelector("[data-select-page]");
  if (head) { head.checked = some > 0 && some === all.length; head.indeterminate = some > 0 && some < all.length; }
  const every = form.querySelector("[data-select-all]");
  if (every && some < all.length) every.checked = false;
  const total = every?.checked ? every.dataset.total : String(some);
  for (const output of form.querySelectorAll("[data-selected]")) output.textContent = (output.dataset.selected || "{n}").replace("{n}", total);
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.(".row-check")) return;
  const all = boxes(box.form);
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const other of all.slice(from, to + 1)) other.checked = box.checked;
    tell(box.form);
  }
  last = box;
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form) return;
  if (event.target.matches("[data-select-page]")) for (const box of boxes(form)) box.checked = event.target.checked;
  if (event.target.matches("[data-select-all]") && event.target.checked) for (const box of boxes(form)) box.checked = true;
  if (event.target.matches(".row-check, [data-select-page], [data-select-all]")) tell(form);
});
document.addEventListener("click", (event) => {
  const clear = event.target.closest("[data-select-none]");
  if (!clear) return;
  for (const box of clear.form.querySelectorAll(".row-check, [data-select-all]")) box.checked = false;
  tell(clear.form);
});
for (const form of document.querySelectorAll("form:has(.row-check)")) tell(form);
document.addEventListener("htmx:afterSettle", () => { for (const form of document.querySelectorAll("form:has(.row-check)")) tell(form); });
