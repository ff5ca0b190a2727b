"""Audit rows as people read them: who did what, field by field from what to what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g, url_for

from lms.core import deeds
from lms.core.deeds import Label
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow
from lms.web.words import moment, money

SHOWN = 120
NOTHING: tuple[Any, ...] = (None, "", [], {})


def told(rows: Sequence[AuditRow], *, about: UUID | None = None, linked: bool = False) -> list[dict[str, Any]]:
    """The rows as a timeline shows them; what an act was done to is named where it is not what the page is `about`.

    `linked` leads from each to its entry in the audit log, for readers who may open that.
    """
    names = deeds.names_of(rows)
    return [{**_told(row, names, about), "href": url_for("admin.audit_show", row_id=row.id) if linked else None} for row in rows]


def _told(row: AuditRow, names: Mapping[str, str], about: UUID | None) -> dict[str, Any]:
    deed = deeds.deed_of(row.action)
    named = row.target_name if about is None or row.target_id != about else ""
    return {
        "icon": deed.icon,
        "who": row.actor_name or _("Lectern"),
        "what": f"{deed.words} “{named}”" if named else str(deed.words),
        "when": moment(row.at),
        "iso": row.at.isoformat(),
        "changes": changes_of(row, names),
    }


def changes_of(row: AuditRow, names: Mapping[str, str]) -> list[tuple[str, str | None, str]]:
    """What changed, field by field: label, before (None where nothing was), after; fields that mean nothing to people are left out.

    Of what was newly made the act itself is the record.
    """
    before, after = row.before or {}, row.after or {}
    if row.before is None and deeds.deed_of(row.action).icon == "plus":
        return []
    made = []
    for key in dict.fromkeys((*before, *after)):
        label = deeds.label_of(row.action, key)
        if label is None or (before.get(key) in NOTHING and after.get(key) in NOTHING):
            continue
        was = None if row.before is None or key not in before else value_words(label, before[key], before | after, names)
        became = value_words(label, after[key], after | {"currency": _currency(label, before, after)}, names) if key in after else "–"
        made.append((str(label.words), was, became))
    return made


def _currency(label: Label, before: Mapping[str, Any], after: Mapping[str, Any]) -> Any:
    return after.get(label.currency_key) or before.get(label.currency_key) or ""


def value_words(label: Label, value: Any, beside: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """One value of a field as people read it; `beside` are the values around it, which hold the currency."""
    if value in NOTHING:
        return "–"
    if label.kind == "money":
        currency = beside.get(label.currency_key) or g.channel.currency
        return money(int(value), str(currency))
    if label.kind == "time":
        return moment(datetime.fromisoformat(str(value)))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _shortened(", ".join(value_words(label, one, beside, names) for one in value))
    if str(value) in names:
        return names[str(value)]
    return _shortened(str(label.values.get(str(value), value)))


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
