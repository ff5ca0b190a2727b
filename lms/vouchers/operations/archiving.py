"""Batches that are done with, out of the way: nothing of them is outstanding, their figures and trails stay where they were."""

from lms.core import audit
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.i18n import ngettext
from lms.vouchers import queries
from lms.vouchers.models import Batch
from lms.vouchers.operations.batches import not_a_gift


def archive_batch(batch: Batch, *, by: Actor) -> bool:
    """Put a batch into the archive; twice changes nothing. Raises Conflict while codes of it can still be redeemed."""
    not_a_gift(batch)
    locked = queries.lock_batch(batch.id)
    if locked.archived_at is not None:
        return False
    left = queries.totals_of([locked.id])[locked.id].outstanding
    if left:
        sentence = ngettext(
            "%(num)s use of its codes is still outstanding. Void it first, or wait until it expires.",
            "%(num)s uses of its codes are still outstanding. Void the rest first, or wait until they expire.",
            left,
        )
        raise Conflict(sentence, rule="outstanding")
    return audit.update(locked, "vouchers.archive_batch", by=by, archived_at=now())


def unarchive_batch(batch: Batch, *, by: Actor) -> bool:
    """Bring a batch back into the list; twice changes nothing."""
    return audit.update(queries.lock_batch(batch.id), "vouchers.unarchive_batch", by=by, archived_at=None)
