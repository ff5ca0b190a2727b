"""Originals on their way to the cold place: a copy there, then the row says so, then the warm one goes. Killed between, nothing is lost."""

from datetime import timedelta
from uuid import UUID

from lms.content import operations, queries
from lms.content.jobs.runs import StoreAway
from lms.core.clock import now
from lms.core.errors import Unavailable
from lms.core.jobs import Every, job, step
from lms.core.storage import Missing, cold, storage
from lms.core.tenancy import current_channel

AT_ONCE = 200
LINGERS = timedelta(hours=1)  # somebody may be reading it where it was


@job(queue="bulk", every=Every(minutes=60))
def find_originals() -> None:
    """Send the originals that have been ready for as long as the academy says to the cold place."""
    days = queries.watching_rule().cold_after_days
    if days is None:
        return
    for asset in queries.warm_originals(now() - timedelta(days=days), most=AT_ONCE):
        cool_original.put({"asset_id": str(asset.id)}, key=f"cool:{asset.id}")


@job(queue="bulk", tries=5, lease_seconds=300, in_steps=True)
def cool_original(asset_id: str) -> None:
    """Have an original lie in the cold place; doing it again changes nothing."""
    with step():
        asset = queries.find_deleted(UUID(asset_id))
        key, size, is_wanted = asset.original_key, asset.size, asset.has_original and not asset.is_cold
    if is_wanted:
        try:
            storage().copy(key, cold(key), _renew)
            is_whole = storage().size(cold(key)) == size
        except Missing:
            is_whole = False
        except Unavailable as error:
            raise StoreAway(error.sentence) from error
        if is_whole and _moved(asset.id, key):
            return
    with step():  # deleted or made anew meanwhile: no copy stays behind
        if not queries.hold_asset(asset.id).is_cold:
            storage().delete_all(cold(f"{current_channel()}/uploads/{asset_id}"))


@job(queue="bulk")
def drop_warm(asset_id: str, key: str) -> None:
    """Take away what an original left where it lay before."""
    operations.drop_warm(queries.find_deleted(UUID(asset_id)), key)


def _moved(asset_id: UUID, key: str) -> bool:
    with step():
        if not operations.show_cold(queries.hold_asset(asset_id), key):
            return False
        drop_warm.put({"asset_id": str(asset_id), "key": key}, run_at=now() + LINGERS)
        return True


def _renew() -> None:
    with step():
        pass
