// What an eye would stop at on a page: wider than the window, cut off, too small to hit, lying over each other, words that are no words.
(msgids) => {
  const found = [];
  const width = document.documentElement.clientWidth;
  const all = [...document.body.querySelectorAll("*")];
  const tiny = new Set(all.filter((e) => e.offsetWidth <= 2 && e.offsetHeight <= 2 && e.offsetParent && getComputedStyle(e).position === "absolute"));
  const shown = (e) => {
    const r = e.getBoundingClientRect();
    const s = getComputedStyle(e);
    for (let up = e; up && up !== document.body; up = up.parentElement) if (tiny.has(up)) return false;
    return r.width > 1 && r.height > 1 && s.visibility === "visible" && e.checkVisibility({ opacityProperty: true }) && !e.closest("[inert], .sr-only, .skip");
  };
  const called = (e) => {
    const words = (e.getAttribute("aria-label") || e.innerText || e.value || "").trim().replace(/\s+/g, " ").slice(0, 40);
    const kind = e.className && typeof e.className === "string" ? "." + e.className.trim().split(/\s+/).slice(0, 2).join(".") : "";
    return `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : kind} "${words}"`;
  };
  const held = (e) => {
    for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
      const s = getComputedStyle(up);
      if (s.overflowX !== "visible" || s.position === "fixed") return true;
    }
    return false;
  };
  if (document.documentElement.scrollWidth > innerWidth) {
    const out = all.filter((e) => shown(e) && !held(e)).filter((e) => {
      const r = e.getBoundingClientRect();
      return r.right > width + 1 || r.left < -1;
    });
    const inner = out.filter((e) => !out.some((other) => other !== e && e.contains(other)));
    found.push(["wide", `${document.documentElement.scrollWidth} in ${innerWidth}: ${inner.slice(0, 3).map(called).join(" | ")}`]);
  }
  for (const e of all) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !shown(e) || e.closest("textarea, select, pre, svg, video, iframe")) continue;
    const s = getComputedStyle(e);
    if (s.webkitLineClamp !== "none" || s.textOverflow === "ellipsis" || e.closest("[class*=truncate], [class*=clamp], .sr-only")) continue;
    if (["hidden", "clip"].includes(s.overflowX) && e.scrollWidth > e.clientWidth + 1) found.push(["clipped", called(e)]);
    else if (["hidden", "clip"].includes(s.overflowY) && e.scrollHeight > e.clientHeight + 3) found.push(["clipped", called(e)]);
    let box = null;
    for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
      if (["hidden", "clip"].includes(getComputedStyle(up).overflowX)) { box = up; break; }
      if (getComputedStyle(up).overflowX === "auto") break;
    }
    if (box) {
      const range = document.createRange();
      range.selectNodeContents(e);
      const r = range.getBoundingClientRect();
      const b = box.getBoundingClientRect();
      if (r.width && (r.right > b.right + 2 || r.left < b.left - 2) && !box.closest("[class*=truncate], [class*=clamp]")) found.push(["clipped", called(e)]);
    }
  }
  const controls = all.filter((e) => e.matches("a[href], button, input:not([type=hidden]), select, textarea, summary") && shown(e));
  const rect = (e) => {
    const r = e.getBoundingClientRect();
    if (!e.matches("input[type=checkbox], input[type=radio], input[type=file]") || !e.labels.length) return r;
    const l = e.labels[0].getBoundingClientRect();
    const left = Math.min(r.left, l.left);
    const top = Math.min(r.top, l.top);
    return new DOMRect(left, top, Math.max(r.right, l.right) - left, Math.max(r.bottom, l.bottom) - top);
  };
  for (const e of controls) {
    const r = rect(e);
    const flows = getComputedStyle(e).display === "inline" || e.closest("p, .prose, td, th, dd, li, nav.crumbs");
    if (Math.min(r.width, r.height) < 24 && !(e.tagName === "A" && flows)) found.push(["small", `${called(e)} ${Math.round(r.width)}×${Math.round(r.height)}`]);
    if (e.tabIndex > 0) found.push(["order", called(e)]);
  }
  const still = controls.filter((e) => { for (let up = e; up; up = up.parentElement) { if (["fixed", "sticky"].includes(getComputedStyle(up).position)) return false; } return !held(e); });
  for (let one = 0; one < still.length && still.length < 400; one++) {
    const mine = [...still[one].getClientRects()];
    for (let two = one + 1; two < still.length; two++) {
      if (still[one].contains(still[two]) || still[two].contains(still[one])) continue;
      const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 4 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
      if (mine.some((a) => [...still[two].getClientRects()].some((b) => over(a, b))))
        found.push(["overlap", `${called(still[one])} | ${called(still[two])}`]);
    }
  }
  const headings = document.querySelectorAll("h1");
  if (headings.length !== 1) found.push(["heading", `${headings.length} h1`]);
  if (!document.title.trim()) found.push(["heading", "no title"]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const raw = /\b(is|was|=|:) ?None\b|\{\{|\}\}|\{%|\bundefined\b|\bNaN\b|&(lt|gt|amp|quot|#\d+);|%\(\w+\)s|%s\b|\b(Decimal|UUID|datetime)\(|\d{4}-\d\d-\d\dT\d\d:|<\/?[a-z]+>|\bTrue\b|\bFalse\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/;
  const english = new Set(msgids);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const up = node.parentElement;
    const words = node.textContent.trim().replace(/\s+/g, " ");
    if (!words || !up || up.closest("script, style, template, pre, code, textarea, svg, [hidden], kbd") || !shown(up)) continue;
    const hit = words === "None" && !english.has(words) && english.size ? ["None"] : words.match(raw);
    if (hit) found.push(["raw", `${hit[0]} in “${words.slice(0, 80)}”`]);
    if (english.has(words) && !up.closest("[lang=en]")) found.push(["untranslated", words.slice(0, 80)]);
  }
  const twice = {};
  for (const e of all) if (e.id) twice[e.id] = (twice[e.id] || 0) + 1;
  for (const id in twice) if (twice[id] > 1) found.push(["ids", id]);
  return [...new Set(found.map((one) => one.join("\t")))].map((one) => one.split("\t"));
}
