"""The same request sent twice is done once: a key is claimed and its reply kept in the transaction that does the work.

Whoever sends the same key meanwhile waits at the unique index; when the work is rolled back, the claim goes with it.
Replies lie encrypted (they may hold voucher codes) and are forgotten after a day.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from lms.core import db, jobs, signing
from lms.core.clock import now
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import IdempotencyKey
from lms.core.tenancy import current_channel

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it was sent: status, body, and where it led."""

    status: int
    body: str
    location: str = ""


def fingerprint(*parts: bytes) -> str:
    """One SHA-256 over the parts of a request, each with its length."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8) + part)
    return total.hexdigest()


def claim(user_id: UUID, route: str, key: str, print_: str, *, again: str = "") -> Reply | None:
    """Take a key for the running transaction (None: go on and `keep` the reply), or give the reply kept for it.

    Waits while another transaction works under the key. Raises Invalid when the key was used for another request; `again` is
    the sentence for that where nobody speaks of keys.
    """
    statement = insert(IdempotencyKey).values(
        id=uuid7(), channel_id=current_channel(), user_id=user_id, route=route, key=key, fingerprint=print_, created_at=now()
    )
    renewed: dict[str, Any] = {"fingerprint": print_, "status": None, "reply": None, "location": None, "created_at": now()}
    taken = db.session().execute(
        statement.on_conflict_do_update(
            index_elements=["channel_id", "user_id", "route", "key"], set_=renewed, where=IdempotencyKey.created_at < now() - KEPT
        ).returning(IdempotencyKey.id)
    )
    if taken.scalar_one_or_none() is not None:
        return None
    row = (
        db.session()
        .execute(
            select(IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.reply, IdempotencyKey.location).where(
                *_of(user_id, route, key)
            )
        )
        .one_or_none()
    )
    if row is None or row.status is None:
        raise Conflict(_("The first request with this Idempotency-Key is not finished. Send it again in a moment."))
    if row.fingerprint != print_:
        raise Invalid(again or "This Idempotency-Key was used for another request. Use a new key for a new act.", rule="idempotency_key")
    return Reply(row.status, _open(row.reply or ""), row.location or "")


def keep(user_id: UUID, route: str, key: str, reply: Reply) -> None:
    """Keep the reply of the work done under a claimed key, in the same transaction."""
    db.session().execute(
        update(IdempotencyKey)
        .where(*_of(user_id, route, key))
        .values(status=reply.status, reply=_cipher().encrypt(reply.body.encode()).decode(), location=reply.location or None)
    )


@jobs.job(queue="bulk", every=jobs.Every(at="03:20"))
def forget_replies() -> None:
    """Delete keys and replies older than a day."""
    db.session().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT))


def _of(user_id: UUID, route: str, key: str) -> tuple[Any, ...]:
    return IdempotencyKey.user_id == user_id, IdempotencyKey.route == route, IdempotencyKey.key == key


def _open(stored: str) -> str:
    try:
        return _cipher().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise Conflict(
            _("The reply kept for this Idempotency-Key can no longer be read. Look at what was done before sending a new one.")
        ) from error


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(signing.key("idempotency")))
