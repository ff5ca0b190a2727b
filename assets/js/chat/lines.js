// Lines of a chat: drawn from the page's own moulds, marked, quoted, taken away.
function initials(name) {
  const parts = name.split(/\s+/).filter(Boolean);
  return parts.length ? (parts[0][0] + (parts.length > 1 ? parts.at(-1)[0] : "")).toUpperCase() : "?";
}

function tone(name) { // the same as ui/avatar.html
  let sum = BigInt([...name].length);
  for (const letter of name.toLowerCase()) sum = sum * 7n + BigInt("abcdefghijklmnopqrstuvwxyz".indexOf(letter) + 1);
  return Number(sum % 6n);
}

/** A copy of a mould whose addresses and fields name this message and its author. */
export function cast(root, kind, mine, seq, author) {
  const item = root.querySelector(`[data-${kind}-mould="${mine ? "own" : "other"}"]`).content.firstElementChild.cloneNode(true);
  for (const one of item.querySelectorAll("form, a")) {
    const name = one.tagName === "FORM" ? "action" : "href";
    one.setAttribute(name, one.getAttribute(name).replace(/\/(messages|questions)\/0(\/|$)/, `/$1/${seq}$2`).replace("reply=0", `reply=${seq}`));
  }
  for (const field of item.querySelectorAll('[name="seq"]')) field.value = seq;
  for (const field of item.querySelectorAll('[name="user_id"]')) field.value = author;
  return item;
}

export function lines(root, words) {
  const list = root.querySelector(".chat-lines");
  const me = root.dataset.me;
  const node = (seq) => list.querySelector(`[data-seq="${Number(seq)}"]`);

  function draw(line) {
    const item = cast(root, "chat", line.by.id === me, line.seq ?? 0, line.by.id);
    const avatar = item.querySelector(".avatar");
    const time = item.querySelector("time");
    const role = item.querySelector("[data-role]");
    avatar.textContent = initials(line.by.name);
    avatar.dataset.tone = tone(line.by.name);
    item.id = `line-${line.seq ?? "new"}`;
    item.dataset.author = line.by.id;
    item.querySelector("strong").textContent = line.by.name;
    item.querySelector(".chat-text").textContent = line.gone ? words.gone : line.text;
    role.hidden = line.by.role === "student";
    role.textContent = line.by.role === "instructor" ? words.teacher : words.admin;
    item.querySelector("[data-asked]").hidden = !line.q;
    time.dateTime = line.at;
    time.textContent = new Date(line.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    if (line.re) quote(item, line.re);
    if (line.seq) item.dataset.seq = line.seq; else delete item.dataset.seq;
    if (line.gone) vanish(item);
    return item;
  }

  function quote(item, re) {
    const place = item.querySelector(".chat-quote");
    const link = place.querySelector("a");
    place.hidden = false;
    link.href = `#line-${re.seq}`;
    link.dataset.jump = re.seq;
    link.querySelector("strong").textContent = re.name;
    link.querySelector("span").textContent = re.text || words.gone;
  }

  function vanish(item) {
    item.dataset.gone = "";
    item.querySelector(".chat-text").textContent = words.gone;
    item.querySelector(".chat-acts")?.remove();
    item.querySelector(".chat-signs")?.setAttribute("hidden", "");
  }

  /** Take a message out of sight, and its words out of the answers to it. */
  function gone(seq) {
    const item = node(seq);
    if (item && !("gone" in item.dataset)) vanish(item);
    for (const link of list.querySelectorAll(`.chat-quote [data-jump="${Number(seq)}"]`)) link.querySelector("span").textContent = words.gone;
  }

  /** The signs of a message; which of them are one's own is known from the page and one's own clicks. */
  function signs(seq, counts) {
    const place = node(seq)?.querySelector(".chat-signs");
    if (!place) return;
    const mine = new Set([...place.querySelectorAll('[aria-pressed="true"]')].map((one) => one.dataset.sign));
    place.replaceChildren(...Object.entries(counts).map(([sign, count]) => {
      const button = document.createElement("button");
      const number = document.createElement("span");
      button.type = "button";
      button.className = "chat-sign";
      button.dataset.act = "react";
      button.dataset.sign = sign;
      button.setAttribute("aria-pressed", mine.has(sign));
      number.textContent = count;
      button.append(`${sign} `, number);
      return button;
    }));
    place.hidden = !place.children.length;
  }

  function mine(seq, sign, on) {
    for (const one of node(seq)?.querySelectorAll(".chat-sign") ?? []) if (one.dataset.sign === sign) one.setAttribute("aria-pressed", on);
  }

  return { list, node, draw, gone, signs, mine };
}
