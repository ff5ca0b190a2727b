// Uploads in parts, straight to storage: three parts at a time, tries again after a lost line, goes on after a reload.
// On a [data-upload] drop zone: data-upload (start address), data-kind, data-field (hidden input), data-list (rows), data-words, data-icons.
// Tells of it with "lectern:uploading", "lectern:uploaded" and "lectern:upload-failed" events, detail {assetId, name, statusUrl, assetUrl}.
const PARALLEL = 3;
const PATIENCE = 30_000;
const KEPT = "lectern:upload:";
const lang = document.documentElement.lang || undefined;
const active = new Set();

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const online = () => (navigator.onLine ? Promise.resolve() : new Promise((resolve) => addEventListener("online", resolve, { once: true })));
const unit = (value, name) => new Intl.NumberFormat(lang, { style: "unit", unit: name, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
const bytes = (n) => (n < 1e6 ? unit(n / 1e3, "kilobyte") : n < 1e9 ? unit(n / 1e6, "megabyte") : unit(n / 1e9, "gigabyte"));
const time = (s) => (s < 90 ? unit(Math.max(1, Math.round(s)), "second") : s < 5400 ? unit(Math.round(s / 60), "minute") : unit(s / 3600, "hour"));

/** What tells this file from others, before and after a reload: name, size, date, and its first and last bytes. */
async function fingerprint(file, kind) {
  let content = "";
  if (globalThis.crypto?.subtle) {
    const ends = new Blob([file.slice(0, 65_536), file.slice(Math.max(0, file.size - 65_536))]);
    const hash = await crypto.subtle.digest("SHA-256", await ends.arrayBuffer());
    content = Array.from(new Uint8Array(hash, 0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return `${KEPT}${kind}|${file.name}|${file.size}|${file.lastModified}|${content}`;
}

/** localStorage, where there is one. */
const kept = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden: no resume after a reload */ } },
  drop(key) { try { localStorage.removeItem(key); } catch { /* as above */ } },
};

/** The same file is here already. */
class Twin extends Error {
  constructor(twin) { super(twin.name); this.twin = twin; }
}

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

/** Ask our own server; what it refuses for good is thrown as Refused with its sentence, the rest is tried again. */
async function ask(url, body, signal) {
  for (let wait = 1000; ; wait = Math.min(wait * 2, PATIENCE)) {
    signal?.throwIfAborted();
    await online();
    let answer = null;
    try {
      answer = await fetch(url, {
        method: "POST", signal, credentials: "same-origin", body: JSON.stringify(body ?? {}),
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" },
      });
    } catch (error) { if (error.name === "AbortError") throw error; }
    if (answer?.ok) return answer.status === 204 ? null : answer.json();
    if (answer && answer.status < 500 && answer.status !== 408 && answer.status !== 429) {
      const problem = await answer.json().catch(() => ({}));
      throw new Refused(answer.status, problem.title ?? answer.statusText);
    }
    await sleep(wait);
  }
}

/** Send one part; resolves with the status, 0 when the line broke. */
function put(url, blob, signal, heard) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => { request.abort(); reject(new DOMException("stopped", "AbortError")); };
    if (signal.aborted) { stop(); return; }
    signal.addEventListener("abort", stop, { once: true });
    const end = (status) => { signal.removeEventListener("abort", stop); resolve(status); };
    request.open("PUT", url);
    request.timeout = 600_000;
    request.upload.addEventListener("progress", (event) => heard(event.loaded));
    request.addEventListener("load", () => end(request.status));
    for (const name of ["error", "timeout"]) request.addEventListener(name, () => end(0));
    request.send(blob);
  });
}

/** The row of one file: made once, then only its words and bar change. */
class Row {
  constructor(zone, name, buttons) {
    this.zone = zone;
    this.words = JSON.parse(zone.dataset.words || "{}");
    this.root = document.createElement("div");
    this.root.className = "upload";
    this.icon = this.svg("file");
    const title = Object.assign(document.createElement("span"), { className: "truncate-1", textContent: name });
    this.end = Object.assign(document.createElement("span"), { className: "row" });
    this.note = Object.assign(document.createElement("span"), { className: "muted num" });
    this.end.append(this.note);
    this.buttons = Object.fromEntries(Object.entries(buttons).map(([key, [icon, act]]) => [key, this.button(key, icon, act, name)]));
    const bar = Object.assign(document.createElement("span"), { className: "bar" });
    this.bar = Object.assign(document.createElement("progress"), { max: 100 });
    this.bar.setAttribute("aria-label", name);
    bar.append(this.bar);
    this.root.append(this.icon, title, this.end, bar);
    document.getElementById(zone.dataset.list)?.append(this.root);
  }

  svg(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${this.zone.dataset.icons}#${name}`);
    svg.append(use);
    return svg;
  }

