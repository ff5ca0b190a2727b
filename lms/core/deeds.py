"""Audited acts in words: each module names its own acts, what they are done to and the fields they change, and says which of
them one click takes back.

`courses.publish` is a name for machines; people read "published the course". A module's `deeds.py` registers one `Deeds`; the
audit log, every history and the files made of them speak with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import DateTime, Uuid, inspect

from lms.core.clock import now
from lms.core.decisions import Actor, Decision
from lms.core.errors import Conflict
from lms.core.i18n import Lazy
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow

REVERT_DAYS = 30
Words = str | Lazy
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deed:
    """What an act is called ("published the course"), and its sign."""

    words: Words
    icon: str = "pencil"


@dataclass(frozen=True, slots=True)
class Thing:
    """What an act is done to: its name, and the address of its page with {id}; "" when it has none."""

    words: Words
    href: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A field of an act: what it is called, and how its values read.

    `kind` is text, money (minor units, with the currency beside it in `currency_key`), time, bool, or a kind of names that
    `names_come_from` knows (person, course …); `values` are words for values.
    """

    words: Words
    kind: str = "text"
    values: Mapping[str, Words] = field(default_factory=dict)
    currency_key: str = "currency"


@dataclass(frozen=True, slots=True)
class Revert:
    """How a simple change is taken back: find what it was done to, ask the rule, put the values there by the module's operation."""

    get: Callable[[UUID], Any]
    may: Callable[[Actor, Any], Decision]
    put: Callable[[Any, dict[str, Any], Actor], Any]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What one module calls its acts; `module` is what their names begin with."""

    module: str
    title: Words
    acts: Mapping[str, Deed]
    things: Mapping[str, Thing]
    fields: Mapping[str, Label] = field(default_factory=dict)
    reverts: Mapping[str, Revert] = field(default_factory=dict)


_modules: dict[str, Deeds] = {}
_names: dict[str, Callable[[Sequence[UUID]], Mapping[UUID, str]]] = {}


def register(deeds: Deeds) -> Deeds:
    """Let the audit log speak a module's language."""
    _modules[deeds.module] = deeds
    return deeds


def names_come_from(kind: str, find: Callable[[Sequence[UUID]], Mapping[UUID, str]]) -> None:
    """Tell who knows the names behind ids of a kind (person, course …)."""
    _names[kind] = find


def every_module() -> dict[str, Deeds]:
    """What every module calls its acts, by module."""
    return dict(sorted(_modules.items()))


def deed_of(action: str) -> Deed:
    """What an act is called; of an act nobody named, its own words."""
    found = _modules.get(action.partition(".")[0])
    known = found.acts.get(action) if found else None
    return known or Deed(action.rpartition(".")[2].replace("_", " "))


def thing_of(row: AuditRow) -> Thing:
    """What an act was done to."""
    found = _modules.get(row.action.partition(".")[0])
    known = found.things.get(row.target_kind) if found else None
    return known or Thing(row.target_kind.replace("_", " "))


def href_of(row: AuditRow) -> str:
    """The page of what an act was done to; "" when there is none."""
    href = thing_of(row).href
    if "{id}" not in href:
        return href
    return href.replace("{id}", str(row.target_id)) if row.target_id else ""


def label_of(action: str, key: str) -> Label | None:
    """The field of an act; None of one that means nothing to people."""
    found = _modules.get(action.partition(".")[0])
    return found.fields.get(key) if found else None


def names_of(rows: Sequence[AuditRow]) -> dict[str, str]:
    """The names behind the ids that the rows mention, by id as text: one query for each kind of names."""
    wanted: dict[str, set[UUID]] = {}
    for row in rows:
        for values in (row.before or {}, row.after or {}):
            for key, value in values.items():
                label = label_of(row.action, key)
                if label is not None and label.kind in _names:
                    wanted.setdefault(label.kind, set()).update(_ids_in(value))
    return {str(row_id): name for kind, ids in wanted.items() if ids for row_id, name in _names[kind](sorted(ids)).items()}


def _ids_in(value: Any) -> list[UUID]:
    made = []
    for one in value if isinstance(value, list) else [value]:
        try:
            made.append(UUID(str(one)))
        except ValueError:
            continue
    return made


# --- taking back ------------------------------------------------------------------------------------------------------


def revert_of(row: AuditRow) -> Revert | None:
    """How an act is taken back by one click; None when it is none of those, or nothing was there before."""
    found = _modules.get(row.action.partition(".")[0])
    known = found.reverts.get(row.action) if found else None
    if row.at is not None and row.at < now() - timedelta(days=REVERT_DAYS):
        return None
    simple = row.target_id is not None and bool(row.before) and row.after is not None and set(row.before or {}) == set(row.after)
    return known if simple and "[masked]" not in (row.before or {}).values() else None


def may_revert(row: AuditRow, *, by: Actor) -> Decision:
    """Whether this person may take the act back: as the module's own rule says."""
    known = revert_of(row)
    if known is None or row.target_id is None:
        return Decision(False, "revert", _("This cannot be taken back by one click. Open what it was done to, and change it there."))
    return known.may(by, known.get(row.target_id))


def stands(row: AuditRow, target: Any) -> bool:
    """Whether what was changed still is as the act left it."""
    return all(_plain(getattr(target, key)) == value for key, value in (row.after or {}).items())


def revert(row: AuditRow, *, by: Actor) -> None:
    """Put the values of before there again, by the module's own operation; taking back twice changes nothing.

    Raises Conflict when somebody changed them since.
    """
    known = revert_of(row)
    assert known is not None and row.target_id is not None and row.before is not None
    target = known.get(row.target_id)
    if all(_plain(getattr(target, key)) == value for key, value in row.before.items()):
        return
    if not stands(row, target):
        raise Conflict(
            _("This was changed again since, so nothing was taken back. Take the newer change back first."), rule="changed_since"
        )
    known.put(target, typed(target, row.before), by)


def typed(target: Any, values: Values) -> dict[str, Any]:
    """Values of the audit log as the columns of the row hold them: times and ids again."""
    columns = inspect(type(target)).columns
    return {key: _typed(columns[key].type if key in columns else None, value) for key, value in values.items()}


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(value, str) and isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    return UUID(value) if isinstance(value, str) and isinstance(kind, Uuid) else value


def _plain(value: Any) -> Any:
    return to_jsonable_python(value, fallback=str)
