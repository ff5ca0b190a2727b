// The video player: Plyr over the native element, hls.js only where the browser cannot play HLS itself. Loaded by data-load on the <video>.
import Hls from "hls.js/dist/hls.min.mjs";
import Plyr from "plyr";

const HLS = "application/vnd.apple.mpegurl";

let beaten = 0;

/** Ask to go on playing, so that the server checks the right again and renews the grant behind the addresses: by data-renew, else by the page itself. */
function beat(video) {
  beaten = Date.now();
  const headers = { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "" };
  const asked = video.dataset.renew ? fetch(video.dataset.renew, { method: "POST", headers }) : fetch(location.href, { headers: { Accept: "text/html" } });
  return asked.catch(() => {});
}

/** Attach the stream to the element; falls back to the <source> the server named (MP4) when HLS fails for good. */
function attach(video, hls) {
  if (!hls) return null;
  if (Hls.isSupported()) {
    const stream = new Hls({ enableWorker: true, capLevelToPlayerSize: true, maxBufferLength: 30 });
    stream.on(Hls.Events.ERROR, (_event, data) => {
      if (!data.fatal) return;
      if (data.response?.code === 403 && Date.now() - beaten > 20_000) { beat(video).then(() => stream.startLoad()); return; } // the grant slept too long
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) { stream.recoverMediaError(); return; }
      stream.destroy();
      if (video.dataset.fallback) video.src = video.dataset.fallback;
    });
    stream.loadSource(hls);
    stream.attachMedia(video);
    return stream;
  }
  video.src = video.canPlayType(HLS) ? hls : (video.dataset.fallback ?? hls);
  return null;
}

export default function player(video) {
  const [wasPlaying, reached] = [!video.paused, video.currentTime]; // the plain file may have begun before this bundle arrived
  const stream = attach(video, video.dataset.hls);
  if (stream && wasPlaying) video.addEventListener("loadedmetadata", () => { video.currentTime = reached; video.play().catch(() => {}); }, { once: true });
  const words = video.dataset.words ? JSON.parse(video.dataset.words) : {};
  const plyr = new Plyr(video, {
    iconUrl: video.dataset.icons, blankVideo: video.dataset.blank ?? "", loadSprite: true, i18n: words, storage: { enabled: true, key: "player" },
    controls: ["play-large", "play", "progress", "current-time", "duration", "mute", "volume", "captions", "settings", "pip", "airplay", "fullscreen"],
    settings: ["captions", "quality", "speed"], speed: { selected: 1, options: [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] }, keyboard: { focused: true, global: false },
    tooltips: { controls: false, seek: true }, captions: { active: true, update: true }, seekTime: 10,
  });
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
  video.dispatchEvent(new CustomEvent("player:ready", { bubbles: true, detail: { plyr, stream } }));
  return plyr;
}
