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

document.querySelector(".form-errors[data-focus]")?.focus();
document.addEventListener("htmx:afterSettle", (event) => event.detail.elt.querySelector?.(".form-errors[data-focus]")?.focus());
