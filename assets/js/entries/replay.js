// The chat of a recorded class beside its video: each line appears at its second, and a time leads to its place.
export default function replay(root) {
  const video = () => document.querySelector("#lesson video");
  const log = root.querySelector(".replay-log");
  const follow = root.querySelector("[data-follow]");
  const box = follow?.querySelector("input");

  root.addEventListener("click", (event) => {
    const place = event.target.closest("[data-seek]");
    const picture = video();
    if (!place || !picture) return;
    picture.currentTime = Number(place.dataset.seek);
    picture.play().catch(() => {});
    picture.scrollIntoView({ block: "nearest" });
  });
  if (!log || !follow) return;

  let shown = -1;
  const show = (all = false) => {
    const picture = video();
    const second = all || !box.checked || !picture ? Infinity : picture.currentTime;
    let count = 0;
    for (const line of log.querySelectorAll("[data-at]")) {
      line.hidden = Number(line.dataset.at) > second;
      if (!line.hidden) count += 1;
    }
    if (count !== shown && second !== Infinity) log.scrollTop = log.scrollHeight;
    shown = count;
  };
  const listen = () => {
    const picture = video();
    if (!picture) return;
    follow.hidden = false;
    for (const name of ["timeupdate", "seeked"]) picture.addEventListener(name, () => show());
    show();
  };
  box.addEventListener("change", () => show());
  root.addEventListener("htmx:afterSettle", () => show());
  listen();
}
