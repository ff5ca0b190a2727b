// The studio: what camera, microphone and screen give is recorded here in takes, cut into numbered chunks, and kept until the platform confirms them.
const SLICE = 250; // milliseconds of a chunk
const PIECE = 60_000; // bytes of a message
const AHEAD = 512 * 1024; // bytes handed to the line at most
const TRIAL = 0xffffffff;
const TRIAL_BYTES = 6 * PIECE;
const LONGEST_WAIT = 8000;
const CODECS = ["video/x-matroska;codecs=avc1,opus", "video/webm;codecs=h264,opus", "video/mp4;codecs=avc1.42E01F,mp4a.40.2", "video/mp4;codecs=avc1,opus", "video/webm;codecs=vp8,opus", "video/webm"];
const STOPS = { 4401: "signed_out", 4403: "signed_out", 4409: "taken" };

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

function numbered(number, bytes) {
  const message = new Uint8Array(bytes.byteLength + 4);
  new DataView(message.buffer).setUint32(0, number);
  message.set(new Uint8Array(bytes), 4);
  return message;
}

/** One unbroken recording: its chunks stay in `chunks` (from number `first` on) until they are confirmed. */
class Take {
  constructor(mime) {
    this.id = crypto.randomUUID();
    this.mime = mime;
    this.began = performance.now();
    this.first = 0;
    this.chunks = [];
    this.isOver = false;
    this.order = Promise.resolve();
  }

  add(blob) {
    this.order = this.order.then(async () => {
      const whole = await blob.arrayBuffer();
      for (let at = 0; at < whole.byteLength; at += PIECE) this.chunks.push(whole.slice(at, at + PIECE));
    });
    return this.order;
  }

  confirm(next) { while (this.first < next && this.chunks.length) { this.chunks.shift(); this.first += 1; } }

  get waiting() { return this.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0); }
}

/** The line to the platform: it sends takes in their order, and begins again where it was after every break. */
class Line {
  constructor(tickets, tell) {
    this.tickets = tickets;
    this.tell = tell;
    this.takes = [];
    this.socket = null;
    this.next = -1; // the number to send next; -1 while the platform was not asked yet
    this.tries = 0;
    this.isStopped = false;
  }

  get waiting() { return this.takes.reduce((sum, take) => sum + take.waiting, 0); }
  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  put(take) { this.takes.push(take); if (this.takes.length === 1) this.begin(); }

  say(words) { if (this.isOpen) this.socket.send(JSON.stringify(words)); }

  begin() {
    const take = this.takes[0];
    this.next = -1;
    if (take) this.say({ k: "begin", take: take.id, mime: take.mime, age: Math.round(performance.now() - take.began) });
  }

  pump() {
    const take = this.takes[0];
    if (!take || this.next < 0 || !this.isOpen) return;
    while (this.next - take.first < take.chunks.length && this.socket.bufferedAmount < AHEAD) {
      this.socket.send(numbered(this.next, take.chunks[this.next - take.first]));
      this.next += 1;
    }
    if (take.isOver && !take.chunks.length && !take.isSaid) { take.isSaid = true; this.say({ k: "end" }); }
  }

  try() {
    this.tried = performance.now();
    for (let sent = 0; sent < TRIAL_BYTES; sent += PIECE) this.socket.send(numbered(TRIAL, new ArrayBuffer(PIECE)));
    this.say({ k: "tried" });
  }

  take(news) {
    const take = this.takes[0];
    if (news.k === "line") this.tell("line", (news.bytes * 8) / (performance.now() - this.tried) / 1000);
    else if (news.k === "go" && take) { take.confirm(news.next); take.isSaid = false; this.next = Math.max(news.next, take.first); this.tell("onair"); this.pump(); }
    else if (news.k === "ack" && take) { take.confirm(news.next); this.pump(); }
    else if (news.k === "ended") { this.takes.shift(); this.tell("ended"); this.begin(); }
    else if (news.k === "over") this.stop("over");
    else if (news.k === "no") { this.tell("no", news.why); if (news.rule === "state" || news.rule === "ended") this.stop("over"); }
  }

  stop(why) { this.isStopped = true; this.socket?.close(); this.tell("stopped", why); }

  later() {
    if (this.isStopped) return;
    this.tries += 1;
    setTimeout(() => this.open(), Math.random() * Math.min(LONGEST_WAIT, 300 * 2 ** Math.min(this.tries, 6)) + 100);
  }

