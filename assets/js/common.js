// What both frames share. Every module listens on the document, so pieces that htmx swaps in need no setting up.
import "./menu.js";
import "./dialog.js";
import "./toast.js";
import "./theme.js";
import "./form.js";
import "./copy.js";
import "./lazy.js";
import "./tabs.js";

document.documentElement.classList.add("js");
