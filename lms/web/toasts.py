"""Toasts: one short sentence after an act, with an undo when there is one."""

from dataclasses import asdict, dataclass

from flask import request, session, url_for

from lms.core import audit, deeds


@dataclass(frozen=True, slots=True)
class Toast:
    """A sentence shown once; `undo_href` takes the act back by POST."""

    text: str
    tone: str = "neutral"
    undo_href: str | None = None


def toast(text: str, *, tone: str = "neutral", undo: str | None = None) -> None:
    """Show a sentence on the next page this person sees.

    Without an `undo` of its own, what this request did to one thing, and can be taken back by one click, gets one; "" offers none.
    """
    undo = undo_of_this_request() if undo is None else undo or None
    session["toasts"] = [*session.get("toasts", []), asdict(Toast(text, tone, undo))][-3:]


def undo_of_this_request() -> str | None:
    """Where the simple changes of this request are taken back; None when there are none, or they are of several things."""
    rows = [row for row in audit.written() if deeds.revert_of(row) is not None]
    if not rows or len({row.target_id for row in rows}) > 1 or request.endpoint == "admin.audit_revert":
        return None
    return url_for("admin.audit_revert", row_id=rows[-1].id, whole=1 if len(rows) > 1 else None)


def take_toasts() -> list[Toast]:
    """The sentences waiting to be shown; they are shown once."""
    if "toasts" not in session:
        return []
    return [Toast(**item) for item in session.pop("toasts")]
