// The chat of a live class: one socket, resumed by the number of the last line; what is written is kept until it is confirmed.
import { toast } from "../toast.js";

const SIGNED_OUT = 4401;
const NO_RIGHT = 4403;
const LONGEST_WAIT = 20000;

export default function chat(root) {
  const words = JSON.parse(root.dataset.words);
  const list = root.querySelector(".chat-lines");
  const log = root.querySelector(".chat-log");
  const empty = root.querySelector(".chat-empty");
  const mould = root.querySelector("[data-chat-mould]").content.firstElementChild;
  const form = root.querySelector(".chat-form");
  const status = root.querySelector("[data-chat-line]");
  const here = root.querySelector("[data-chat-here]");
  const me = root.dataset.me;
  const moderator = "moderator" in root.dataset;
  const waiting = new Map(); // ref → {text, node}: written, not confirmed
  let seq = Number(root.dataset.seq) || 0;
  let socket = null;
  let tries = 0;
  let timer = 0;
  let over = false;

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const say = (text) => { status.textContent = text; };
  const node = (number) => list.querySelector(`[data-seq="${Number(number)}"]`);
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  function initials(name) {
    const parts = name.split(/\s+/).filter(Boolean);
    return parts.length ? (parts[0][0] + (parts.length > 1 ? parts.at(-1)[0] : "")).toUpperCase() : "?";
  }

  function tone(name) { // the same as ui/avatar.html
    let sum = BigInt([...name].length);
    for (const letter of name.toLowerCase()) sum = sum * 7n + BigInt("abcdefghijklmnopqrstuvwxyz".indexOf(letter) + 1);
    return Number(sum % 6n);
  }

  function draw(line) {
    const item = mould.cloneNode(true);
    const badge = item.querySelector(".badge");
    const time = item.querySelector("time");
    item.querySelector(".avatar").textContent = initials(line.by.name);
    item.querySelector(".avatar").dataset.tone = tone(line.by.name);
    item.querySelector("strong").textContent = line.by.name;
    item.querySelector(".chat-text").textContent = line.gone ? words.gone : line.text;
    if (line.by.role === "student") badge.remove();
    else { badge.textContent = line.by.role === "instructor" ? words.teacher : words.admin; badge.hidden = false; }
    time.dateTime = line.at;
    time.textContent = new Date(line.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    if (line.by.id === me) { item.dataset.own = ""; item.querySelector('[data-act="flag"]').remove(); }
    else if (!moderator) item.querySelector('[data-act="delete"]').remove();
    if (line.seq) item.dataset.seq = line.seq;
    if (line.gone) vanish(item);
    return item;
  }

  function vanish(item) {
    item.dataset.gone = "";
    item.querySelector(".chat-text").textContent = words.gone;
    item.querySelector(".chat-acts")?.remove();
  }

  function add(line) {
    if (line.seq <= seq) return;
    seq = line.seq;
    root.dataset.seq = seq;
    const stay = atEnd() || line.by.id === me;
    const mine = line.by.id === me ? waiting.get(line.ref) : undefined;
    const item = draw(line);
    if (mine) { waiting.delete(line.ref); mine.node.remove(); }
    const first = list.querySelector("[data-waiting], [data-failed]");
    if (first) first.before(item); else list.append(item);
    empty.hidden = true;
    while (list.children.length > 500) list.firstElementChild.remove();
    if (stay) toEnd();
  }

  function close(sentence) {
    over = true;
    if (form) { const p = document.createElement("p"); p.className = "muted"; p.textContent = sentence; form.replaceWith(p); }
  }

  function take(news) {
    if (news.k === "line") add(news);
    else if (news.k === "welcome") { tries = 0; say(words.live); for (const gone of news.gone) { const item = node(gone); if (item && !("gone" in item.dataset)) vanish(item); } show(news.here); flush(); }
    else if (news.k === "sync") { for (const gone of news.gone) { const item = node(gone); if (item && !("gone" in item.dataset)) vanish(item); } }
    else if (news.k === "here") show(news.count);
    else if (news.k === "gone") { const item = node(news.seq); if (item && !("gone" in item.dataset)) vanish(item); }
    else if (news.k === "ack") { waiting.get(news.ref)?.node.remove(); waiting.delete(news.ref); }
    else if (news.k === "no") refuse(news);
    else if (news.k === "flagged") toast({ text: words.flagged, tone: "success" });
    else if (news.k === "muted") { if (new Date(news.until) > new Date()) toast({ text: words.muted, tone: "warning" }); }
    else if (news.k === "state") { if (["ended", "recorded", "cancelled"].includes(news.state)) close(words.over); document.dispatchEvent(new CustomEvent("session:state", { detail: news.state })); tellState(); }
  }

  function tellState() {
    const state = document.getElementById("session-state");
    if (state?.hasAttribute("hx-post")) window.htmx?.ajax("POST", state.getAttribute("hx-post"), { source: state, target: state, swap: "outerHTML" });
  }

  function show(count) { here.textContent = words.here.replace("{n}", count); }

  function refuse(news) {
    const mine = waiting.get(news.ref);
    if (mine && news.retry) { setTimeout(() => send(news.ref), 2000 + Math.random() * 2000); return; }
    if (mine) {
      waiting.delete(news.ref);
      delete mine.node.dataset.waiting;
      mine.node.dataset.failed = "";
      mine.node.querySelector("time").textContent = words.failed;
      if (form && !form.elements.text.value) { form.elements.text.value = mine.text; mine.node.remove(); }
    }
    toast({ text: news.why, tone: "warning" });
  }

  function send(ref) {
    const mine = waiting.get(ref);
    if (mine && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ k: "say", ref, text: mine.text }));
  }

  function flush() { for (const ref of waiting.keys()) send(ref); }

  function again() {
    if (over && !waiting.size && tries > 3) return;
    clearTimeout(timer);
    tries += 1;
    say(navigator.onLine ? words.away : words.off);
    timer = setTimeout(open, Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** Math.min(tries, 6)));
  }

  async function open() {
    if (!root.isConnected) return;
    let answer;
    try {
      answer = await fetch(root.dataset.tickets, { method: "POST", headers: { "X-CSRFToken": token(), Accept: "application/json" }, credentials: "same-origin" });
    } catch { again(); return; }
    if (answer.status === 401 || answer.redirected) { say(words.signed_out); return; }
    if (answer.status === 403) { say(words.no_right); close(words.no_right); return; }
    if (!answer.ok) { again(); return; }
    const { url, ticket } = await answer.json();
    socket = new WebSocket(`${url}?after=${seq}`, ["lectern.1", `ticket.${ticket}`]);
    socket.addEventListener("message", (event) => take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      socket = null;
      if (event.code === SIGNED_OUT) { say(words.signed_out); close(words.signed_out); } else if (event.code === NO_RIGHT) { say(words.no_right); close(words.no_right); } else again();
    });
  }

  form?.addEventListener("submit", (event) => {
    const text = form.elements.text.value.trim();
    event.preventDefault();
    event.stopPropagation();
    if (!text) return;
    const ref = crypto.randomUUID ? crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
    const item = draw({ by: { id: me, name: root.dataset.name, role: "student" }, text, at: new Date().toISOString() });
    item.dataset.waiting = "";
    item.querySelector("time").textContent = words.sending;
    item.querySelector(".chat-acts").remove();
    waiting.set(ref, { text, node: item });
    list.append(item);
    empty.hidden = true;
    form.elements.text.value = "";
    form.elements.text.focus();
    toEnd();
    send(ref);
  });
  form?.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  list.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]");
    const number = Number(act?.closest("[data-seq]")?.dataset.seq);
    if (!act || !number || socket?.readyState !== WebSocket.OPEN) return;
    event.preventDefault();
    socket.send(JSON.stringify({ k: act.dataset.act, seq: number }));
  });
  window.addEventListener("online", () => { if (!socket) { tries = 0; again(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !socket && !over) { tries = 0; again(); } });
  toEnd();
  open();
}
