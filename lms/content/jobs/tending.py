"""What is looked after by the hour: forgotten uploads, work that stopped, folders nobody plays from any more."""

from datetime import timedelta
from uuid import UUID

from lms.content import gateways, operations, queries
from lms.content.gateways import ProcessingFailed
from lms.content.jobs.checking import process
from lms.content.jobs.encoding import assemble, encode, put_tickets
from lms.content.jobs.runs import Run
from lms.core import sandbox
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.jobs import Every, job, step
from lms.core.sniff import MP4
from lms.core.storage import LocalStorage, storage
from lms.core.tenancy import current_channel


@job(queue="bulk", lease_seconds=300, in_steps=True)
def draw_poster(asset_id: str, seconds: float) -> None:
    """Make the picture at a moment of a video its poster."""
    with step():
        asset = queries.get_asset(UUID(asset_id))
    if not asset.mp4_key or asset.kind != "video":
        return
    run = Run(asset.id, asset.run or "", f"{asset.channel_id}/assets/{asset.id}")
    with sandbox.scratch() as folder:
        run.take_input(asset.mp4_key, 0, folder)
        media = gateways.media(folder, MP4, (folder / "input").stat().st_size, run.lent)
        key = run.keep(media.poster(media.look(), seconds), f"poster-{uuid7().hex}.jpg")
    with step():
        operations.show_poster(queries.lock_asset(asset.id), key)


@job(queue="bulk", every=Every(at="20:00"))
def weigh_files() -> None:
    """Note how many bytes lie in the store today."""
    operations.weigh()


@job(queue="bulk", every=Every(minutes=60))
def forget_abandoned() -> None:
    """Let uploads go that nobody touched for a week, originals of failed files after a week, and what killed workers left."""
    operations.purge_devices()
    machine = the_platform(current_channel())
    for upload in queries.forgotten_uploads(now() - timedelta(days=7)):
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
