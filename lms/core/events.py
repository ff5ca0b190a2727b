"""Facts: a module announces, anyone listens, and the listening happens after the commit.

`emit(fact)` writes one row into the diary and one outbox row for each handler; a worker runs the handlers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from lms.core import db, jobs
from lms.core.models import EventRow


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact: a frozen dataclass of ids and plain values; `by` is the person who made it happen."""

    by: UUID | None = None


E = TypeVar("E", bound=Event)
_handlers: dict[str, list[jobs.Job[Any]]] = {}
_kinds: dict[str, type[Event]] = {}


def on(kind: type[E], *, queue: str = "default", tries: int = 8) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Make a function hear a kind of fact; it runs in a worker, in one transaction of the fact's channel, exactly once."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        def run(fact: dict[str, Any]) -> None:
            handler(TypeAdapter(kind).validate_python(fact))

        run.__module__, run.__qualname__ = handler.__module__, handler.__qualname__
        _kinds[kind.__name__] = kind
        _handlers.setdefault(kind.__name__, []).append(jobs.register(run, queue=queue, tries=tries))
        return handler

    return register


def emit(fact: Event) -> None:
    """Announce a fact in the running transaction; its handlers run after the commit."""
    payload = TypeAdapter(type(fact)).dump_python(fact, mode="json")
    row = EventRow(name=type(fact).__name__, actor_id=fact.by, payload=payload)
    db.session().add(row)
    db.session().flush()
    for handler in _handlers.get(row.name, []):
        handler.put({"fact": payload}, event_id=row.id)


def heard() -> dict[str, list[str]]:
    """Which handlers hear each kind of fact, by name."""
    return {kind: [handler.name for handler in handlers] for kind, handlers in sorted(_handlers.items())}
