"""Originals that are seldom asked for go to the cold place; the row says where each lies."""

from lms.content.models import Asset
from lms.content.operations.watching import own_rule
from lms.core import audit
from lms.core.decisions import Actor, the_platform
from lms.core.storage import cold, is_cold, storage


def set_cooling(days: int | None, *, by: Actor) -> None:
    """Say how many days after it is ready an original goes to the cold place (None: it stays where it is)."""
    audit.update(own_rule(), "content.set_cooling", by=by, cold_after_days=days)


def show_cold(asset: Asset, key: str) -> bool:
    """The original under that key has a copy in the cold place: from now on it lies there. False when it is no longer the one."""
    if not asset.has_original or asset.original_key != key or is_cold(key):
        return False
    asset.original_key = cold(key)
    audit.record("content.cool", asset, by=the_platform(asset.channel_id), name=asset.filename)
    return True


def drop_warm(asset: Asset, key: str) -> None:
    """Take away what an original left where it lay before; again changes nothing. Raises Missing while the cold place does not hold it."""
    if asset.original_key == key:
        return
    if asset.original_key:
        storage().size(asset.original_key)
    storage().delete(key)
