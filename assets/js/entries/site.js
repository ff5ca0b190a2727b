// The students' pages and the sign-in pages.
import "../htmx.js";
import "../common.js";
