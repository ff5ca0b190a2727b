// <a href="#id" data-opens="id"> opens a native <dialog>; without script the #id link shows it through :target. Also asks before [data-confirm].
const find = (id) => document.getElementById(id);

export function show(dialog) {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
  dialog.dispatchEvent(new CustomEvent("dialog:shown", { bubbles: true }));
}

function hide(dialog) {
  if (dialog?.open) dialog.close();
  if (dialog && location.hash === `#${dialog.id}`) history.replaceState(null, "", location.pathname + location.search);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = find(opener.dataset.opens);
    if (dialog) { event.preventDefault(); show(dialog); }
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) { event.preventDefault(); hide(closer.closest("dialog")); return; }
  if (event.target.matches("dialog[open]")) {
    const box = event.target.getBoundingClientRect();
    const outside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
    if (outside && !event.target.hasAttribute("data-stays")) hide(event.target);
  }
});

// A link that stands for a button answers the space bar as buttons do.
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches("a[data-opens], a[data-closes]")) { event.preventDefault(); event.target.click(); }
});

// A dialog reached by its address (#id) becomes modal once script is here; one the server sent with data-open too.
function settle() {
  const target = location.hash.length > 1 && find(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDialogElement) show(target);
  for (const dialog of document.querySelectorAll("dialog[data-open]")) show(dialog);
}
settle();
addEventListener("hashchange", settle);

document.addEventListener("htmx:afterRequest", (event) => {
  const dialog = event.detail.elt.closest?.("dialog[open]");
  if (dialog && event.detail.successful && event.detail.elt.matches("form")) hide(dialog);
});
document.addEventListener("htmx:load", (event) => {
  const dialog = event.detail.elt;
  if (dialog instanceof HTMLDialogElement && dialog.hasAttribute("data-open")) show(dialog);
});
