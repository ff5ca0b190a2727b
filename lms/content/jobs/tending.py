"""What is looked after by the hour: forgotten uploads, work that stopped, folders nobody plays from any more."""

from datetime import timedelta

from lms.content import operations, queries
from lms.content.gateways import ProcessingFailed
from lms.content.jobs.checking import process
from lms.content.jobs.encoding import assemble, encode, put_tickets
from lms.core import sandbox
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.i18n import gettext as _
from lms.core.jobs import Every, job
from lms.core.storage import LocalStorage, storage
from lms.core.tenancy import current_channel


@job(queue="bulk", every=Every(minutes=60))
def forget_abandoned() -> None:
    """Let uploads go that nobody touched for a day, originals of failed files after a week, and what killed workers left."""
    machine = the_platform(current_channel())
    for upload in queries.forgotten_uploads(now() - timedelta(hours=24)):
        operations.cancel_upload(upload, queries.get_asset(upload.asset_id), by=machine)  # a deleted asset's upload is never open
    for asset in queries.leftover_assets(now() - timedelta(days=7)):
        operations.drop_original(asset)
    store = storage()
    if isinstance(store, LocalStorage):
        store.sweep(older_than=3 * 86_400)
    sandbox.sweep_scratch()


@job(queue="default", every=Every(minutes=5))
def find_stuck() -> None:
    """Hand pieces of dead workers to others, and fail files whose job died, so that their owner sees it and can try again."""
    sentence = _("Preparing this file stopped unexpectedly. Try again; if it fails twice, save it anew first.")
    for piece in queries.orphaned_pieces(now() - timedelta(minutes=5), encode.name):
        if not operations.give_back(piece):
            operations.fail_asset(queries.lock_asset(piece.asset_id), ProcessingFailed(sentence, rule="stuck"), refused=False)
    put_tickets()
    for asset in queries.stuck_assets(now() - timedelta(minutes=10), process.name, assemble.name):
        operations.fail_asset(asset, ProcessingFailed(sentence, rule="stuck"), refused=False)
