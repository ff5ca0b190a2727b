import "htmx-ext-head-support/head-support.js";
import "htmx-ext-response-targets/response-targets.js";
import "idiomorph/dist/idiomorph-ext.esm.js";
