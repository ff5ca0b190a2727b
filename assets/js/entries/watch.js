// Tells the server which ranges of a video were really played. Loaded by data-load on the element around the <video>.
//   data-url   where reports go            data-pass   the signed pass of this page
//   data-seconds  how often to report      data-stopped  a hidden element that says why when reports are refused
// While it plays that is all that is sent; a pause, a jump and a page that is hidden or left are told at once, so that another device goes
// on at the same second. This one also notes the second in localStorage, for a battery that dies without a word.
// A range grows only while the video plays on by itself; a jump ends it. What could not be sent waits in localStorage and goes out later,
// marked as late, so that it adds ranges but no time. A report also says how many bytes of the film came over the line. The server unites all reports, so sending one twice adds nothing.
const STORE = "watch-waiting";
const MOST_WAITING = 60;
const MOST_PARTS = 100;
const PLACE = "watch-place"; // {lesson's address: [second, when]}: where this device was
const SETTLED = 800; // milliseconds after a jump, in which another may follow
const JUMP = 0.75; // seconds a tick may run ahead of the clock before it counts as a jump

function read() {
  try { return JSON.parse(localStorage.getItem(STORE)) ?? []; } catch { return []; }
}

function write(list) {
  try {
    if (list.length) localStorage.setItem(STORE, JSON.stringify(list.slice(-MOST_WAITING)));
    else localStorage.removeItem(STORE);
  } catch { /* private windows may have no storage; memory has it still */ }
}

/** Put one report aside for later. */
const keep = (report) => write([...read().filter((one) => one.id !== report.id), { ...report, position: null, late: true }]);
const forget = (id) => write(read().filter((one) => one.id !== id));

/** POST one report; resolves to "taken", "refused" (with the problem) or "later". */
async function post(report) {
  const { id: _id, url, ...body } = report;
  try {
    const answer = await fetch(url, {
      method: "POST", keepalive: true, credentials: "same-origin", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" },
    });
    if (answer.ok) return { state: "taken", done: answer.headers.get("Lesson-State") === "done" };
    if (answer.status === 429 || answer.status >= 500) return { state: "later" };
    return { state: "refused", status: answer.status, problem: await answer.json().catch(() => ({})) };
  } catch {
    return { state: "later" };
  }
}

/** Note where this device is. */
function place(url, at) {
  try {
    const all = Object.entries(JSON.parse(localStorage.getItem(PLACE) ?? "{}")).filter(([known]) => known !== url);
    localStorage.setItem(PLACE, JSON.stringify(Object.fromEntries([...all.slice(-20), [url, [Math.round(at * 10) / 10, Date.now()]]])));
  } catch { /* private windows may have no storage; the server has it to half a minute */ }
}

/** Where this device was, when it was here less than a minute after the server last heard of it: the report of that moment did not go out. */
function left(url, known) {
  try {
    const [at, when] = JSON.parse(localStorage.getItem(PLACE) ?? "{}")[url] ?? [];
    return at > known && at - known < 70 && Date.now() - when < 86_400_000 ? at : known;
  } catch { return known; }
}

let replaying = false;
/** Send what waits from earlier pages and broken lines, oldest first; stops at the first that still cannot go. */
async function replay() {
  if (replaying) return;
  replaying = true;
  try {
    for (const report of read()) {
      const { state } = await post(report);
      if (state === "later") break;
      forget(report.id);
    }
  } finally { replaying = false; }
}

