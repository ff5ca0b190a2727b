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

export default function lessons(zone) {
  const select = zone.querySelector("select");
  const csrf = document.querySelector("meta[name='csrf-token']")?.content ?? "";
  offer(zone, select);
  document.addEventListener("htmx:afterSettle", () => offer(zone, select));
  zone.addEventListener("lectern:uploaded", async ({ detail }) => {
    await window.htmx.ajax("POST", zone.dataset.action.replace(NOBODY, select.value), {
      target: "#outline",
      swap: "morph:outerHTML",
      values: { csrf_token: csrf, title: titled(detail.name), kind: "video", asset_id: detail.assetId, lesson_id: detail.assetId },
    });
    detail.row.nextElementSibling?.remove(); // how far the video is stands in the outline now
    detail.row.remove();
  });
}
