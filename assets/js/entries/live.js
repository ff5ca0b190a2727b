// The picture of a running class: hls.js near the live edge; patient until there is one, and back by itself after a break.
import Hls from "hls.js/dist/hls.light.min.mjs";

const HLS = "application/vnd.apple.mpegurl";

export default function live(root) {
  const video = root.querySelector("video");
  const note = root.querySelector("[data-waiting]");
  const sound = root.querySelector("[data-sound]");
  let stream = null;
  let timer = 0;

  const seen = () => { note.hidden = true; sound.hidden = !video.muted; };
  const again = (wait = 1500) => {
    clearTimeout(timer);
    if (!root.isConnected) return;
    note.hidden = false;
    timer = setTimeout(open, wait + Math.random() * 500);
  };

  function open() {
    stream?.destroy();
    stream = null;
    if (!root.isConnected) return;
    if (!Hls.isSupported()) {
      video.src = video.canPlayType(HLS) ? root.dataset.stream : "";
      video.play().catch(() => {});
      return;
    }
    stream = new Hls({ enableWorker: true, liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 6, maxLiveSyncPlaybackRate: 1.15, maxBufferLength: 12, backBufferLength: 20, manifestLoadingMaxRetry: 0, levelLoadingMaxRetry: 4 });
    stream.on(Hls.Events.ERROR, (_event, data) => {
      if (!data.fatal) return;
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) { stream.recoverMediaError(); return; }
      again(data.response?.code === 403 ? 10_000 : 800);
    });
    stream.on(Hls.Events.MANIFEST_PARSED, () => video.play().catch(() => {}));
    stream.loadSource(root.dataset.stream);
    stream.attachMedia(video);
  }

  video.addEventListener("playing", seen);
  video.addEventListener("volumechange", () => { sound.hidden = !video.muted; });
  video.addEventListener("error", () => { if (!stream) again(); });
  sound.addEventListener("click", () => { video.muted = false; video.play().catch(() => {}); });
  open();
}
