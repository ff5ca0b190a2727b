"""Audit: who did what to what, written in the transaction that does it; only ever inserted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from pydantic_core import to_jsonable_python

from lms.core import db
from lms.core.decisions import Actor
from lms.core.models import AuditRow

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
    db.session().add(
        AuditRow(
            actor_id=by.user_id,
            actor_kind=by.kind,
            actor_name=by.name,
            action=action,
            target_kind=getattr(target, "__tablename__", str(target)),
            target_id=_id(target),
            target_name=name or _name(target),
            before=_plain(before),
            after=_plain(after),
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
        )
    )


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
    for key in ("title", "name", "email", "label"):
        value = getattr(target, key, None)
        if isinstance(value, str) and value:
            return value
    return ""


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {key: "[masked]" if key in MASKED else to_jsonable_python(value, fallback=str) for key, value in values.items()}
