"""What workers make of a file, told step by step: a run begins, goes on, makes it playable, makes it ready, or fails."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from lms.content.events import AssetFailed, AssetPlayable, AssetReady
from lms.content.models import WORKING, Asset, Piece
from lms.content.operations.spending import note_spent
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Refusal
from lms.core.events import emit
from lms.core.ids import uuid7


def begin_run(asset: Asset) -> str | None:
    """Begin to work on a file under a folder of its own; the folder, or None when there is nothing to do. What plays already plays on."""
    if asset.state not in WORKING:
        return None
    asset.run = uuid7().hex
    asset.started_at = now()
    asset.progress, asset.stage, asset.failure = 0, "check", None
    forget_pieces(asset)
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
    if asset.is_playable and asset.playable_at is None:
        asset.playable_at = now()
        emit(AssetPlayable(asset_id=asset.id, duration_seconds=asset.duration_seconds or 0.0))


def make_ready(asset: Asset, folder: str, values: dict[str, Any]) -> None:
    """Everything is made: show it, and tell who waits for it."""
    for name, value in values.items():
        setattr(asset, name, value)
    asset.folder = folder
    asset.ready_at = now()
    asset.playable_at = asset.playable_at or asset.ready_at
    asset.stage = ""
    forget_pieces(asset)
    note_spent(asset.id, made_ms=round((asset.duration_seconds or 0.0) * 1000))
    audit.update(asset, "content.ready", by=the_platform(asset.channel_id), state="ready", progress=100)
    emit(AssetReady(asset_id=asset.id, kind=asset.kind, duration_seconds=asset.duration_seconds or 0.0))


def fail_asset(asset: Asset, refusal: Refusal, *, refused: bool) -> None:
    """Say in words why nothing more could be made of a file. `refused` files are not tried again, and nothing of them is shown."""
    if refused or not asset.is_playable:
        asset.folder = asset.file_key = asset.poster_key = asset.hls_key = asset.mp4_key = asset.sound_key = asset.storyboard_key = None
    asset.is_refused = refused
    asset.stage = ""
    forget_pieces(asset)
    audit.update(asset, "content.failed", by=the_platform(asset.channel_id), state="failed", failure=refusal.sentence)
    emit(AssetFailed(asset_id=asset.id, reason=refusal.sentence))


def forget_pieces(asset: Asset) -> None:
    """Take the pieces of a file out of the workers' hands."""
    db.session().execute(delete(Piece).where(Piece.asset_id == asset.id))
