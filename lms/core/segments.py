"""Conditions people are gathered by: each module declares those it knows of (a tag, a course, a balance), and a segment is a few of them.

A segment keeps what was asked, never who fitted: whoever asks for its people gets those who fit now.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lms.core.errors import Invalid
from lms.core.i18n import Lazy
from lms.core.i18n import gettext as _

Words = str | Lazy
Expression = Any  # a SQLAlchemy condition over channels.members
Given = Mapping[str, str]
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that may be asked of people: its label, how it is filled in, and the condition it makes.

    `kind` is choice (of `options`), int (0 up to `most`), day, money or text; `where` is given the value and everything else that
    is asked (the progress is that in the course which is asked for).
    """

    key: str
    label: Words
    where: Callable[[str, Given], Expression]
    kind: str = "choice"
    options: Sequence[tuple[str, Words]] | Callable[[], Sequence[tuple[str, Words]]] = ()
    most: int = MOST_DAYS
    group: Words = ""
    check: Callable[[str], str] | None = None

    def choices(self) -> list[tuple[str, str]]:
        """The values and labels to choose from."""
        found = self.options() if callable(self.options) else self.options
        return [(str(value), str(label)) for value, label in found]

    def read(self, raw: str) -> str:
        """The value as it is kept; raises Invalid, in words, for what does not fit."""
        raw = raw.strip()
        if self.check is not None:
            return self.check(raw)
        if self.kind == "choice" and raw not in dict(self.choices()):
            self._refuse(_("%(condition)s has no such choice.", condition=self.label))
        if self.kind == "int" and not (raw.isascii() and raw.isdigit() and len(raw) < 10 and int(raw) <= self.most):
            self._refuse(_("%(condition)s takes a whole number from 0 to %(most)s.", condition=self.label, most=f"{self.most:,}"))
        return raw

    def _refuse(self, sentence: str) -> None:
        raise Invalid(sentence, fields={self.key: sentence})

    def words(self, raw: str) -> str:
        """How a value reads; what it names may be gone."""
        return dict(self.choices()).get(raw, _("(gone)")) if self.kind == "choice" else raw

    def told(self, raw: str) -> str:
        """The condition with its value as one phrase: the value stands where the label has "…", else behind it."""
        label, value = str(self.label), self.words(raw)
        return label.replace("…", value) if "…" in label else f"{label}: {value}"


_declared: list[Condition] = []
_sources: list[Callable[[], Iterable[Condition]]] = []


def declare(*found: Condition) -> None:
    """Make conditions known."""
    _declared.extend(found)


def come_from(source: Callable[[], Iterable[Condition]]) -> None:
    """Ask this function for more conditions, each time: those an academy makes itself."""
    _sources.append(source)


def every_condition() -> dict[str, Condition]:
    """Every condition by its key, those of the running academy among them."""
    return {one.key: one for one in (*_declared, *(one for source in _sources for one in source()))}
