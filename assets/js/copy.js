// [data-copy="#id"] copies that element's value or text and says so on the button for a moment.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  if (!source) return;
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text.trim());
  } catch {
    source.select?.();
    document.execCommand("copy"); // plain http has no clipboard
  }
  const use = button.querySelector("use");
  const before = use?.getAttribute("href");
  use?.setAttribute("href", before.replace(/#.*/, "#check"));
  const status = button.querySelector("[role=status]");
  if (status) status.textContent = button.dataset.copied ?? "";
  setTimeout(() => { use?.setAttribute("href", before); if (status) status.textContent = ""; }, 1800);
});
