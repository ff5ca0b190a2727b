"""Files, their uploads, pieces and tracks, and the room they take."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, case, cast, func, select

from lms.content.errors import NoSuchAsset
from lms.content.models import WORKING, Asset, Piece, Track, Upload, Usage
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.models import Outbox
from lms.core.storage import Part, cold, storage

IS_COLD = Asset.original_key.startswith(cold(""))


class Pace(NamedTuple):
    """How fast a video is being made: seconds of video a second, and seconds left (None while that cannot be told)."""

    speed: float
    left: float


class Room(NamedTuple):
    """Bytes that lie in the store: originals at hand, originals in the cold place, and what was made of them."""

    originals: int
    cold: int
    made: int


class UploadState(NamedTuple):
    """How far an upload is: the numbers that arrived whole, and the numbers that are missing."""

    received: list[int]
    missing: list[int]


def get_asset(asset_id: UUID) -> Asset:
    """One file of this channel; deleted ones are not there."""
    found = db.session().get(Asset, asset_id)
    if found is None or found.state == "deleted":
        raise NoSuchAsset(_("This file is not here. It may have been deleted."))
    return found


def lock_asset(asset_id: UUID) -> Asset:
    """One file of this channel, held until the transaction ends; deleted ones are not there."""
    found = db.session().scalar(select(Asset).where(Asset.id == asset_id).with_for_update().execution_options(populate_existing=True))
    if found is None or found.state == "deleted":
        raise NoSuchAsset(_("This file is not here. It may have been deleted."))
    return found


def find_deleted(asset_id: UUID) -> Asset:
    """One file of this channel, deleted or not."""
    found = db.session().get(Asset, asset_id)
    if found is None:
        raise NoSuchAsset(_("This file is not here. It may have been deleted."))
    return found


def hold_asset(asset_id: UUID) -> Asset:
    """One file of this channel, deleted or not, held until the transaction ends."""
    return db.session().get_one(Asset, asset_id, with_for_update=True, populate_existing=True)


def assets_by_id(asset_ids: Sequence[UUID | None]) -> dict[UUID, Asset]:
    """The files of those ids that are here, in one query."""
    wanted = {asset_id for asset_id in asset_ids if asset_id is not None}
    if not wanted:
        return {}
    return {row.id: row for row in db.session().scalars(select(Asset).where(Asset.id.in_(wanted), Asset.state != "deleted"))}


def get_upload(asset_id: UUID) -> Upload:
    """The upload an asset comes by."""
    found = db.session().scalar(select(Upload).where(Upload.asset_id == asset_id))
    if found is None:
        raise NoSuchAsset(_("This file is not here. It may have been deleted."))
    return found


def find_upload(asset_id: UUID) -> Upload | None:
    """The upload an asset came by in parts, or None when it came in one piece."""
    return db.session().scalar(select(Upload).where(Upload.asset_id == asset_id))


def upload_state(upload: Upload) -> UploadState:
    """Which parts the store holds, each of exactly its size."""
    held: dict[int, Part] = {part.number: part for part in storage().parts(upload.key, upload.upload_id)} if upload.is_open else {}
    numbers = range(1, upload.part_count + 1)
    received = [number for number in numbers if number in held and held[number].size == upload.size_of(number)]
    if not upload.is_open:
        received = list(numbers)
    arrived = set(received)
    return UploadState(received, [number for number in numbers if number not in arrived])


def forgotten_uploads(before: datetime) -> Sequence[Upload]:
    """Open uploads nobody has touched since the moment."""
    return db.session().scalars(select(Upload).where(Upload.state == "open", Upload.touched_at < before).limit(500)).all()


def stuck_assets(before: datetime, *tasks: str) -> Sequence[Asset]:
    """Files that say they are being worked on while no job for them waits or runs, and no piece of them."""
    at_work = select(Outbox.id).where(
        Outbox.task.in_(tasks),
        Outbox.key.contains(cast(Asset.id, Text)),
        Outbox.done_at.is_(None),
        Outbox.dead_at.is_(None),
    )
    in_pieces = select(Piece.id).where(Piece.asset_id == Asset.id, Piece.run == Asset.run, Piece.state != "done")
    return (
        db.session()
        .scalars(select(Asset).where(Asset.state.in_(WORKING), Asset.updated_at < before, ~at_work.exists(), ~in_pieces.exists()))
        .all()
    )


def orphaned_pieces(before: datetime, task: str) -> Sequence[Piece]:
    """Pieces in hand of a ticket that is no longer there."""
    held = select(Outbox.id).where(
        Outbox.task == task, Outbox.key == func.concat("encode:", Piece.ticket), Outbox.done_at.is_(None), Outbox.dead_at.is_(None)
    )
    return db.session().scalars(select(Piece).where(Piece.state == "running", Piece.taken_at < before, ~held.exists())).all()


def pieces_of(asset_id: UUID, run: str) -> Sequence[Piece]:
    """The pieces of a run in their order."""
    return db.session().scalars(select(Piece).where(Piece.asset_id == asset_id, Piece.run == run).order_by(Piece.number)).all()


def pace_of(asset: Asset) -> Pace | None:
    """How fast the pieces of a video are being made, by what was done since the first was taken; None while nobody can tell."""
    share = case((Piece.kind == "sound", 0.05), else_=1.0)
    whole, done, since = (
        db.session()
        .execute(
            select(func.sum(Piece.seconds * share), func.sum(Piece.done_seconds * share), func.min(Piece.taken_at)).where(
                Piece.asset_id == asset.id, Piece.run == asset.run
            )
        )
        .one()
    )
    if not done or done < 1 or since is None:
        return None
    speed = done / max((now() - since).total_seconds(), 1.0)
    return Pace(speed, max(whole - done, 0.0) / speed)


def count_waiting(task: str, but: str) -> tuple[int, int]:
    """How many pieces wait, and how many tickets are out besides one."""
    out = select(func.count()).where(Outbox.task == task, Outbox.done_at.is_(None), Outbox.dead_at.is_(None), Outbox.key != but)
    waiting = select(func.count()).where(Piece.state == "waiting")
    row = db.session().execute(select(waiting.scalar_subquery(), out.scalar_subquery())).one()
    return row[0], row[1]


def leftover_assets(before: datetime) -> Sequence[Asset]:
    """Failed and deleted files whose original still lies in quarantine."""
    return (
        db.session()
        .scalars(
            select(Asset).where(Asset.state.in_(("failed", "deleted")), Asset.updated_at < before, Asset.original_key != "").limit(500)
        )
        .all()
    )


def warm_originals(before: datetime, *, most: int) -> Sequence[Asset]:
    """Files ready since the moment whose original does not lie in the cold place, oldest first."""
    wanted = select(Asset).where(Asset.state == "ready", Asset.ready_at < before, Asset.original_key != "", ~IS_COLD)
    return db.session().scalars(wanted.order_by(Asset.ready_at).limit(most)).all()


def room() -> Room:
    """What the academy's files take, by what it is; one query."""
    size = func.coalesce(func.sum(case((Asset.original_key != "", Asset.size), else_=0)).filter(~IS_COLD), 0)
    cooled = func.coalesce(func.sum(Asset.size).filter(IS_COLD), 0)
    made = func.coalesce(func.sum(Asset.made_bytes), 0)
    return Room(*(int(one) for one in db.session().execute(select(size, cooled, made)).one()))


