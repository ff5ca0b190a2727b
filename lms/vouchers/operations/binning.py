"""Batches in the recycle bin: only such as nobody used; their codes are void while they lie there, and what they were afterwards."""

from lms.core import audit, bin, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.vouchers import queries
from lms.vouchers.models import Batch
from lms.vouchers.operations.batches import not_a_gift, void_codes
from lms.vouchers.operations.editing import unvoid

KIND = "vouchers"


def delete_batch(batch: Batch, *, by: Actor) -> bool:
    """Put a batch into the bin for thirty days; twice changes nothing. Raises Conflict when any of its codes was used.

    Its codes are made void first: whoever is at one in this moment is done before, or refused after.
    """
    not_a_gift(batch)
    locked = queries.lock_batch(batch.id)
    if locked.deleted_at is not None:
        return False
    moment = now()
    void_codes(locked, reason=_("The batch was deleted"), by=by)
    if queries.totals_of([locked.id])[locked.id].redeemed:
        raise Conflict(_("Codes of this batch were used, so it stays for the books. Void the rest of them instead."), rule="used")
    audit.update(locked, "vouchers.delete_batch", by=by, deleted_at=moment)
    bin.put(KIND, locked.id, locked.label, by=by, kept={"since": moment.isoformat()})
    db.session().flush()
    return True


def restore_batch(batch: Batch, *, by: Actor) -> bool:
    """Bring a batch back with the codes that became void when it was deleted; twice changes nothing."""
    bin.expect_kept(KIND, batch.id)
    locked = queries.lock_batch(batch.id)
    if locked.deleted_at is None:
        return False
    deleted_at = locked.deleted_at
    audit.update(locked, "vouchers.restore_batch", by=by, deleted_at=None)
    db.session().flush()
    voided_at = queries.voided_after(locked.id, deleted_at)
    if voided_at is not None:
        unvoid(locked, voided_at, by=by)
    bin.take_out(KIND, [locked.id], by=by)
    return True
