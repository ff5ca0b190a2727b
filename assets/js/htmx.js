// htmx with the page's CSRF token, busy buttons and failures told in words.
import htmx from "htmx.org/dist/htmx.esm.js";
import { toast } from "./toast.js";

window.htmx = htmx; // extensions look for it here

const token = () => document.querySelector('meta[name="csrf-token"]')?.content;
const words = () => document.getElementById("toasts")?.dataset ?? {};

document.addEventListener("htmx:configRequest", (event) => {
  const value = token();
  if (value) event.detail.headers["X-CSRFToken"] = value;
});
document.addEventListener("htmx:sendError", () => toast({ text: words().offline, tone: "danger" }));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) location.reload();
  else if (!event.detail.xhr.getResponseHeader("HX-Trigger")) toast({ text: `${words().failed ?? ""} (${status})`, tone: "danger" });
});