def usage() -> Usage | None:
    """How much this academy holds and may hold; None before its first upload."""
    return db.session().scalars(select(Usage).execution_options(populate_existing=True)).one_or_none()


def find_twin(mark: str, size: int, kind: str, by: Actor) -> Asset | None:
    """A usable file that is in all likelihood the same, of this person or, for admins, of anybody."""
    statement = select(Asset).where(Asset.print == mark, Asset.size == size, Asset.kind == kind)
    statement = statement.where(Asset.state.in_(("checking", "processing", "ready")))
    if not by.is_admin:
        statement = statement.where(Asset.owner_id == by.user_id)
    return db.session().scalars(statement.order_by(Asset.created_at.desc()).limit(1)).one_or_none()


def pictures_of(owner: Actor, *, most: int = 30) -> Sequence[Asset]:
    """The newest ready pictures this person uploaded; anybody's for an admin."""
    statement = select(Asset).where(Asset.kind == "image", Asset.state == "ready")
    if not owner.is_admin:
        statement = statement.where(Asset.owner_id == owner.user_id)
    return db.session().scalars(statement.order_by(Asset.created_at.desc(), Asset.id.desc()).limit(most)).all()


def get_track(track_id: UUID) -> Track:
    """Captions or chapters of this channel."""
    found = db.session().get(Track, track_id)
    if found is None:
        raise NoSuchAsset(_("These captions are not here. They may have been taken away."))
    return found


def find_track(asset_id: UUID, kind: str, language: str) -> Track | None:
    """The captions or chapters of a video in a language, or None."""
    statement = select(Track).where(Track.asset_id == asset_id, Track.kind == kind, Track.language == language)
    return db.session().scalars(statement).one_or_none()


def tracks_of(asset_id: UUID) -> Sequence[Track]:
    """Captions, then chapters of a video, by language."""
    return db.session().scalars(select(Track).where(Track.asset_id == asset_id).order_by(Track.kind, Track.language)).all()