  async open() {
    if (this.isStopped || this.socket) return;
    let answer;
    try {
      answer = await fetch(this.tickets, { method: "POST", headers: { "X-CSRFToken": token(), Accept: "application/json" }, credentials: "same-origin" });
    } catch { this.tell("broken"); this.later(); return; }
    if (answer.status === 401 || answer.redirected) { this.tell("signed_out"); this.later(); return; }
    if (answer.status === 403) { this.stop("over"); return; }
    if (!answer.ok) { this.tell("broken"); this.later(); return; }
    const { url, ticket } = await answer.json();
    const socket = new WebSocket(url, ["lectern.1", `ticket.${ticket}`]);
    this.socket = socket;
    socket.addEventListener("open", () => { this.tries = 0; if (this.takes.length) this.begin(); else { this.tell("open"); this.try(); } });
    socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (this.socket === socket) this.socket = null;
      if (STOPS[event.code] && event.code !== 4401) { this.stop(STOPS[event.code]); return; }
      if (!this.isStopped) { this.tell("broken"); this.later(); }
    });
  }
}

export default function studio(root) {
  const words = JSON.parse(root.dataset.words);
  const one = (name) => root.querySelector(`[data-act="${name}"]`);
  const video = root.querySelector("video");
  const status = root.querySelector("[data-line]");
  const lamp = root.querySelector("[data-lamp]");
  const clock = root.querySelector("[data-clock]");
  const meter = document.querySelector("[data-meter]");
  const [live, end, mute, share] = ["live", "end", "mute", "share"].map(one);
  const mime = typeof MediaRecorder === "undefined" ? "" : CODECS.find((name) => MediaRecorder.isTypeSupported(name)) ?? "";
  let camera = null; // camera and microphone
  let screen = null;
  let recorder = null;
  let since = 0;
  let isOver = false;

  const check = (name, good, text) => {
    const row = document.querySelector(`[data-check="${name}"]`);
    row.dataset.state = good === null ? "busy" : good ? "ok" : "bad";
    row.querySelector("[data-say]").textContent = text ?? words[good ? "ok" : "bad"];
  };
  const label = (button, text) => { button.querySelector("span").textContent = text; };

  const line = new Line(root.dataset.tickets, (what, value) => {
    if (what === "line") check("line", value > 1, (value > 1 ? words.fast : words.slow).replace("{n}", value.toFixed(1)));
    else if (what === "open") status.textContent = words.ready;
    else if (what === "onair") { status.textContent = words.onair; askForMoments(); }
    else if (what === "broken") { if (!recorder) check("line", false, words.noline); status.textContent = recorder ? words.broken : words.noline; }
    else if (what === "signed_out") status.textContent = words.signed_out;
    else if (what === "no") status.textContent = value;
    else if (what === "stopped") finish(words[value]);
    allow();
  });

  /** Moments can be marked once the platform has the class live; a slow line may say so late, a broken one again. */
  const askForMoments = () => { if (!document.querySelector("#moments input[name=title]")) window.htmx?.ajax("GET", root.dataset.moments, { target: "#moments", swap: "outerHTML" }); };
  const allow = () => { live.disabled = !camera || !mime || !line.isOpen || !!recorder || isOver; };

  async function look() {
    check("codec", !!mime, mime ? (/avc1|h264/.test(mime) ? words.hd : words.sd) : words.old);
    check("record", true, document.querySelector('[data-check="record"] [data-say]').textContent);
    try {
      await pick({});
    } catch (error) {
      check("camera", false, error.name === "NotAllowedError" ? words.denied : words.none);
      check("sound", false);
      return;
    }
    await list();
    allow();
  }

  async function pick({ video: cameraId, audio: microphoneId }) {
    const fresh = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, ...(cameraId ? { deviceId: { exact: cameraId } } : {}) },
      audio: { echoCancellation: true, noiseSuppression: true, ...(microphoneId ? { deviceId: { exact: microphoneId } } : {}) },
    });
    const muted = camera && !camera.getAudioTracks()[0]?.enabled;
    camera?.getTracks().forEach((track) => track.stop());
    camera = fresh;
    if (muted) camera.getAudioTracks().forEach((track) => { track.enabled = false; });
    check("camera", true);
    listen();
    show();
  }

  async function list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const select of document.querySelectorAll("[data-pick]")) {
      const kind = `${select.dataset.pick}input`;
      const used = camera?.getTracks().find((track) => track.kind === select.dataset.pick)?.getSettings().deviceId;
      select.replaceChildren(...devices.filter((device) => device.kind === kind).map((device, place) => new Option(device.label || `${place + 1}`, device.deviceId, false, device.deviceId === used)));
    }
  }

  let ears = null;
  function listen() {
    ears?.close();
    ears = new AudioContext();
    const analyser = ears.createAnalyser();
    analyser.fftSize = 512;
    ears.createMediaStreamSource(camera).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const mine = ears;
    let heard = false;
    check("sound", null, words.quiet);
    const tick = () => {
      if (mine !== ears || !root.isConnected) return;
      analyser.getFloatTimeDomainData(samples);
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      meter.value = Math.min(1, loud * 4);
      if (!heard && loud > 0.01) { heard = true; check("sound", true, words.loud); }
      setTimeout(tick, 120);
    };
    tick();
  }

  /** What students see now; a running class goes on in a new take, since a recorder keeps to the tracks it began with. */
  function show() {
    const picture = screen ?? camera;
    video.srcObject = picture;
    root.dataset.shows = screen ? "screen" : "camera";
    if (recorder) record();
  }

  function record() {
    const before = recorder;
    const tracks = [...(screen ?? camera).getVideoTracks(), ...camera.getAudioTracks()];
    const take = new Take(mime);
    const fresh = new MediaRecorder(new MediaStream(tracks), { mimeType: mime, videoBitsPerSecond: screen ? 2_500_000 : 1_800_000, audioBitsPerSecond: 96_000, videoKeyFrameIntervalDuration: 2000 });
    fresh.addEventListener("dataavailable", (event) => { if (event.data.size) take.add(event.data).then(() => line.pump()); });
    fresh.addEventListener("stop", () => take.order.then(() => { take.isOver = true; line.pump(); }));
    recorder = fresh;
    if (before && before.state !== "inactive") before.stop();
    take.began = performance.now();
    fresh.start(SLICE);
    line.put(take);
  }

  live.addEventListener("click", () => {
    if (recorder || live.disabled) return;
    since = performance.now();
    record();
    live.hidden = true;
    end.hidden = false;
    lamp.hidden = false;
    root.dataset.state = "live";
  });

  end.addEventListener("click", async () => {
    end.disabled = true;
    isOver = true;
    if (recorder?.state !== "inactive") recorder?.stop();
    const until = performance.now() + 15_000;
    while (line.takes.length && line.isOpen && performance.now() < until) await new Promise((done) => setTimeout(done, 100));
    line.isStopped = true;
    const answer = await fetch(root.dataset.end, { method: "POST", headers: { "X-CSRFToken": token() }, credentials: "same-origin", redirect: "manual" }).catch(() => null);
    if (answer === null || answer.status >= 400) { end.disabled = false; status.textContent = words.noline; line.isStopped = false; line.later(); return; }
    finish(words.over);
    location.assign(root.dataset.after);
  });

  mute.addEventListener("click", () => {
    const track = camera?.getAudioTracks()[0];
    if (!track) return;
    track.enabled = !track.enabled;
    mute.setAttribute("aria-pressed", String(!track.enabled));
    label(mute, track.enabled ? words.mute : words.unmute);
  });

  share.addEventListener("click", async () => {
    if (screen) { screen.getTracks().forEach((track) => track.stop()); screen = null; label(share, words.share); show(); return; }
    try { screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false }); } catch { return; }
    screen.getVideoTracks()[0].addEventListener("ended", () => { if (screen) share.click(); });
    label(share, words.unshare);
    show();
  });

  for (const select of document.querySelectorAll("[data-pick]")) {
    select.addEventListener("change", () => {
      const wanted = Object.fromEntries([...document.querySelectorAll("[data-pick]")].map((other) => [other.dataset.pick, other.value]));
      pick(wanted).catch(() => check("camera", false, words.none));
    });
  }

  function finish(text) {
    isOver = true;
    if (recorder && recorder.state !== "inactive") recorder.stop();
    camera?.getTracks().forEach((track) => track.stop());
    screen?.getTracks().forEach((track) => track.stop());
    lamp.hidden = true;
    end.hidden = true;
    status.textContent = text ?? words.over;
    allow();
  }

  setInterval(() => {
    if (!recorder || isOver) return;
    const seconds = Math.floor((performance.now() - since) / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const megabytes = line.waiting / 1e6;
    if (megabytes > 1.5) status.textContent = `${line.isOpen ? words.onair : words.broken} ${words.waiting.replace("{n}", megabytes.toFixed(1))}`;
    else if (line.isOpen && status.textContent.includes("MB")) status.textContent = words.onair;
    line.pump();
  }, 500);
  addEventListener("beforeunload", (event) => { if (recorder && !isOver) event.preventDefault(); });
  addEventListener("online", () => { line.tries = 0; line.open(); });
  look();
  line.open();
}
