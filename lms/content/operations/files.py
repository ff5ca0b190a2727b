"""Files after their upload: tried again, made anew, deleted, brought back, gone."""

from uuid import UUID

from lms.content import queries
from lms.content.errors import NotRetryable
from lms.content.events import AssetDeleted, PosterWanted
from lms.content.models import Asset
from lms.content.operations.holding import give_room
from lms.content.operations.uploads import hand_over
from lms.core import audit, bin, db
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.references import what_hangs_on
from lms.core.storage import cold, storage


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


def choose_moment(asset: Asset, seconds: float, *, by: Actor) -> None:
    """Ask for the picture at a moment of a video as its poster; a worker draws it."""
    if not asset.is_playable or asset.kind != "video":
        raise NotRetryable(_("This video cannot be played yet. Choose its picture later."), rule="poster")
    if not 0 <= seconds <= (asset.duration_seconds or 0):
        raise Invalid(_("The video has no such moment."), fields={"at": _("Choose a moment inside the video.")})
    audit.record("content.set_poster", asset, by=by, after={"seconds": seconds}, name=asset.filename)
    emit(PosterWanted(by=by.user_id, asset_id=asset.id, seconds=seconds))


def choose_picture(asset: Asset, picture: Asset, *, by: Actor) -> None:
    """Make a ready picture the poster of a video; it is copied, so the picture itself may go."""
    if picture.kind != "image" or picture.poster_key is None or (not by.is_admin and picture.owner_id != by.user_id):
        raise Invalid(_("Choose a picture of your own that is ready."), fields={"picture": _("Choose another picture.")})
    key = f"{asset.channel_id}/assets/{asset.id}/poster-{uuid7().hex}.webp"
    with storage().open(picture.poster_key) as source:
        storage().put(key, source)
    audit.record("content.set_poster", asset, by=by, after={"file": picture.filename}, name=asset.filename)
    show_poster(asset, key)


def show_poster(asset: Asset, key: str) -> None:
    """Show a chosen picture before the video plays, whatever is made of it later."""
    asset.poster_key = key
    asset.made = {**asset.made, "poster": True}


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
    if not asset.made.get("gone"):
        asset.made, asset.made_bytes = {"gone": True}, 0
        give_room(asset.size)
    for place in (f"{asset.channel_id}/uploads/{asset.id}", cold(f"{asset.channel_id}/uploads/{asset.id}")):
        storage().delete_all(place)


def drop_original(asset: Asset) -> None:
    """Take the original out of quarantine for good: it will not be tried again."""
    if asset.original_key:
        storage().delete(asset.original_key)
        asset.original_key = ""
