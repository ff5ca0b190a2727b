"""Uploads: begun, gone on with, ended, given up; and files that come in one piece."""

import math
from pathlib import Path
from typing import BinaryIO

from lms.content import queries
from lms.content.errors import UploadIncomplete, UploadOver, WrongUpload
from lms.content.events import AssetDeleted, AssetReceived
from lms.content.models import KINDS, Asset, Upload
from lms.content.operations.holding import take_room
from lms.core import audit, db, limits
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
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


def start_upload(filename: str, size: int, kind: str, *, by: Actor, mark: str = "") -> Upload:
    """Begin an upload in parts of a file of `size` bytes; an empty kind is told from the name. `mark` is the browser's print of it."""
    asset = _new_asset(filename, size, kind, by=by)
    asset.print = mark[:100] or None
    part_size = max(PART_SIZE, math.ceil(size / MOST_PARTS / MIB) * MIB)
    upload = Upload(
        asset_id=asset.id,
        key=asset.original_key,
        upload_id=storage().begin(asset.original_key, part_size=part_size),
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
    hand_over(asset, "content.uploaded", by=by)


def receive_file(filename: str, stream: BinaryIO, kind: str, *, by: Actor) -> Asset:
    """Take a file sent in one piece by a plain form, at most 512 MB, and hand it to a worker."""
    size = _length(stream)
    if size > MAX_PLAIN:
        raise WrongUpload(_("Without JavaScript a file may have at most 512 MB."), fields={"file": _("Choose a smaller file.")})
    asset = _new_asset(filename, size, kind, by=by)
    asset.sha256 = storage().put(asset.original_key, stream).sha256
    audit.record("content.upload", asset, by=by, after={"filename": asset.filename, "size": size, "kind": asset.kind}, name=asset.filename)
    hand_over(asset, "content.uploaded", by=by)
    return asset


def receive_path(path: Path, filename: str, kind: str, *, by: Actor) -> Asset:
    """Take a file of this machine (the demo, a recording, a command) and hand it to a worker."""
    with path.open("rb") as stream:
        asset = _new_asset(filename, path.stat().st_size, kind, by=by)
        asset.sha256 = storage().put(asset.original_key, stream).sha256
    hand_over(asset, "content.uploaded", by=by)
    return asset


def cancel_upload(upload: Upload, asset: Asset, *, by: Actor) -> None:
    """Give an upload up; what arrived of it goes. Giving up twice changes nothing."""
    if not upload.is_open:
        return
    upload.state = "aborted"
    if audit.update(asset, "content.delete", by=by, state="deleted"):
        emit(AssetDeleted(by=by.user_id, asset_id=asset.id))


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
    take_room(size)
    asset = Asset(id=uuid7(), owner_id=by.user_id, kind=kind, filename=name, size=size, original_key="")
    asset.original_key = f"{current_channel()}/uploads/{asset.id}/original"
    db.session().add(asset)
    db.session().flush()
    return asset


def hand_over(asset: Asset, action: str, *, by: Actor) -> None:
    """Give a file to the workers, from its beginning."""
    asset.progress, asset.stage, asset.failure, asset.ready_at = 0, "", None, None
    audit.update(asset, action, by=by, state="checking")
    emit(AssetReceived(by=by.user_id, asset_id=asset.id))


def _length(stream: BinaryIO) -> int:
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(0)
    return size