  button(key, icon, act, name) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", title: this.words[key] ?? key });
    Object.assign(button.dataset, { variant: "ghost", size: "icon-xs" });
    button.setAttribute("aria-label", `${this.words[key] ?? key}: ${name}`);
    button.append(this.svg(icon));
    button.addEventListener("click", act);
    this.end.append(button);
    return button;
  }

  show(state, note, shown) {
    this.root.dataset.state = state;
    this.note.textContent = note;
    for (const [key, button] of Object.entries(this.buttons)) button.hidden = !shown.includes(key);
    this.bar.parentElement.hidden = state === "failed";
    this.icon.firstChild.setAttribute("href", `${this.zone.dataset.icons}#${{ failed: "circle-alert", done: "circle-check" }[state] ?? "file"}`);
  }
}

/** One file on its way. */
class Upload {
  constructor(zone, file) {
    Object.assign(this, { zone, file, kind: zone.dataset.kind ?? "", done: 0, flying: new Map(), marks: [], stopper: new AbortController() });
    this.row = new Row(zone, file.name, {
      pause: ["pause", () => this.pause()], resume: ["play", () => this.run()], again: ["refresh-cw", () => this.run()], cancel: ["x", () => this.cancel()],
      use: ["check", () => this.use()], send: ["upload", () => { this.again = true; this.run(); }],
    });
    this.row.show("waiting", this.row.words.waiting ?? "", ["cancel"]);
  }

  tell(name) {
    const detail = { assetId: this.state?.asset_id, name: this.file.name, kind: this.kind, statusUrl: this.state?.status_url, assetUrl: this.state?.asset_url, row: this.row.root };
    this.zone.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  async run() {
    if (this.cancelled) return;
    active.add(this);
    this.stopper = new AbortController();
    this.marks = [];
    try {
      this.row.show("sending", this.row.words.reading ?? "", ["pause", "cancel"]);
      await this.begin();
      this.tell("lectern:uploading");
      do {
        await this.sendParts();
        await this.look();
      } while (this.state.missing);
      this.row.bar.removeAttribute("value");
      await ask(this.state.complete_url, {}, this.stopper.signal);
      this.finish();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error instanceof Twin) { this.twin = error.twin; this.row.show("waiting", (this.row.words.twin ?? "").replace("{name}", error.twin.name), ["use", "send", "cancel"]); return; }
      if (error.status === 404 || error.status === 409) kept.drop(this.key);
      this.row.show("failed", error.message || this.row.words.failed, ["again", "cancel"]);
      this.tell("lectern:upload-failed");
    } finally {
      active.delete(this);
    }
  }

  /** Take the upload up where an earlier visit left it, or begin a new one. */
  async begin() {
    this.key ??= await fingerprint(this.file, this.kind);
    const before = kept.get(this.key);
    if (before) {
      try { return this.take(await ask(before.url, {}, this.stopper.signal)); } catch (error) {
        if (!(error instanceof Refused)) throw error;
        kept.drop(this.key);
      }
    }
    const mark = this.key.split("|").at(-1);
    const begun = await ask(this.zone.dataset.upload, { filename: this.file.name, size: this.file.size, kind: this.kind, mark, again: Boolean(this.again) }, this.stopper.signal);
    if (begun.twin) throw new Twin(begun.twin);
    this.take(begun);
    kept.set(this.key, { url: this.state.upload_url, cancel: this.state.cancel_url, name: this.file.name, field: this.zone.dataset.field, at: Date.now() });
  }

  take(state) {
    this.state = state;
    this.queue = [...state.parts];
    this.done = state.received.reduce((sum, number) => sum + Math.min(state.part_size, state.size - (number - 1) * state.part_size), 0);
  }

  /** What the server holds now, with fresh addresses for the rest. */
  async look() { this.take(await ask(this.state.upload_url, {}, this.stopper.signal)); }

  async sendParts() { await Promise.all(Array.from({ length: PARALLEL }, () => this.work())); }

  async work() {
    for (let part = this.queue.shift(); part; part = this.queue.shift()) {
      const start = (part.number - 1) * this.state.part_size;
      for (let wait = 500; ; wait = Math.min(wait * 2, PATIENCE)) {
        await online();
        const status = await put(part.url, this.file.slice(start, start + part.size), this.stopper.signal, (loaded) => { this.flying.set(part.number, loaded); this.draw(); });
        this.flying.delete(part.number);
        if (status >= 200 && status < 300) { this.refusals = 0; this.done += part.size; this.draw(); break; }
        if (status >= 400 && status < 500 && status !== 408 && status !== 429) { // an old address: look() brings new ones, or says why not
          this.refusals = (this.refusals ?? 0) + 1;
          if (this.refusals > 12) throw new Refused(status, this.row.words.failed);
          this.queue = [];
          return;
        }
        this.row.show("waiting", this.row.words.offline ?? "", ["pause", "cancel"]);
        await Promise.race([sleep(wait + Math.random() * 500), new Promise((_, no) => this.stopper.signal.addEventListener("abort", () => no(new DOMException("", "AbortError")), { once: true }))]);
      }
    }
  }

