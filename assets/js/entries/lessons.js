// Videos dropped on a course become lessons: each one that has arrived is added to the chosen section, and the outline is drawn anew.
// On the element around the upload zone: data-action, an address with 00000000-0000-0000-0000-000000000000 in the section's place.
const NOBODY = "00000000-0000-0000-0000-000000000000";

/** A file's name as a title: no ending, no underscores. */
const titled = (name) => name.replace(/\.[^.]+$/, "").replace(/[_-]+/g, " ").trim().slice(0, 160) || name.slice(0, 160);

/** Offer the sections the outline has now; without any there is nothing to drop into. */
function offer(zone, select) {
  const chosen = select.value;
  const sections = [...document.querySelectorAll("#outline > section[id^='section-']")];
  select.replaceChildren(...sections.map((section) => new Option(section.querySelector("h2")?.textContent ?? "", section.id.slice("section-".length))));
  const last = sections.at(-1)?.id.slice("section-".length) ?? "";
  select.value = sections.some((section) => section.id === `section-${chosen}`) ? chosen : last;
  zone.hidden = sections.length === 0;
}

const titles = new Map(); // file name → the title somebody chose in the plan
const known = new Set(); // files that are lessons already
const FILMS = /\.(mp4|m4v|mov|mkv|webm|avi|mp3|m4a|wav|ogg|oga|flac|aac)$/i;

/** Films and sound become video lessons; anything else a text lesson that offers the file. */
const kindOf = (name) => (FILMS.test(name) ? "video" : "text");

/** Show what many files would become, in their order, to be changed before anything is sent. */
function plan(zone, { files, go }) {
  const box = zone.querySelector("[data-plan]");
  const list = box.querySelector("ol");
  const first = list.querySelector("template").content;
  list.querySelectorAll("li").forEach((row) => row.remove());
  const rows = files.map((file) => {
    const row = first.cloneNode(true).querySelector("li");
    const title = row.querySelector('input[type="text"]');
    const wanted = row.querySelector('input[type="checkbox"]');
    title.value = titled(file.name);
    title.setAttribute("aria-label", file.name);
    wanted.setAttribute("aria-label", file.name);
    list.append(row);
    return { file, title, wanted };
  });
  const shut = () => { box.hidden = true; };
  box.hidden = false;
  box.querySelector("[data-plan-go]").onclick = () => {
    const chosen = rows.filter((row) => row.wanted.checked);
    for (const { file, title } of chosen) titles.set(file.name, title.value.trim() || titled(file.name));
    shut();
    go(chosen.map((row) => row.file));
  };
  box.querySelector("[data-plan-stop]").onclick = shut;
  box.scrollIntoView({ block: "nearest" });
}

export default function lessons(zone) {
  const select = zone.querySelector("select");
  const csrf = document.querySelector("meta[name='csrf-token']")?.content ?? "";
  offer(zone, select);
  document.addEventListener("htmx:afterSettle", () => offer(zone, select));
  zone.addEventListener("lectern:dropped", (event) => {
    if (event.detail.files.length < 2) return;
    event.preventDefault();
    plan(zone, event.detail);
  });
  let line = Promise.resolve(); // one lesson after the other, in the order of the plan
  zone.addEventListener("lectern:uploading", ({ detail }) => {
    if (!titles.has(detail.name)) return;
    line = line.then(() => made(detail));
  });
  const made = async (detail) => {
    if (known.has(detail.assetId)) return;
    known.add(detail.assetId);
    await window.htmx.ajax("POST", zone.dataset.action.replace(NOBODY, select.value), {
      target: "#outline",
      swap: "morph:outerHTML",
      values: { csrf_token: csrf, title: titles.get(detail.name) ?? titled(detail.name), kind: kindOf(detail.name), asset_id: detail.assetId, lesson_id: crypto.randomUUID?.() ?? detail.assetId },
    });
  };
  zone.addEventListener("lectern:uploaded", async ({ detail }) => {
    line = line.then(() => made(detail));
    await line;
    detail.row.nextElementSibling?.remove(); // how far the video is stands in the outline now
    detail.row.remove();
  });
}
