// The bell: one socket while the page is seen. It brings the count, a line for each new notice, and words for pieces that keep themselves fresh.
const STOP = [4401, 4403]; // signed out, other rights: the next page knows
const LONGEST_WAIT = 60000;
const KEY = "bell";

function told() {
  try { return JSON.parse(sessionStorage.getItem(KEY)) ?? []; } catch { return []; }
}

function keep(ids) {
  try { sessionStorage.setItem(KEY, JSON.stringify(ids.slice(-20))); } catch { /* private windows keep nothing */ }
}

function show(badge, count) {
  if (!badge || (badge.hidden ? "" : badge.textContent) === count) return false;
  badge.textContent = count;
  badge.hidden = !count;
  return true;
}

export default function bell(link) {
  let socket = null;
  let tries = 0;
  let timer = 0;
  let over = false;

  function take(news) {
    const badges = news.k === "bell" ? [link.querySelector(".count-dot")] : [...document.querySelectorAll(`[data-live-count="${CSS.escape(news.k)}"]`)];
    const changed = badges.map((badge) => show(badge, news.count)).some(Boolean);
    if (news.label) link.setAttribute("aria-label", news.label);
    const ids = told();
    for (const one of news.fresh ?? []) {
      if (ids.includes(one.id)) continue;
      ids.push(one.id);
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: one.text, tone: one.tone === "danger" ? "warning" : one.tone } }));
    }
    keep(ids);
    if (changed || news.k === "plan") document.body.dispatchEvent(new CustomEvent(`live:${news.k}`));
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(open, Math.random() * Math.min(LONGEST_WAIT, 1000 * 2 ** Math.min(tries, 7)) + 200);
    tries += 1;
  }

  async function open() {
    clearTimeout(timer);
    if (over || socket || document.hidden || !link.isConnected) return;
    let answer;
    try {
      answer = await fetch(link.dataset.tickets, {
        method: "POST", credentials: "same-origin", headers: { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "", Accept: "application/json" },
      });
    } catch { later(); return; }
    if (answer.status === 401 || answer.status === 403 || answer.redirected) { over = true; return; }
    if (!answer.ok) { later(); return; }
    const { url, ticket } = await answer.json();
    const line = new WebSocket(`${url}?after=${told().at(-1) ?? ""}`, ["lectern.1", `ticket.${ticket}`]);
    socket = line;
    line.addEventListener("open", () => {
      document.documentElement.toggleAttribute("data-bell", true);
      document.body.dispatchEvent(new CustomEvent("live:plan")); // what moved before the line stood
    });
    line.addEventListener("message", (event) => {
      tries = 0;
      if (link.isConnected) take(JSON.parse(event.data)); else line.close();
    });
    line.addEventListener("close", (event) => {
      if (socket === line) {
        socket = null;
        document.documentElement.toggleAttribute("data-bell", false);
      }
      if (STOP.includes(event.code)) over = true;
      else if (!document.hidden) later();
    });
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => socket?.close(), 5000);
    else { tries = 0; open(); }
  });
  window.addEventListener("online", () => { tries = 0; open(); });
  timer = setTimeout(open, 400); // who only passes through opens none
}