  draw() {
    const sent = this.done + [...this.flying.values()].reduce((a, b) => a + b, 0);
    const moment = performance.now();
    this.marks.push([moment, sent]);
    while (this.marks.length > 2 && moment - this.marks[0][0] > 10_000) this.marks.shift();
    if (moment - (this.drawn ?? 0) < 250) return;
    this.drawn = moment;
    const speed = ((sent - this.marks[0][1]) / Math.max(1, moment - this.marks[0][0])) * 1000;
    const left = speed > 0 ? ` · ${(this.row.words.left ?? "{time}").replace("{time}", time((this.file.size - sent) / speed))}` : "";
    this.row.bar.value = (sent / this.file.size) * 100;
    this.row.show("sending", `${Math.floor((sent / this.file.size) * 100)} % · ${bytes(speed)}/s${left}`, ["pause", "cancel"]);
  }

  finish() {
    kept.drop(this.key);
    const field = document.getElementById(this.zone.dataset.field);
    if (field) { field.value = this.state.asset_id; field.dispatchEvent(new Event("change", { bubbles: true })); }
    this.row.bar.value = 100;
    this.row.show("done", this.row.words.checking ?? "", []);
    const status = document.createElement("div");
    for (const [name, value] of Object.entries({ "hx-get": this.state.status_url, "hx-trigger": "load", "hx-swap": "outerHTML" })) status.setAttribute(name, value);
    this.row.root.after(status);
    globalThis.htmx?.process(status);
    this.tell("lectern:uploaded");
  }

  /** Take the file that is here already. */
  use() {
    this.state = { asset_id: this.twin.asset_id, status_url: this.twin.status_url, asset_url: this.twin.asset_url };
    this.finish();
  }

  pause() {
    this.stopper.abort();
    this.flying.clear();
    this.row.show("waiting", this.row.words.paused ?? "", ["resume", "cancel"]);
  }

  cancel() {
    this.cancelled = true;
    this.stopper.abort();
    active.delete(this);
    if (this.key) kept.drop(this.key);
    if (this.state) ask(this.state.cancel_url).catch(() => {});
    this.row.root.remove();
  }
}

/** Rows for what an earlier visit left unfinished here. */
function showUnfinished(zone) {
  for (const key of Object.keys(globalThis.localStorage ?? {}).filter((name) => name.startsWith(`${KEPT}${zone.dataset.kind ?? ""}|`))) {
    const before = kept.get(key);
    if (!before || before.field !== zone.dataset.field) continue;
    if (Date.now() - before.at > 7 * 86_400_000) { kept.drop(key); continue; }
    const row = new Row(zone, before.name, { cancel: ["x", () => { kept.drop(key); ask(before.cancel).catch(() => {}); row.root.remove(); }] });
    row.show("waiting", (row.words.unfinished ?? "").replace("{name}", before.name), ["cancel"]);
    zone.addEventListener("lectern:uploading", (event) => { if (event.detail.name === before.name) row.root.remove(); });
  }
}

addEventListener("beforeunload", (event) => { if (active.size) event.preventDefault(); });

/** Every file that was dropped, folders opened, in the order people count: 2 before 10. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      if (!entry.name.startsWith(".")) found.push([`${path}${entry.name}`, await new Promise((resolve, reject) => entry.file(resolve, reject))]);
      return;
    }
    const reader = entry.createReader();
    for (let batch = await read(reader); batch.length; batch = await read(reader)) for (const inner of batch) await walk(inner, `${path}${entry.name}/`);
  };
  const read = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (const entry of entries) await walk(entry, "");
  const order = new Intl.Collator(lang, { numeric: true, sensitivity: "base" });
  return found.sort(([a], [b]) => order.compare(a, b)).map(([, file]) => file);
}

export default function upload(zone) {
  const input = zone.querySelector('input[type="file"]');
  let line = Promise.resolve();
  const take = async (files) => {
    const wanted = [...files];
    const question = new CustomEvent("lectern:dropped", { bubbles: true, cancelable: true, detail: { files: wanted, go: (chosen) => send(chosen) } });
    if (zone.dispatchEvent(question)) send(wanted);
  };
  const send = (files) => {
    for (const file of files) {
      const one = new Upload(zone, file);
      line = line.then(() => one.run());
    }
  };
  const chosen = () => { if (input.files.length) { take(input.files); input.value = ""; } };
  input.addEventListener("change", chosen);
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.dataset.over = ""; });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, (event) => { event.preventDefault(); delete zone.dataset.over; });
  zone.addEventListener("drop", async (event) => {
    const files = input.multiple ? await dropped(event.dataTransfer) : [...event.dataTransfer.files].slice(0, 1);
    take(files);
  });
  showUnfinished(zone);
  chosen(); // on a slow line a file may be chosen before this script is here
}
