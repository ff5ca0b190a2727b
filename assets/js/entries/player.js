// The video player: Plyr over the native element, hls.js only where the browser cannot play HLS itself. Loaded by data-load on the <video>.
//   data-hls  data-fallback (MP4)  data-sound (the sound alone)  data-storyboard (WebVTT of pictures)  data-chapters ([[seconds, title]])
// Links to "?t=12.5" anywhere on the page jump there; [data-mode] buttons beside it save data or leave the pictures out.
import Hls from "hls.js/dist/hls.min.mjs";
import Plyr from "plyr";

const HLS = "application/vnd.apple.mpegurl";
const SAVER = "player-saver";

let beaten = 0;

/** Ask to go on playing, so that the server checks the right again and renews the grant behind the addresses: by data-renew, else by the page itself. */
function beat(video) {
  beaten = Date.now();
  const headers = { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" };
  const asked = video.dataset.renew ? fetch(video.dataset.renew, { method: "POST", headers }) : fetch(location.href, { headers: { Accept: "text/html" } });
  return asked.catch(() => {});
}

/** What somebody chose on an earlier page; private windows may have no storage. */
const remembered = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* as above */ } },
};

/** Attach the stream to the element, resolved once its sizes are known; falls back to the <source> the server named (MP4) when HLS fails for good. */
async function attach(video, hls) {
  if (!hls) return null;
  if (!Hls.isSupported()) { video.src = video.canPlayType(HLS) ? hls : (video.dataset.fallback ?? hls); return null; }
  const stream = new Hls({ enableWorker: true, capLevelToPlayerSize: true, maxBufferLength: 30 });
  const known = new Promise((resolve) => { stream.once(Hls.Events.MANIFEST_PARSED, resolve); stream.once(Hls.Events.DESTROYING, resolve); });
  stream.on(Hls.Events.ERROR, (_event, data) => {
    if (!data.fatal) return;
    if (data.response?.code === 403 && Date.now() - beaten > 20_000) { beat(video).then(() => stream.startLoad()); return; } // the grant slept too long
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) { stream.recoverMediaError(); return; }
    stream.destroy();
    if (video.dataset.fallback) video.src = video.dataset.fallback;
  });
  stream.loadSource(hls);
  stream.attachMedia(video);
  await known;
  return stream;
}

const sideOf = (level) => Math.min(level.width || level.height, level.height);

/** The sizes somebody may choose by hand: automatic first. */
function qualities(stream) {
  const sides = [...new Set((stream?.levels ?? []).map(sideOf))].sort((a, b) => b - a);
  return { default: 0, options: [0, ...sides], forced: true, onChange: (side) => { stream.nextLevel = side ? stream.levels.findIndex((level) => sideOf(level) === side) : -1; } };
}

/** Change what the element plays, going on at the same place. */
function swap(video, change) {
  const [at, paused, rate] = [video.currentTime, video.paused, video.playbackRate];
  video.addEventListener("loadedmetadata", () => {
    video.currentTime = at;
    video.playbackRate = rate;
    if (!paused) video.play().catch(() => {});
  }, { once: true });
  change(at);
}

/** The buttons that save data or leave the pictures out. */
function modes(video, stream, box) {
  if (!box) return;
  const saver = box.querySelector('[data-mode="saver"]');
  const sound = box.querySelector('[data-mode="sound"]');
  const save = (on) => {
    saver.setAttribute("aria-pressed", String(on));
    stream.autoLevelCapping = on ? 0 : -1;
    stream.config.maxBufferLength = on ? 10 : 30;
  };
  if (stream) {
    const chosen = remembered.get(SAVER);
    save(chosen ? chosen === "1" : Boolean(navigator.connection?.saveData));
    saver.addEventListener("click", () => { const on = saver.getAttribute("aria-pressed") !== "true"; remembered.set(SAVER, on ? "1" : "0"); save(on); });
  } else { saver.hidden = true; }
  sound?.addEventListener("click", () => {
    const on = sound.getAttribute("aria-pressed") !== "true";
    sound.setAttribute("aria-pressed", String(on));
    swap(video, (at) => {
      if (on) { if (stream) { stream.stopLoad(); stream.detachMedia(); } video.src = video.dataset.sound; return; }
      if (!stream) { video.src = video.dataset.hls; return; }
      video.removeAttribute("src");
      stream.attachMedia(video);
      stream.startLoad(at);
    });
  });
  box.hidden = !stream && !sound;
}

