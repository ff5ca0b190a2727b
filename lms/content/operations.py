"""Every change of content: uploads begin, go on and end; assets become playable, ready, failed, deleted; grants open and shut."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import update

from lms.content import gateways, queries
from lms.content.errors import NotRetryable, UploadIncomplete, UploadOver, WrongUpload
from lms.content.events import AssetDeleted, AssetFailed, AssetReady, AssetReceived
from lms.content.models import KINDS, WORKING, Asset, Upload
from lms.core import audit, bin, db, limits
from lms.core.clock import now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Conflict, Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.references import what_hangs_on
from lms.core.storage import storage
from lms.core.storage.keys import safe_name
from lms.core.tenancy import current_channel

MIB = 1 << 20
GIB = 1 << 30
MAX_SIZES = {"video": 20 * GIB, "audio": 2 * GIB, "image": 25 * MIB, "document": 512 * MIB, "file": 2 * GIB}
MAX_PLAIN = 512 * MIB
PART_SIZE = 8 * MIB
MOST_PARTS = 1000
ENDINGS = {
    "video": ("mp4", "m4v", "mov", "mkv", "webm", "avi"),
    "audio": ("mp3", "m4a", "wav", "ogg", "oga", "flac", "aac"),
    "image": ("jpg", "jpeg", "png", "webp", "gif"),
    "document": ("pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp"),
}


def kind_of_name(filename: str) -> str:
    """The kind a file claims by the end of its name; `file` when that says nothing. Checked against the content later."""
    ending = filename.rpartition(".")[2].lower()
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), "file")


def start_upload(filename: str, size: int, kind: str, *, by: Actor) -> Upload:
    """Begin an upload in parts of a file of `size` bytes; an empty kind is told from the name."""
    asset = _new_asset(filename, size, kind, by=by)
    part_size = max(PART_SIZE, math.ceil(size / MOST_PARTS / MIB) * MIB)
    upload = Upload(
        asset_id=asset.id,
        key=asset.original_key,
        upload_id=storage().begin(asset.original_key),
        size=size,
        part_size=part_size,
        part_count=max(1, math.ceil(size / part_size)),
    )
    db.session().add(upload)
    db.session().flush()
    audit.record("content.upload", asset, by=by, after={"filename": asset.filename, "size": size, "kind": asset.kind}, name=asset.filename)
    return upload


def go_on(upload: Upload, *, by: Actor) -> None:
    """Note that somebody is still at the upload, so that it is not taken for forgotten."""
    if not upload.is_open:
        raise UploadOver(_("This upload is over. Choose the file again to start anew."), rule="upload")
    upload.touched_at = now()


def complete_upload(upload: Upload, asset: Asset, *, by: Actor) -> None:
    """End an upload whose parts are all there and hand the file to a worker; completing twice changes nothing."""
    if upload.state == "completed":
        return
    if not upload.is_open:
        raise UploadOver(_("This upload is over. Choose the file again to start anew."), rule="upload")
    missing = queries.upload_state(upload).missing
    if missing:
        raise UploadIncomplete(_("%(num)s parts of the file are still missing. Resume the upload.", num=len(missing)), rule="parts")
    upload.state = "completed"
    _hand_over(asset, "content.uploaded", by=by)


def receive_file(filename: str, stream: BinaryIO, kind: str, *, by: Actor) -> Asset:
    """Take a file sent in one piece by a plain form, at most 512 MB, and hand it to a worker."""
    size = _length(stream)
    if size > MAX_PLAIN:
        raise WrongUpload(_("Without JavaScript a file may have at most 512 MB."), fields={"file": _("Choose a smaller file.")})
    asset = _new_asset(filename, size, kind, by=by)
    asset.sha256 = storage().put(asset.original_key, stream).sha256
    audit.record("content.upload", asset, by=by, after={"filename": asset.filename, "size": size, "kind": asset.kind}, name=asset.filename)
    _hand_over(asset, "content.uploaded", by=by)
    return asset


def receive_path(path: Path, filename: str, kind: str, *, by: Actor) -> Asset:
    """Take a file of this machine (the demo, a recording, a command) and hand it to a worker."""
    with path.open("rb") as stream:
        asset = _new_asset(filename, path.stat().st_size, kind, by=by)
        asset.sha256 = storage().put(asset.original_key, stream).sha256
    _hand_over(asset, "content.uploaded", by=by)
    return asset


def cancel_upload(upload: Upload, asset: Asset, *, by: Actor) -> None:
    """Give an upload up; what arrived of it goes. Giving up twice changes nothing."""
    if not upload.is_open:
        return
    upload.state = "aborted"
    if audit.update(asset, "content.delete", by=by, state="deleted"):
        emit(AssetDeleted(by=by.user_id, asset_id=asset.id))


def retry_asset(asset: Asset, *, by: Actor) -> None:
    """Hand a file that failed to a worker again."""
    if asset.is_working:
        return
    if not asset.can_retry:
        raise NotRetryable(_("There is nothing to try again. Upload another file instead."), rule="retry")
    _hand_over(asset, "content.retry", by=by)


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


def drop_original(asset: Asset) -> None:
    """Take the original out of quarantine for good: it will not be tried again."""
    if asset.original_key:
        storage().delete(asset.original_key)
        asset.original_key = ""


# --- what a worker makes of it ----------------------------------------------------------------------------------------


def begin_run(asset: Asset) -> str | None:
    """Begin to work on a file under a folder of its own; the folder, or None when there is nothing to do."""
    if asset.state not in WORKING:
        return None
    asset.run = uuid7().hex
    asset.started_at = now()
    asset.progress, asset.stage, asset.failure = 0, "check", None
    asset.folder = asset.mp4_key = asset.hls_key = asset.poster_key = None
    return f"{asset.channel_id}/assets/{asset.id}/{asset.run}"


def note_progress(asset_id: UUID, run: str, percent: int, stage: str) -> bool:
    """Show how far a run is; false when the asset was deleted or another run took over."""
    written = (
        update(Asset)
        .where(Asset.id == asset_id, Asset.run == run, Asset.state.in_(WORKING))
        .values(progress=percent, stage=stage, updated_at=now())
    )
    return bool(db.session().execute(written).rowcount)  # type: ignore[attr-defined]  # a CursorResult, since it is an UPDATE


def make_playable(asset: Asset, folder: str, values: dict[str, Any]) -> None:
    """Let people play what is there already, while better versions are in the making."""
    for name, value in values.items():
        setattr(asset, name, value)
    asset.folder = folder


def make_ready(asset: Asset, folder: str, values: dict[str, Any]) -> None:
    """Everything is made: show it, and tell who waits for it."""
    make_playable(asset, folder, values)
    asset.ready_at = now()
    asset.stage = ""
    audit.update(asset, "content.ready", by=the_platform(asset.channel_id), state="ready", progress=100)
    emit(AssetReady(asset_id=asset.id, kind=asset.kind, duration_seconds=asset.duration_seconds or 0.0))


def fail_asset(asset: Asset, refusal: Refusal, *, refused: bool) -> None:
    """Say in words why nothing could be made of a file; nothing of it is shown. `refused` files are not tried again."""
    asset.folder = asset.file_key = asset.poster_key = asset.hls_key = asset.mp4_key = None
    asset.is_refused = refused
    asset.stage = ""
    audit.update(asset, "content.failed", by=the_platform(asset.channel_id), state="failed", failure=refusal.sentence)
    emit(AssetFailed(asset_id=asset.id, reason=refusal.sentence))


# --- who may play -----------------------------------------------------------------------------------------------------


def renew_grant(asset_id: UUID, viewer: Actor) -> None:
    """Let a viewer whose right was just checked go on playing; heartbeats call it."""
    who = queries.viewer_key(viewer)
    if who:
        gateways.grants().open(current_channel(), asset_id, who, viewer.user_id)


def revoke_grants(user_id: UUID, asset_ids: Sequence[UUID] | None = None) -> int:
    """End a person's playing of these assets (None: of all) at once, in every browser; the number of grants shut."""
    return gateways.grants().shut(current_channel(), user_id, None if asset_ids is None else list(asset_ids))


