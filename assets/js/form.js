// Forms: a second submit does nothing, unsaved work is asked about, the first error gets the focus, [data-autosubmit] sends on change.
const dirty = new Set();
const guarded = (element) => element.closest?.("form[data-guard]");

document.addEventListener("input", (event) => { const form = guarded(event.target); if (form) dirty.add(form); });
document.addEventListener("submit", (event) => {
  const form = event.target;
  dirty.delete(form);
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 4000) { event.preventDefault(); return; }
  if (form.method !== "post" || form.hasAttribute("data-repeat") || form.matches("[hx-post], [hx-get]")) return;
  form.dataset.sent = String(Date.now());
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});
addEventListener("beforeunload", (event) => {
  for (const form of dirty) if (!form.isConnected) dirty.delete(form);
  if (dirty.size) event.preventDefault();
});
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) dirty.delete(event.detail.elt.closest?.("form")); });
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]") || event.target.closest("form[data-autosubmit]")) event.target.form?.requestSubmit();
});

// The first wrong field gets the focus, and says with its own error how many there are; a fault of no field leaves it on the list above.
const wrong = ":is([aria-invalid='true'], [data-invalid] :is(input, select, textarea)):not([type='hidden'], [disabled])";
const point = (list) => {
  if (!list) return;
  const field = (list.closest("form") ?? list.parentElement).querySelector(wrong);
  for (let box = field?.closest("details:not([open])"); box; box = box.parentElement.closest("details:not([open])")) box.open = true;
  if (!field?.checkVisibility({ visibilityProperty: true })) { list.focus(); return; }
  const count = list.querySelector("h2");
  if (count?.id) field.setAttribute("aria-describedby", [...new Set([...(field.getAttribute("aria-describedby") ?? "").split(" "), count.id])].join(" ").trim());
  field.focus();
};
const list = ".form-errors[data-focus]";
point(document.querySelector(list));
document.addEventListener("htmx:afterSettle", ({ detail: { elt } }) => point(elt.matches?.(list) ? elt : elt.querySelector?.(list)));