/** Links to a moment jump there instead of loading the page anew. */
function jumps(video, plyr) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href*="?t="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const url = new URL(link.href);
    if (url.pathname !== location.pathname || !video.isConnected) return;
    event.preventDefault();
    plyr.currentTime = Number(url.searchParams.get("t"));
    plyr.play();
    video.closest(".video")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
}

export default async function player(video) {
  const stream = await attach(video, video.dataset.hls).then((made) => {
    const [wasPlaying, reached] = [!video.paused, video.currentTime]; // the plain file may have begun before this bundle arrived
    if (made && wasPlaying) video.addEventListener("loadedmetadata", () => { video.currentTime = reached; video.play().catch(() => {}); }, { once: true });
    return made;
  });
  const words = JSON.parse(video.dataset.words || "{}");
  const chapters = JSON.parse(video.dataset.chapters || "[]");
  const sizes = stream?.levels?.length > 1 ? qualities(stream) : undefined;
  const plyr = new Plyr(video, {
    iconUrl: video.dataset.icons, blankVideo: video.dataset.blank ?? "", loadSprite: true, storage: { enabled: true, key: "player" },
    i18n: { ...words, qualityLabel: { 0: words.auto ?? "Auto" } }, ...(sizes ? { quality: sizes } : {}),
    controls: ["play-large", "play", "progress", "current-time", "duration", "mute", "volume", "captions", "settings", "pip", "airplay", "fullscreen"]
      .filter((name) => video.clientWidth > 480 || !["volume", "duration"].includes(name)), // no room for them on a phone
    settings: ["captions", "quality", "speed"], speed: { selected: 1, options: [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] },
    keyboard: { focused: true, global: document.querySelectorAll("[data-player]").length === 1 },
    tooltips: { controls: false, seek: true }, captions: { active: Boolean(video.querySelector("track[default]")), language: "auto", update: true }, seekTime: 10,
    previewThumbnails: { enabled: Boolean(video.dataset.storyboard), src: video.dataset.storyboard ?? "" },
    markers: { enabled: chapters.length > 0, points: chapters.map(([time, label]) => ({ time, label })) },
  });
  const mark = plyr.elements.container?.parentElement?.querySelector(".video-mark");
  if (mark) plyr.elements.container.append(mark); // over the picture in full screen too
  if (video.dataset.renew) setInterval(() => beat(video), 60_000);
  video.addEventListener("error", () => { // the plain file: go on at the same place once the right is checked again
    if (stream || Date.now() - beaten < 20_000) return;
    const at = video.currentTime;
    beat(video).then(() => { video.load(); video.currentTime = at; });
  });
  const resume = Number(video.dataset.resume || 0);
  const goOn = () => { if (resume < video.duration - 5) video.currentTime = resume; };
  if (resume > 0 && video.readyState >= 1) goOn(); // a video in the cache is there before this script
  else if (resume > 0) video.addEventListener("loadedmetadata", goOn, { once: true });
  const frame = document.getElementById("player");
  modes(video, stream, frame?.querySelector("[data-player-modes]"));
  jumps(video, plyr);
  video.addEventListener("ended", () => document.querySelector("[data-when-ended]")?.removeAttribute("hidden"));
  document.addEventListener("focusin", (event) => { // a note begins at the moment that is on the screen
    const field = event.target.matches?.("[data-note]") ? event.target.form?.elements.at : null;
    if (field && !field.value && video.currentTime > 1) field.value = `${Math.floor(video.currentTime / 60)}:${String(Math.floor(video.currentTime % 60)).padStart(2, "0")}`;
  });
  video.dispatchEvent(new CustomEvent("player:ready", { bubbles: true, detail: { plyr, stream } }));
  return plyr;
}
