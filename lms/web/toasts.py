"""Toasts: one short sentence after an act, with an undo when there is one."""

from dataclasses import asdict, dataclass

from flask import session


@dataclass(frozen=True, slots=True)
class Toast:
    """A sentence shown once; `undo_href` takes the act back by POST."""

    text: str
    tone: str = "neutral"
    undo_href: str | None = None


def toast(text: str, *, tone: str = "neutral", undo: str | None = None) -> None:
    """Show a sentence on the next page this person sees."""
    session["toasts"] = [*session.get("toasts", []), asdict(Toast(text, tone, undo))][-3:]


def take_toasts() -> list[Toast]:
    """The sentences waiting to be shown; they are shown once."""
    if "toasts" not in session:
        return []
    return [Toast(**item) for item in session.pop("toasts")]
