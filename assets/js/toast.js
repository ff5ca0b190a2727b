// Toasts: the server's own leave after a while, and script or an HX-Trigger header {"toast": {"text", "tone", "undo"}} adds more.
const ICONS = { success: "circle-check", danger: "circle-x", warning: "triangle-alert", info: "info" };
const rack = () => document.getElementById("toasts");

function leave(note) {
  note.dataset.leaving = "";
  setTimeout(() => note.remove(), 220);
}

function settle(note) {
  if (note.dataset.settled) return;
  note.dataset.settled = "1";
  if (note.dataset.tone === "danger") return; // what went wrong stays until it is read
  let left = note.querySelector("form") ? 20 : 7;
  const clock = setInterval(() => {
    if (!note.isConnected) clearInterval(clock);
    else if (!document.hidden && !note.matches(":hover, :focus-within") && --left <= 0) { clearInterval(clock); leave(note); }
  }, 1000);
}

export function toast({ text, tone = "info", undo = null }) {
  const pattern = document.getElementById("toast-pattern");
  if (!pattern || !text) return;
  const note = pattern.content.firstElementChild.cloneNode(true);
  note.dataset.tone = tone;
  note.querySelector("p").textContent = text;
  const use = note.querySelector(".icon use");
  use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICONS[tone] ?? "info"}`));
  const form = note.querySelector("form");
  if (undo && form) {
    form.action = undo;
    const field = form.querySelector('[name="csrf_token"]');
    if (field) field.value = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  } else form?.remove();
  rack().append(note);
}

document.addEventListener("click", (event) => {
  const note = event.target.closest("[data-dismiss]")?.closest(".toast");
  if (note) leave(note);
});
document.addEventListener("toast", (event) => toast(event.detail));
if (rack()) {
  for (const note of rack().children) if (note.matches(".toast")) settle(note);
  new MutationObserver((changes) => { for (const change of changes) for (const node of change.addedNodes) if (node.matches?.(".toast")) settle(node); }).observe(rack(), { childList: true });
}
