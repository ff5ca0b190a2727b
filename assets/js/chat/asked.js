// The questions of a chat: open ones first, the most wanted before the others.
import { cast } from "./lines.js";

export function asked(root) {
  const box = root.querySelector(".chat-questions");
  const list = box.querySelector(".chat-asked-list");
  const me = root.dataset.me;
  const node = (seq) => list.querySelector(`[data-asked-seq="${Number(seq)}"]`);

  function sort() {
    const order = (one) => [Number("done" in one.dataset), -Number(one.dataset.votes), Number(one.dataset.askedSeq)];
    const items = [...list.children];
    const wanted = [...items].sort((a, b) => { const [x, y] = [order(a), order(b)]; return x[0] - y[0] || x[1] - y[1] || x[2] - y[2]; });
    if (wanted.some((one, place) => one !== items[place])) list.append(...wanted);
    box.querySelector("[data-chat-asked]").textContent = wanted.length;
    box.querySelector(".chat-none").hidden = wanted.length > 0;
  }

  function add(line) {
    if (!line.q || line.gone || node(line.seq)) return;
    const item = cast(root, "asked", line.by.id === me, line.seq, line.by.id);
    const link = item.querySelector(".chat-text a");
    item.dataset.askedSeq = line.seq;
    item.dataset.votes = 0;
    link.textContent = line.text;
    link.href = `#line-${line.seq}`;
    link.dataset.jump = line.seq;
    item.querySelector(".chat-head span").textContent = line.by.name;
    if (!list.children.length) box.open = true; // the first one shows where they stand
    list.append(item);
    sort();
  }

  function mark(seq, news) {
    const item = node(seq);
    if (!item) return;
    const button = item.querySelector(".chat-vote");
    if ("v" in news) { item.dataset.votes = news.v; button.querySelector("span").textContent = news.v; }
    if ("done" in news) {
      item.toggleAttribute("data-done", news.done);
      item.querySelector("[data-answered]").hidden = !news.done;
      item.querySelector('[data-act="answered"]')?.setAttribute("aria-pressed", news.done);
      button.disabled = news.done || "own" in item.dataset;
    }
    if ("answer" in news) {
      const answer = item.querySelector(".chat-answer");
      answer.textContent = news.answer;
      answer.hidden = !news.answer || !news.done;
    }
    sort();
  }

  function gone(seq) { if (node(seq)) { node(seq).remove(); sort(); } }

  function mine(seq, on) { node(seq)?.querySelector(".chat-vote").setAttribute("aria-pressed", on); }

  return { add, mark, gone, mine };
}
