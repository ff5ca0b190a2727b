"""Files after their upload: tried again, made anew, deleted, brought back, gone."""

from uuid import UUID

from lms.content import queries
from lms.content.errors import NotRetryable
from lms.content.events import AssetDeleted
from lms.content.models import Asset
from lms.content.operations.uploads import hand_over
from lms.core import audit, bin, db
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.references import what_hangs_on
from lms.core.storage import storage


def retry_asset(asset: Asset, *, by: Actor) -> None:
    """Hand a file that failed to a worker again."""
    if asset.is_working:
        return
    if not asset.can_retry:
        raise NotRetryable(_("There is nothing to try again. Upload another file instead."), rule="retry")
    hand_over(asset, "content.retry", by=by)


def remake_asset(asset: Asset, *, by: Actor) -> None:
    """Make every size of a ready video anew; what there is plays on until then."""
    if asset.is_working:
        return
    if not asset.can_remake:
        raise NotRetryable(_("There is no original to make it anew from. Upload the video again."), rule="remake")
    hand_over(asset, "content.remake", by=by)


def delete_asset(asset: Asset, *, by: Actor) -> None:
    """Put a file into the bin: nobody plays it any more; what is stored of it goes with the bin, one that is not finished at once."""
    hanging = what_hangs_on("content.assets", [asset.id], besides=("content.uploads",))
    if hanging:
        raise Conflict(_("This file is in use: %(what)s. Take it out there first.", what=hanging[asset.id]), rule="in_use")
    before = asset.state
    if not audit.update(asset, "content.delete", by=by, state="deleted"):
        return
    if before in ("ready", "failed"):
        bin.put("file", asset.id, asset.filename, by=by, kept={"state": before})
    else:
        emit(AssetDeleted(by=by.user_id, asset_id=asset.id))


def restore_asset(asset: Asset, *, by: Actor) -> None:
    """Bring a file back out of the bin as what it was; bringing it back twice changes nothing."""
    if asset.state != "deleted":
        return
    bin.expect_kept("file", asset.id)
    kept = bin.kept_of("file", asset.id)
    if kept is None:
        raise NotRetryable(_("This file is gone. Upload it again."), rule="gone")
    audit.update(asset, "content.restore", by=by, state=kept["state"])
    bin.take_out("file", [asset.id], by=by)


def drop_asset(asset: Asset, *, by: Actor) -> None:
    """Give up a file in the bin for good: what is stored of it goes."""
    if asset.state == "deleted":
        emit(AssetDeleted(by=by.user_id, asset_id=asset.id))


def purge_files(asset_id: UUID) -> None:
    """Take away everything stored of an asset that was deleted; again changes nothing."""
    asset = db.session().get(Asset, asset_id)
    if asset is None or asset.state != "deleted":
        return
    upload = queries.find_upload(asset_id)
    if upload is not None:
        storage().abort(upload.key, upload.upload_id)
        upload.state = "aborted"
    storage().delete_all(f"{asset.channel_id}/assets/{asset.id}")
    drop_original(asset)
    storage().delete_all(f"{asset.channel_id}/uploads/{asset.id}")


def drop_original(asset: Asset) -> None:
    """Take the original out of quarantine for good: it will not be tried again."""
    if asset.original_key:
        storage().delete(asset.original_key)
        asset.original_key = ""
