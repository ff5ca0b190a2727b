// Shows the OpenAPI document that the page names; asks nobody else, keeps no token between visits.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => root.classList.toggle("dark-mode", root.classList.contains("dark") || (dark.matches && !root.classList.contains("light")));
dark.addEventListener("change", paint);
paint();
const place = document.getElementById("api-document");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
  tryItOutEnabled: true,
  withCredentials: false,
});
