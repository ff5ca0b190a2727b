"""The one-time download: the database holds the codes encrypted, the browser that made them holds the key; afterwards neither exists.

A dump, a backup, a queue or a log therefore never contains a code that can be used.
"""

import json
import os
import zlib
from datetime import timedelta
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.vouchers import queries
from lms.vouchers.errors import CodesGone
from lms.vouchers.models import Batch, Envelope
from lms.vouchers.operations.codes import seal_key, write

KEPT = timedelta(hours=1)
NONCE = 12


def put_in_envelope(batch: Batch, codes: list[str], *, seal: str, by: Actor) -> None:
    """Keep the codes for the download, readable only with the seal, for an hour at most."""
    nonce = os.urandom(NONCE)
    plain = zlib.compress(json.dumps(codes).encode())
    sealed = nonce + AESGCM(seal_key(seal)).encrypt(nonce, plain, batch.id.bytes)
    moment = now()
    db.session().add(Envelope(batch_id=batch.id, made_by=by.user_id, sealed=sealed, made_at=moment, expires_at=moment + KEPT))


def open_codes(batch: Batch, *, seal: str) -> list[str]:
    """The codes of a new batch as they stand on cards, in order; raises CodesGone when the download is over or the seal is another's."""
    envelope = queries.find_envelope(batch.id)
    if envelope is None or envelope.expires_at <= now():
        raise CodesGone(_("The codes of this batch were shown once and are not kept. Void the batch and make a new one if they are lost."))
    try:
        plain = AESGCM(seal_key(seal)).decrypt(envelope.sealed[:NONCE], envelope.sealed[NONCE:], batch.id.bytes)
    except InvalidTag as error:
        raise CodesGone(_("Only the browser in which this batch was made can open its codes. Go back to it, or void the batch.")) from error
    return [write(code, batch.prefix, batch.grouping) for code in json.loads(zlib.decompress(plain))]


def discard_codes(batch: Batch, *, by: Actor) -> bool:
    """Throw the one-time download away; false when it was gone already."""
    gone = db.session().scalars(delete(Envelope).where(Envelope.batch_id == batch.id).returning(Envelope.id)).all()
    if gone:
        audit.record("vouchers.discard_codes", batch, by=by)
    return bool(gone)


def discard_old_envelopes() -> list[UUID]:
    """Throw away every download that nobody fetched within the hour; the batches they belonged to."""
    return list(db.session().scalars(delete(Envelope).where(Envelope.expires_at <= now()).returning(Envelope.batch_id)))
