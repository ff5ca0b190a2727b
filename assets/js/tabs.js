// A row of tabs that is wider than the screen begins at the tab one is on.
const centre = (root) => {
  for (const tab of root.querySelectorAll?.(".tabs > [aria-current]") ?? []) {
    const row = tab.parentElement;
    const [mine, all] = [tab, row].map((one) => one.getBoundingClientRect());
    if (row.scrollWidth > row.clientWidth) row.scrollLeft += (mine.left + mine.right - all.left - all.right) / 2;
  }
};
centre(document);
document.addEventListener("htmx:afterSettle", ({ detail: { elt } }) => centre(elt));
