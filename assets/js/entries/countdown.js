// What is left until something, counted from the server's word by the page's own clock: a wrong clock of the reader changes nothing.
const units = (seconds) => {
  const [days, hours, minutes, rest] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (days) return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "day", unitDisplay: "long" }).format(days);
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

export default function countdown(root) {
  const end = performance.now() + Number(root.dataset.seconds) * 1000;
  const tick = () => {
    if (!root.isConnected) { clearInterval(timer); return; }
    const left = Math.max(0, (end - performance.now()) / 1000);
    root.textContent = units(left);
    if (left > 0) return;
    clearInterval(timer);
    setTimeout(() => document.body.dispatchEvent(new CustomEvent("countdown:over")), Math.random() * 3000); // a whole class does not ask in the same second
  };
  const timer = setInterval(tick, 1000);
  tick();
}
