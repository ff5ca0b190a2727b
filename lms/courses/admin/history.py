"""Audit rows of courses in words: who did what, from what to what."""

from typing import Any

from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import AuditRow
from lms.web.words import moment, money

DEEDS = {
    "courses.create": (_l("made the course"), "plus"),
    "courses.edit": (_l("changed the course"), "pencil"),
    "courses.set_price": (_l("changed the price"), "banknote"),
    "courses.set_sale": (_l("changed the sale"), "tag"),
    "courses.set_cover": (_l("changed the cover"), "image"),
    "courses.set_instructor": (_l("changed the instructor"), "user-cog"),
    "courses.submit": (_l("submitted the course for approval"), "send"),
    "courses.send_back": (_l("sent the course back"), "undo-2"),
    "courses.publish": (_l("published the course"), "globe"),
    "courses.unpublish": (_l("unpublished the course"), "eye-off"),
    "courses.archive": (_l("archived the course"), "archive"),
    "courses.delete": (_l("deleted the course"), "trash-2"),
    "courses.restore": (_l("restored the course"), "undo-2"),
    "courses.add_section": (_l("added the section"), "plus"),
    "courses.rename_section": (_l("renamed the section"), "pencil"),
    "courses.delete_section": (_l("deleted the section"), "trash-2"),
    "courses.restore_section": (_l("restored the section"), "undo-2"),
    "courses.order_sections": (_l("sorted the sections"), "move"),
    "courses.add_lesson": (_l("added the lesson"), "plus"),
    "courses.edit_lesson": (_l("changed the lesson"), "pencil"),
    "courses.set_video": (_l("changed the video of"), "film"),
    "courses.video_ready": (_l("prepared the video of"), "film"),
    "courses.publish_lesson": (_l("published the lesson"), "eye"),
    "courses.publish_when_ready": (_l("will publish, when its video is ready, the lesson"), "clock"),
    "courses.unpublish_lesson": (_l("unpublished the lesson"), "eye-off"),
    "courses.delete_lesson": (_l("deleted the lesson"), "trash-2"),
    "courses.restore_lesson": (_l("restored the lesson"), "undo-2"),
    "courses.order_lessons": (_l("sorted the lessons"), "move"),
}
FIELDS = {
    "title": _l("Title"),
    "summary": _l("Summary"),
    "description": _l("Description"),
    "level": _l("Level"),
    "body": _l("Text"),
    "kind": _l("Kind"),
    "is_preview": _l("Open to everybody"),
    "status": _l("Status"),
    "sent_back_reason": _l("Reason"),
    "duration_seconds": _l("Seconds"),
}
SHOWN = 120


def told(row: AuditRow) -> dict[str, Any]:
    """One audit row as the timeline shows it."""
    deed, icon = DEEDS.get(row.action, (row.action, "pencil"))
    about = row.target_name if row.target_kind in ("sections", "lessons") else ""
    return {
        "icon": icon,
        "who": row.actor_name or _("Lectern"),
        "what": f"{deed} “{about}”" if about else str(deed),
        "when": moment(row.at),
        "iso": row.at.isoformat(),
        "changes": changes_of(row),
    }


def changes_of(row: AuditRow) -> list[tuple[str, str | None, str]]:
    """What changed, field by field: label, before, after; fields that mean nothing to people are left out."""
    before, after = row.before or {}, row.after or {}
    if "price_minor" in after and row.action == "courses.set_price":
        currency = str(after.get("currency") or before.get("currency") or "")
        if not currency:
            return []
        return [(_("Price"), money(int(before["price_minor"]), currency), money(int(after["price_minor"]), currency))]
    made = row.action in ("courses.create", "courses.add_section", "courses.add_lesson")
    return [
        (str(label), None if made or not before.get(name) else shortened(before[name]), shortened(after[name]))
        for name, label in FIELDS.items()
        if after.get(name) not in (None, "") and not made
    ]


def shortened(value: Any) -> str:
    """A value as it fits a line."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
