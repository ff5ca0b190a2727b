"""The statements of plain views, settled once: the list an admin opens all day long is not put together anew each time."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, cast

from sqlalchemy import Select

from lms.core import db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.reports.fields import Choice, Filter
from lms.core.reports.view import View
from lms.core.settled import Settled, Turned

MOST = 512  # views remembered in each process
Rows = Iterable[Mapping[str, Any]]
_kept: OrderedDict[Any, tuple[Any, list[Settled]]] = OrderedDict()
_lock = Lock()


def is_steady(view: View, filters: Mapping[str, Filter]) -> bool:
    """Whether the statement of a view follows from its words alone: nothing in it was looked up on the way."""
    chosen = [filters[key] for key, _raw in view.filters]
    return not view.words and not any(isinstance(one, Choice) and callable(one.value) and not hasattr(one.value, "in_") for one in chosen)


def asked(key: tuple[Any, ...] | None, view: View, by: Actor, make: Callable[[], list[Select[Any]]]) -> list[Callable[[], Rows]]:
    """What runs these statements, one after the other; those of a key are settled and kept.

    A key is all they depend on besides the view, the reader and the day; its last part is the columns, which must be the very same.
    """
    if key is None:
        return [_through_the_session(statement) for statement in make()]
    *names, columns = key
    whole = (*names, by, view, now().astimezone(zone(view.zone)).date())  # the last 30 days are others tomorrow
    with _lock:
        parts, found = _kept.get(whole, ((), None))
        if found is not None:
            _kept.move_to_end(whole)
    if found is None or len(parts) != len(columns) or any(one is not other for one, other in zip(parts, columns, strict=True)):
        made = make()
        try:
            found = [Settled(statement) for statement in made]
        except Turned:
            return [_through_the_session(statement) for statement in made]
        with _lock:
            _kept[whole] = columns, found
            while len(_kept) > MOST:
                _kept.popitem(last=False)
    return [statement.mappings for statement in found]


def _through_the_session(statement: Select[Any]) -> Callable[[], Rows]:
    return lambda: cast("Rows", db.session().execute(statement).mappings().all())