export default function watch(root) {
  const video = root.querySelector("video");
  if (!video) return;
  const seconds = Number(root.dataset.seconds || 20);
  let part = null; // the range being played: {from, to, rate}
  let ticked = 0; // when the last tick was, by the page's clock
  let parts = []; // finished ranges that were not sent yet
  let told = null; // the position last told
  let count = 0;
  let noted = 0; // when the place was last noted on this device
  let jumped = 0; // the timer of the last jump
  let done = root.dataset.done === "1";
  let stopped = false;
  let given = 0; // bytes of the film that came over the line since the last report, where the browser tells
  const meter = new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (one.name.includes("/content/watch/")) given += one.transferSize || 0;
  });
  meter.observe({ type: "resource", buffered: true });

  const resume = Number(video.dataset.resume || 0);
  const here = resume > 0 && !location.search.includes("t=") ? left(root.dataset.url, resume) : resume;
  if (here > resume) {
    video.dataset.resume = here;
    if (video.readyState && video.paused && video.currentTime <= resume + 1) video.currentTime = here; // the player went there before
  }

  const close = () => {
    if (part && part.to - part.from >= 0.05) parts.push(part);
    part = null;
  };
  const open = () => {
    part = { from: video.currentTime, to: video.currentTime, rate: Math.min(Math.max(video.playbackRate, 0.25), 2) };
    ticked = performance.now();
  };
  const tick = () => {
    if (video.seeking) return;
    if (!part) { if (!video.paused) open(); return; }
    const at = video.currentTime;
    const passed = ((performance.now() - ticked) / 1000) * video.playbackRate;
    if (at < part.to || at - part.to > passed + JUMP) { close(); if (!video.paused) open(); return; }
    part.to = at;
    ticked = performance.now();
    if (ticked - noted > 1000) { noted = ticked; place(root.dataset.url, at); }
  };

  const send = async (leaving = false) => {
    if (stopped) return;
    if (part) { const { to, rate } = part; close(); if (!video.paused) { part = { from: to, to, rate }; } }
    const position = video.readyState ? video.currentTime : null;
    if (!parts.length && (position === null || position === told)) return;
    const report = { id: `${root.dataset.pass.slice(-16)}-${Date.now()}-${count++}`, url: root.dataset.url, pass: root.dataset.pass, played: parts.splice(0, MOST_PARTS), position, late: false, given };
    told = position;
    given = 0;
    if (leaving && report.played.length) keep(report); // the page may be gone before the answer comes
    const answer = await post(report);
    if (answer.state === "later") { if (report.played.length) keep(report); return; }
    forget(report.id);
    if (answer.state === "refused") { stop(answer); return; }
    if (answer.done && !done) { done = true; document.body.dispatchEvent(new CustomEvent("lesson-done", { bubbles: true })); }
    if (!leaving) replay();
  };

  const stop = ({ problem }) => {
    stopped = true;
    video.pause();
    const note = root.querySelector("[data-stopped]");
    if (!note) return;
    if (problem?.title) note.querySelector("p").textContent = problem.title;
    note.hidden = false;
  };

  const on = (names, act) => { for (const name of names.split(" ")) video.addEventListener(name, act); };
  on("timeupdate", tick);
  on("play playing", () => { if (!part && !video.seeking) open(); });
  on("seeked", () => {
    if (!part && !video.paused) open();
    clearTimeout(jumped);
    jumped = setTimeout(() => { if (root.isConnected) { tick(); place(root.dataset.url, video.currentTime); send(); } }, SETTLED);
  });
  on("seeking emptied", close); // the end is where the last tick was, not where the jump goes
  on("waiting stalled", () => { ticked = performance.now(); });
  on("ratechange", () => { if (!part) return; tick(); close(); open(); });
  on("pause", () => { tick(); close(); send(); });
  on("ended", () => { if (part && video.duration - part.to < 1) part.to = video.duration; close(); send(); });

  const clock = setInterval(() => {
    if (!root.isConnected) { clearInterval(clock); meter.disconnect(); return; }
    if (!video.paused) { tick(); send(); }
  }, seconds * 1000);
  document.addEventListener("visibilitychange", () => { if (document.hidden) { tick(); send(true); } });
  addEventListener("pagehide", () => { tick(); send(true); });
  addEventListener("online", () => { send(); replay(); });
  replay();
}