def _new_asset(filename: str, size: int, kind: str, *, by: Actor) -> Asset:
    if by.user_id is None:
        raise WrongUpload(_("Sign in first."))
    name = safe_name(filename)
    kind = kind or kind_of_name(name)
    if kind not in KINDS:
        raise WrongUpload(_("Choose what kind of file this is."), fields={"kind": _("Choose a kind.")})
    if size <= 0:
        raise WrongUpload(_("The file is empty. Choose it again."), fields={"file": _("The file is empty.")})
    if size > MAX_SIZES[kind]:
        most = f"{MAX_SIZES[kind] // GIB} GB" if MAX_SIZES[kind] >= GIB else f"{MAX_SIZES[kind] // MIB} MB"
        raise WrongUpload(
            _("The file is larger than %(most)s. Save it smaller, then upload that.", most=most), fields={"file": _("Too large.")}
        )
    limits.hit("content.upload", f"{current_channel()}:{by.user_id}", most=500, seconds=3600)
    asset = Asset(id=uuid7(), owner_id=by.user_id, kind=kind, filename=name, size=size, original_key="")
    asset.original_key = f"{current_channel()}/uploads/{asset.id}/original"
    db.session().add(asset)
    db.session().flush()
    return asset


def _hand_over(asset: Asset, action: str, *, by: Actor) -> None:
    asset.progress, asset.stage, asset.failure, asset.ready_at = 0, "", None, None
    audit.update(asset, action, by=by, state="checking")
    emit(AssetReceived(by=by.user_id, asset_id=asset.id))


def _length(stream: BinaryIO) -> int:
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(0)
    return size
