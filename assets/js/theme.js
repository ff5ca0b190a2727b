// Light, dark or as the device says; remembered in a cookie so the server writes the class and nothing flashes.
const html = document.documentElement;
const device = matchMedia("(prefers-color-scheme: dark)");
const YEAR = 31536000;

function apply(theme) {
  html.classList.remove("light", "dark");
  if (theme !== "system") html.classList.add(theme);
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  for (const button of document.querySelectorAll("[data-theme-set]")) button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme));
}

document.addEventListener("click", (event) => {
  const set = event.target.closest("[data-theme-set]");
  if (set) { event.preventDefault(); apply(set.dataset.themeSet); return; }
  if (!event.target.closest("[data-theme-toggle]")) return;
  event.preventDefault();
  const dark = html.classList.contains("dark") || (!html.classList.contains("light") && device.matches);
  apply(dark ? "light" : "dark");
});
