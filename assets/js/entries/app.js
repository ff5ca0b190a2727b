// The back office.
import "../htmx.js";
import "../extensions.js";
import "../common.js";
import "../palette.js";
import "../keys.js";
import "../bulk.js";
import "../shell.js";
import "../pace.js";
