"""Audit: who did what to what, written in the transaction that does it; only ever inserted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from pydantic_core import to_jsonable_python
from sqlalchemy import text

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.models import AuditRow
from lms.core.tenancy import current_channel

WRITTEN = "audit.written"
MASKED = frozenset({"password", "password_hash", "code", "token", "secret", "digest"})


def record(
    action: str,
    target: Any,
    *,
    by: Actor,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    name: str = "",
) -> None:
    """Write one audit row for an act (`courses.publish`) on a row of the database; secrets in before/after are masked."""
    row = {
        "channel_id": current_channel(),
        "id": uuid7(),
        "at": now(),
        "actor_id": by.user_id,
        "actor_kind": by.kind,
        "actor_name": by.name,
        "action": action,
        "target_kind": getattr(target, "__tablename__", None) or str(target),
        "target_id": _id(target),
        "target_name": name or _name(target),
        "before": _plain(before),
        "after": _plain(after),
        "request_id": structlog.contextvars.get_contextvars().get("request_id"),
    }
    session = db.session()
    session.note("audit", row)
    session.info.setdefault(WRITTEN, []).append(row)


def written() -> list[AuditRow]:
    """What was recorded one by one in the running unit of work, in order."""
    return [AuditRow(**row) for row in db.session().info.get(WRITTEN, [])] if db.has_work() else []


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of a set-based act was, and is: one audit row."""

    target_id: UUID
    name: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


RECORD_MANY = text(
    """
    INSERT INTO core.audit (channel_id, id, at, actor_id, actor_kind, actor_name, action, target_kind, target_id, target_name,
        before, after, request_id)
    SELECT :channel, e.id, :at, :actor, :kind, :actor_name, :action, :target_kind, e.target, e.name, e.before, e.after, :request
    FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS e (id uuid, target uuid, name text, before jsonb, after jsonb)
    """
)


def record_many(action: str, target_kind: str, entries: Sequence[Entry], *, by: Actor) -> None:
    """Write one audit row for each row of a set-based act, in one statement."""
    if not entries:
        return
    db.session().execute(
        RECORD_MANY,
        {
            "channel": current_channel(),
            "at": now(),
            "actor": by.user_id,
            "kind": by.kind,
            "actor_name": by.name,
            "action": action,
            "target_kind": target_kind,
            "request": structlog.contextvars.get_contextvars().get("request_id"),
            "entries": json.dumps([_entry(entry) for entry in entries], ensure_ascii=False),
        },
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(uuid7()),
        "target": str(entry.target_id),
        "name": entry.name,
        "before": _plain(entry.before),
        "after": _plain(entry.after),
    }


def changes(target: Any, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The (before, after) of the values that differ from what the row holds now; empty dicts when nothing changes."""
    before = {key: getattr(target, key) for key in values if getattr(target, key) != values[key]}
    return before, {key: values[key] for key in before}


def update(target: Any, action: str, *, by: Actor, **values: Any) -> bool:
    """Set values on a row and audit what changed; false, and no audit row, when nothing did."""
    before, after = changes(target, values)
    if not after:
        return False
    for key, value in after.items():
        setattr(target, key, value)
    record(action, target, by=by, before=before, after=after)
    return True


def _id(target: Any) -> UUID | None:
    found = getattr(target, "id", None)
    return found if isinstance(found, UUID) else None


def _name(target: Any) -> str:
    for key in ("label", "name", "title", "email", "filename"):
        value = getattr(target, key, None)
        if isinstance(value, str) and value:
            return value
    return ""


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    plain = to_jsonable_python(values, fallback=str)
    return {key: "[masked]" if key in MASKED else value for key, value in plain.items()}
