// The chat of a live class: one socket, resumed by the number of the last line; what is written is kept until it is confirmed.
import { asked } from "../chat/asked.js";
import { lines } from "../chat/lines.js";
import { toast } from "../toast.js";

const SIGNED_OUT = 4401;
const NO_RIGHT = 4403;
const LONGEST_WAIT = 20000;
const OVER = ["ended", "recorded", "cancelled"];

export default function chat(root) {
  const words = JSON.parse(root.dataset.words);
  const shown = lines(root, words);
  const questions = asked(root);
  const { list } = shown;
  const log = root.querySelector(".chat-log");
  const empty = root.querySelector(".chat-empty");
  const form = root.querySelector(".chat-form");
  const status = root.querySelector("[data-chat-line]");
  const here = root.querySelector("[data-chat-here]");
  const typing = root.querySelector("[data-chat-typing]");
  const me = root.dataset.me;
  const moderator = "moderator" in root.dataset;
  const waiting = new Map(); // ref → {text, re, q, node}: written, not confirmed
  const writers = new Map(); // id → {name, timer}: who writes now
  const shut = { early: root.dataset.shut === "early", banned: root.dataset.shut === "banned", muted: root.dataset.shut === "muted" ? Infinity : 0, paused: root.dataset.shut === "paused" };
  let seq = Number(root.dataset.seq) || 0;
  let socket = null;
  let tries = 0;
  let timer = 0;
  let over = false;
  let told = 0;

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const say = (text) => { status.textContent = text; };
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const isOpen = () => socket?.readyState === WebSocket.OPEN;
  const ask = (wish) => socket.send(JSON.stringify(wish));

  function add(line) {
    if (line.seq <= seq) return;
    seq = line.seq;
    root.dataset.seq = seq;
    const stay = atEnd() || line.by.id === me;
    const mine = line.by.id === me ? waiting.get(line.ref) : undefined;
    const item = shown.draw(line);
    if (mine) { waiting.delete(line.ref); mine.node.remove(); }
    const first = list.querySelector("[data-waiting], [data-failed]");
    if (first) first.before(item); else list.append(item);
    empty.hidden = true;
    while (list.children.length > 500) list.firstElementChild.remove();
    questions.add(line);
    writes(line.by.id);
    if (stay) toEnd();
  }

  function close(sentence) {
    over = true;
    root.querySelector('[data-act="hand"]')?.closest("form")?.remove();
    if (form) { const p = document.createElement("p"); p.className = "muted"; p.textContent = sentence; form.replaceWith(p); }
  }

  const heard = {
    line: add,
    welcome(news) { tries = 0; say(words.live); show(news.here); whole(news); flush(); },
    sync: whole,
    here(news) { show(news.count); },
    gone(news) { shown.gone(news.seq); questions.gone(news.seq); },
    mark,
    rules,
    pin(news) { pin(news.line); },
    hands(news) { hands(news.hands); },
    mine(news) { if (news.sign) shown.mine(news.seq, news.sign, news.on); else questions.mine(news.seq, news.vote); },
    typing(news) { if (news.by.id !== me) writes(news.by.id, news.by.name); },
    ack(news) { waiting.get(news.ref)?.node.remove(); waiting.delete(news.ref); },
    no: refuse,
    flagged() { toast({ text: words.flagged, tone: "success" }); },
    done(news) { toast({ text: words[`${news.what}_done`].replace("{name}", news.name), tone: "success" }); panel(); },
    muted(news) { shut.muted = new Date(news.until).getTime(); gate(); },
    banned(news) { shut.banned = news.on; gate(); },
    state(news) {
      if (OVER.includes(news.state)) close(words.over);
      else if (shut.early && news.state !== "scheduled") { shut.early = false; gate(); }
      document.dispatchEvent(new CustomEvent("session:state", { detail: news.state }));
      const state = document.getElementById("session-state");
      if (state?.hasAttribute("hx-post")) window.htmx?.ajax("POST", state.getAttribute("hx-post"), { source: state, target: state, swap: "outerHTML" });
    },
  };

  /** How the room stands, told as a whole: at the beginning, and after a broken line. */
  function whole(news) {
    for (const number of news.gone ?? []) { shown.gone(number); questions.gone(number); }
    for (const [number, marks] of Object.entries(news.marks ?? {})) mark({ seq: number, ...marks });
    if (news.rules) rules(news.rules);
    if ("pin" in news) pin(news.pin);
    if (news.hands) hands(news.hands);
  }

  function mark(news) {
    if (news.r) shown.signs(news.seq, news.r);
    questions.mark(news.seq, news);
  }

  function rules(news) {
    const place = root.querySelector("[data-chat-rules]");
    shut.paused = news.paused && !moderator;
    if (place) {
      place.textContent = [news.slow ? words.slow.replace("{n}", news.slow) : "", news.links ? "" : words.links].filter(Boolean).join(" ");
      place.hidden = !place.textContent;
    }
    gate();
    panel();
  }

  /** Open or shut the box as the rules and the moderators have it; what was typed stays. */
  function gate() {
    if (!form) return;
    if (shut.muted > Date.now() && shut.muted < Infinity) setTimeout(gate, Math.min(shut.muted - Date.now() + 500, 2 ** 31 - 1));
    const why = shut.early ? form.querySelector("[data-chat-why]").textContent : shut.banned ? words.banned : shut.muted > Date.now() ? words.muted : shut.paused ? words.paused : "";
    tell(why);
    form.querySelector('[type="submit"]').disabled = Boolean(why);
  }

  /** A sentence in the box. */
  function tell(sentence) {
    const place = form?.querySelector("[data-chat-why]");
    if (!place) return;
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  function pin(line) {
    const place = root.querySelector("[data-chat-pin]");
    place.hidden = !line;
    place.querySelector("strong").textContent = line?.by.name ?? "";
    const link = place.querySelector("a");
    link.textContent = line?.text ?? "";
    link.href = `#line-${line?.seq ?? 0}`;
    link.dataset.jump = line?.seq ?? 0;
    panel();
  }

  function hands(up) {
    const place = root.querySelector("[data-chat-hands]");
    const mine = up.findIndex((one) => one.id === me) + 1;
    const button = root.querySelector('[data-act="hand"]');
    place.hidden = !up.length;
    place.querySelector("span").textContent = !moderator && mine ? words.place.replace("{n}", mine) : words.hands.replace("{names}", moderator ? up.map((one) => one.name).join(", ") : up.length);
    if (button) {
      button.setAttribute("aria-pressed", mine > 0);
      button.querySelector("span").textContent = mine ? words.lower : words.raise;
      button.form.elements.on.value = mine ? "" : "1";
    }
    panel();
  }

  /** The moderators' switches show what is so now, soon after somebody else changed it. */
  function panel() {
    if (!root.querySelector(".chat-panel[open] #chat-panel")) return;
    clearTimeout(panel.timer);
    panel.timer = setTimeout(() => window.htmx?.ajax("GET", `/admin/chat/rooms/${root.dataset.tickets.split("/")[3]}/panel`, { target: "#chat-panel", swap: "outerHTML" }), 300);
  }

  /** Somebody writes (a name), or does not any more. */
  function writes(id, name) {
    clearTimeout(writers.get(id)?.timer);
    writers.delete(id);
    if (name) writers.set(id, { name, timer: setTimeout(() => writes(id), 4000) });
    const first = writers.values().next().value;
    typing.textContent = first ? (writers.size > 1 ? words.typing_more : words.typing).replace("{name}", first.name) : "";
  }

  function show(count) { here.textContent = words.here.replace("{n}", count); }

  function refuse(news) {
    const mine = waiting.get(news.ref);
    if (mine && news.retry) { setTimeout(() => send(news.ref), 2000 + Math.random() * 2000); return; }
    if (!mine) { toast({ text: news.why, tone: "warning" }); return; }
    waiting.delete(news.ref);
    delete mine.node.dataset.waiting;
    mine.node.dataset.failed = "";
    mine.node.querySelector("time").textContent = words.failed;
    if (form && !form.elements.text.value) {
      form.elements.text.value = mine.text;
      form.elements.question.checked = mine.q;
      if (mine.re) answer(mine.re);
      mine.node.remove();
    }
    tell(news.why);
  }

  function send(ref) {
    const mine = waiting.get(ref);
    if (mine && isOpen()) ask({ k: "say", ref, text: mine.text, re: mine.re || undefined, q: mine.q || undefined });
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
    let reply;
    try {
      reply = await fetch(root.dataset.tickets, { method: "POST", headers: { "X-CSRFToken": token(), Accept: "application/json" }, credentials: "same-origin" });
    } catch { again(); return; }
    if (reply.status === 401 || reply.redirected) { say(words.signed_out); return; }
    if (reply.status === 403) { say(words.no_right); close(words.no_right); return; }
    if (!reply.ok) { again(); return; }
    const { url, ticket } = await reply.json();
    socket = new WebSocket(`${url}?after=${seq}`, ["lectern.1", `ticket.${ticket}`]);
    socket.addEventListener("message", (event) => { const news = JSON.parse(event.data); heard[news.k]?.(news); });
    socket.addEventListener("close", (event) => {
      socket = null;
      if (event.code === SIGNED_OUT) { say(words.signed_out); close(words.signed_out); } else if (event.code === NO_RIGHT) { say(words.no_right); close(words.no_right); } else again();
    });
  }

  /** Answer a message: its words stand above the box; 0 answers nobody. */
  function answer(number) {
    const place = form?.querySelector("[data-chat-replying]");
    if (!place) return;
    const item = number ? shown.node(number) : null;
    form.elements.reply.value = number || "";
    place.hidden = !item;
    place.querySelector("strong").textContent = item?.querySelector("strong").textContent ?? "";
    place.querySelector("span span").textContent = item?.querySelector(".chat-text").textContent.slice(0, 120) ?? "";
    if (item) form.elements.text.focus();
  }

  function jump(number, event) {
    const item = shown.node(number);
    if (!item) return;
    event.preventDefault();
    item.scrollIntoView({ block: "center" });
    item.setAttribute("data-found", "");
    setTimeout(() => item.removeAttribute("data-found"), 1600);
  }

  form?.addEventListener("submit", (event) => {
    const text = form.elements.text.value.trim();
    event.preventDefault();
    event.stopPropagation();
    if (!text) return;
    const ref = crypto.randomUUID ? crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
    const q = form.elements.question.checked;
    const re = Number(form.elements.reply.value) || 0;
    const item = shown.draw({ by: { id: me, name: root.dataset.name, role: "student" }, text, q, at: new Date().toISOString() });
    item.dataset.waiting = "";
    item.querySelector("time").textContent = words.sending;
    item.querySelector(".chat-acts").remove();
    waiting.set(ref, { text, re, q, node: item });
    list.append(item);
    empty.hidden = true;
    form.elements.text.value = "";
    form.elements.question.checked = false;
    answer(0);
    tell("");
    form.elements.text.focus();
    toEnd();
    send(ref);
  });
  form?.elements.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!form.querySelector('[type="submit"]').disabled) form.requestSubmit();
  });
  form?.elements.text.addEventListener("input", () => {
    if (isOpen() && Date.now() - told > 2500) { told = Date.now(); ask({ k: "typing" }); }
  });

  const acts = {
    reply: (number) => answer(number),
    unreply: () => answer(0),
    react: (number, item, act) => {
      const set = [...item.querySelectorAll(".chat-sign")].find((one) => one.dataset.sign === act.dataset.sign);
      ask({ k: "react", seq: number, sign: act.dataset.sign, on: set?.getAttribute("aria-pressed") !== "true" });
    },
    vote: (number, item, act) => ask({ k: "vote", seq: number, on: act.getAttribute("aria-pressed") !== "true" }),
    answered: (number, item, act) => ask({ k: "answered", seq: number, on: act.getAttribute("aria-pressed") !== "true" }),
    hand: (number, item, act) => ask({ k: "hand", on: act.getAttribute("aria-pressed") !== "true" }),
    mute: (number, item) => ask({ k: "mute", user: item.dataset.author, minutes: 10 }),
    ban: (number, item) => ask({ k: "ban", user: item.dataset.author }),
    unpin: () => ask({ k: "pin" }),
    pin: (number) => ask({ k: "pin", seq: number }),
    delete: (number) => ask({ k: "delete", seq: number }),
    flag: (number) => ask({ k: "flag", seq: number }),
  };
  const WITHOUT = ["reply", "unreply"]; // these need no socket
  root.addEventListener("click", (event) => {
    const link = event.target.closest("[data-jump]");
    if (link) { jump(link.dataset.jump, event); return; }
    const act = event.target.closest("[data-act]");
    if (!act || !(act.dataset.act in acts) || (!isOpen() && !WITHOUT.includes(act.dataset.act))) return;
    const item = act.closest("[data-seq], [data-asked-seq]");
    event.preventDefault();
    act.closest("details.menu")?.removeAttribute("open");
    acts[act.dataset.act](Number(item?.dataset.seq ?? item?.dataset.askedSeq ?? 0), item, act);
  });
  window.addEventListener("online", () => { if (!socket) { tries = 0; again(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !socket && !over) { tries = 0; again(); } });
  if (root.dataset.shut === "muted") shut.muted = Date.now() + 60000; // the socket says when it ends; the page looks again in a minute
  toEnd();
  open();
}
