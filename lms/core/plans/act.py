"""What a bulk act is declared with: its fields, its options, and how a batch of rows is planned, applied and undone."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from lms.core.decisions import Actor, Decision, admins
from lms.core.errors import NotFound
from lms.core.i18n import Lazy, in_locale, languages
from lms.core.i18n import gettext as _

Words = str | Lazy
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a row is about: a column of the file and of the plan's table.

    `also` are other headings people use; `words` maps a stored value to what people read, and is read back from it; `kind` is
    how it is shown: text, money (with `currency_key`, the field that holds the currency) or time.
    """

    key: str
    label: Words
    also: tuple[str, ...] = ()
    words: Mapping[str, Words] = field(default_factory=dict)
    kind: str = "text"
    currency_key: str = ""
    shown: bool = True
    identifies: bool = False

    def headings(self) -> set[str]:
        """Every heading that means this field, in the form headings are compared in, in every language spoken here."""
        found = {plain_heading(self.key), *(plain_heading(name) for name in self.also)}
        for language in languages():
            with in_locale(language):
                found.add(plain_heading(str(self.label)))
        return found

    def read(self, text: str) -> str:
        """The stored value of what a cell says: the value itself or its word in any language; the cell as it is when neither."""
        if not self.words:
            return text
        known = _readings.get(id(self))
        if known is None:
            known = {word: value for value, label in self.words.items() for word in (value.casefold(), *_in_every_language(label))}
            _readings[id(self)] = known
        return known.get(text.casefold(), text)


@dataclass(frozen=True, slots=True)
class Option:
    """Something asked before planning: a choice, a day, an amount, words, or yes and no."""

    key: str
    label: Words
    kind: str = "text"  # text · textarea · select · date · money · checkbox
    choices: Sequence[tuple[str, Words]] | Callable[[], Sequence[tuple[str, Words]]] = ()
    default: str = ""
    help: Words = ""
    required: bool = True

    def to_choose(self) -> list[tuple[str, str]]:
        """The values and labels to choose from."""
        found = self.choices() if callable(self.choices) else self.choices
        return [(value, str(label)) for value, label in found]


@dataclass(slots=True)
class Row:
    """One row on its way through an act. `given` are the cells of its line by field; empty cells are not in it.

    Planning sets `subject_id`, `label` (what people call it), `key` (what makes two rows the same) and, by `settle` or `deny`, the
    verdict; applying may `refuse`, undoing may `conflict`.
    """

    number: int
    given: dict[str, str] = field(default_factory=dict)
    subject_id: UUID | None = None
    label: str = ""
    key: str = ""
    verdict: str = ""
    reason: str = ""
    before: State | None = None
    after: State | None = None
    cells: list[str] = field(default_factory=list)
    result: str = ""

    def settle(self, before: State | None, after: State) -> None:
        """Compare what is with what is wanted: new when nothing is there, else changed (only what differs is kept) or the same."""
        if before is None:
            self.verdict, self.before, self.after = "new", None, after
            return
        differing = [key for key, value in after.items() if before.get(key) != value]
        self.verdict = "changed" if differing else "same"
        kept = differing or list(after)
        self.before = {key: before.get(key) for key in kept}
        self.after = {key: after[key] for key in kept}

    def deny(self, reason: str) -> None:
        """Refuse the row while it is planned, in words; the others are not touched by it."""
        self.verdict, self.reason = "refused", reason

    def refuse(self, reason: str) -> None:
        """Refuse the row while it is applied: a rule stands in its way by now."""
        self.result, self.reason = "refused", reason

    def conflict(self, reason: str) -> None:
        """Leave the row alone because of what happened since."""
        self.result, self.reason = "conflict", reason

    def fits(self, now: State | None) -> bool:
        """Whether the data stands as it did when this was planned."""
        if self.before is None or now is None:
            return self.before is None and now is None
        return all(now.get(key) == value for key, value in self.before.items())

    def stands(self, now: State | None) -> bool:
        """Whether the data stands as this row left it."""
        return now is not None and all(now.get(key) == value for key, value in (self.after or {}).items())


@dataclass(frozen=True, slots=True)
class Context:
    """What every batch of a plan shares: who acts, what was asked for, which fields the file has a column for."""

    plan_id: UUID
    by: Actor
    params: Mapping[str, Any]
    columns: frozenset[str] = frozenset()


class Act:
    """One bulk act. A module's `plans.py` declares it; the engine, the screen and the API do the rest.

    Everything takes a batch of rows and is set-based: a batch is a handful of statements, whatever its size.
    """

    name: ClassVar[str]
    title: ClassVar[Words]
    options: Sequence[Option] = ()
    lists: Sequence[str] = ()  # the lists, by their report's name, in whose bulk bar it stands
    icon: str = "layers"
    tone: str = ""  # danger
    back: str = "/admin/"
    twice: ClassVar[Words] = ""
    takes_people: ClassVar[bool] = False  # lines without headings are addresses and names

    @property
    def fields(self) -> Sequence[Field]:
        """What its rows are about; most acts declare them once, as an attribute."""
        return ()

    def allowed(self, by: Actor) -> Decision:
        """Who may plan, apply and undo it."""
        return admins(by)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """The options as they are kept; raises Invalid for those that do not fit."""
        return params

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Give every row its subject, key and verdict."""
        raise NotImplementedError

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """What is there now for each row, by its number: the fields the act touches, as JSON holds them; absent where nothing is."""
        raise NotImplementedError

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Do the rows, with events and audit; `refuse` those that cannot be done. Sets the subjects of new ones."""
        raise NotImplementedError

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Put the rows back as they were; `conflict` those that cannot be."""
        raise NotImplementedError

    def stays(self, params: Mapping[str, Any]) -> str:
        """What an undo cannot take back, in a sentence; "" when there is nothing."""
        return ""

    def known_fields(self) -> dict[str, Field]:
        """Its fields by key; some acts look them up, so ask once for many rows."""
        return {one.key: one for one in self.fields}


_acts: dict[str, Act] = {}
_readings: dict[int, dict[str, str]] = {}  # by field; fields are declared once and stay


def register(kind: type[Act]) -> type[Act]:
    """Make an act known to the engine, the screen and the API; a class decorator."""
    _acts[kind.name] = kind()
    return kind


def get_act(name: str) -> Act:
    """The act of a name; raises NotFound."""
    found = _acts.get(name)
    if found is None:
        raise NotFound(_("There is no such bulk act."))
    return found


def acts_on(report: str, by: Actor) -> list[Act]:
    """The acts that stand in the bulk bar of a list for this person; those that take away come last."""
    found = [act for act in _acts.values() if report in act.lists and act.allowed(by)]
    return sorted(found, key=lambda act: (act.tone == "danger", str(act.title)))


def every_act() -> dict[str, Act]:
    """Every act by name."""
    return dict(sorted(_acts.items()))


def plain_heading(text: str) -> str:
    """The form in which headings are compared: letters and digits alone, whatever the case."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())


def columns_of(act: Act, headings: Iterable[str]) -> list[str]:
    """The field each heading means; "" for those that mean none. The first heading of a field wins."""
    known = [(one.key, one.headings()) for one in act.fields]
    taken: set[str] = set()
    made = []
    for heading in headings:
        folded = plain_heading(heading)
        key = next((name for name, names in known if folded and folded in names and name not in taken), "")
        taken.add(key)
        made.append(key)
    return made


def _in_every_language(word: Words) -> set[str]:
    if isinstance(word, str):
        return {word.casefold()}
    found = set()
    for language in languages():
        with in_locale(language):
            found.add(str(word).casefold())
    return found
