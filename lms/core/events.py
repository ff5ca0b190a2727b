"""Facts: a module announces, anyone listens, and the listening happens after the commit.

`emit(fact)` writes one row into the diary and one outbox row for each handler; a worker runs the handlers.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from lms.core import db, jobs
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel

AT_ONCE = 200  # so many facts of one kind a handler hears in one transaction


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact: a frozen dataclass of ids and plain values; `by` is the person who made it happen."""

    by: UUID | None = None


E = TypeVar("E", bound=Event)
_handlers: dict[str, list[jobs.Job[Any]]] = {}
_kinds: dict[str, type[Event]] = {}
_shapes: dict[type[Event], TypeAdapter[Any]] = {}


def on(kind: type[E], *, queue: str = "default", tries: int = 8) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Make a function hear a kind of fact; it runs in a worker, in one transaction of the fact's channel, exactly once."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        def run(fact: Mapping[str, Any] | None = None, facts: Sequence[Mapping[str, Any]] = ()) -> None:
            for one in facts or (fact,):
                handler(_shape(kind).validate_python(one))

        run.__module__, run.__qualname__ = handler.__module__, handler.__qualname__
        _kinds[kind.__name__] = kind
        _handlers.setdefault(kind.__name__, []).append(jobs.register(run, queue=queue, tries=tries))
        return handler

    return register


def emit(fact: Event) -> None:
    """Announce a fact in the running transaction; its handlers run after the commit."""
    payload = _shape(type(fact)).dump_python(fact, mode="json")
    name, event_id, session = type(fact).__name__, uuid7(), db.session()
    session.flush_objects()  # what the fact is about is there before it
    row = {"channel_id": current_channel(), "id": event_id, "name": name, "actor_id": fact.by, "payload": payload, "happened_at": now()}
    session.note("events", row)
    if handlers := _handlers.get(name):
        jobs.put_for_each(handlers, {"fact": payload}, event_id=event_id)


def _shape(kind: type[Event]) -> TypeAdapter[Any]:
    """What reads and writes facts of a kind; dear to make, so made once."""
    if kind not in _shapes:
        _shapes[kind] = TypeAdapter(kind)
    return _shapes[kind]


EMIT_MANY = text(
    """
    INSERT INTO core.events (channel_id, id, name, actor_id, payload, happened_at)
    SELECT :channel, e.id, :name, :actor, e.payload, :at
    FROM jsonb_to_recordset(CAST(:facts AS jsonb)) AS e (id uuid, payload jsonb)
    """
)


def emit_many(facts: Sequence[Event]) -> None:
    """Announce many facts of one kind and one actor in one statement; each handler hears them in the bulk queue, in batches."""
    if not facts:
        return
    kind = type(facts[0])
    payloads = [_shape(kind).dump_python(fact, mode="json") for fact in facts]
    values = {
        "channel": current_channel(),
        "name": kind.__name__,
        "actor": facts[0].by,
        "at": now(),
        "facts": json.dumps([{"id": str(uuid7()), "payload": payload} for payload in payloads], ensure_ascii=False),
    }
    db.session().execute(EMIT_MANY, values)
    for handler in _handlers.get(kind.__name__, []):
        for start in range(0, len(payloads), AT_ONCE):
            handler.put({"facts": payloads[start : start + AT_ONCE]}, queue="bulk")


def heard() -> dict[str, list[str]]:
    """Which handlers hear each kind of fact, by name."""
    return {kind: [handler.name for handler in handlers] for kind, handlers in sorted(_handlers.items())}
