"""Every SELECT of content, and the addresses at which an asset is played."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, case, cast, func, select

from lms.content import gateways
from lms.content.errors import NoSuchAsset, NoSuchDevice
from lms.content.models import WORKING, Asset, Device, Devices, Piece, Rule, Track, Upload, Usage
from lms.core import db, signing
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import Outbox
from lms.core.storage import Part, cold, storage
from lms.core.tenancy import current_channel

WATCH = "content:watch"
WATCH_SECONDS = 6 * 3600
DAY = 86_400
IS_COLD = Asset.original_key.startswith(cold(""))


class Caption(NamedTuple):
    """Captions in one language, as a player takes them."""

    src: str
    lang: str
    label: str
    default: bool


class Playback(NamedTuple):
    """Where to play an asset from; "" where there is nothing. Addresses work for this viewer alone and only while the grant stands."""

    hls_url: str
    mp4_url: str
    poster_url: str
    duration: float
    asset_id: UUID
    sound_url: str = ""
    storyboard_url: str = ""
    captions: Sequence[Caption] = ()
    chapters: Sequence[tuple[float, str]] = ()


class Pace(NamedTuple):
    """How fast a video is being made: seconds of video a second, and seconds left (None while that cannot be told)."""

    speed: float
    left: float


class Ticket(NamedTuple):
    """What the signed part of a playing address says: of what, for whom, since when."""

    asset_id: UUID
    viewer: str
    since: int


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


def watching_rule() -> Rule:
    """How videos may be watched here; a rule that forbids nothing where nobody made one."""
    return db.session().scalars(select(Rule)).one_or_none() or Rule(id=uuid7(), has_watermark=False)


def devices_of(user_id: UUID, most: int | None) -> Devices:
    """The devices a person watches on, and those they gave up lately; `most` is the rule's."""
    lately = (Device.forgotten_by == user_id) & (Device.forgotten_at > now() - Devices.CHANGES)
    found = (
        select(Device).where(Device.user_id == user_id, Device.forgotten_at.is_(None) | lately).order_by(Device.seen_at.desc(), Device.id)
    )
    rows = db.session().scalars(found.execution_options(populate_existing=True)).all()
    known = [one for one in rows if one.forgotten_at is None]
    return Devices(most, known, [one for one in rows if one.forgotten_at is not None])


def get_device(device_id: UUID) -> Device:
    """A device somebody watches on; forgotten ones are not there."""
    found = db.session().get(Device, device_id)
    if found is None or found.forgotten_at is not None:
        raise NoSuchDevice(_("This device is not known any more."))
    return found


def watermark_of(viewer: Actor, rule: Rule) -> str:
    """What moves over a video for this viewer: their address, where the academy wants that; else ""."""
    return viewer.email if rule.has_watermark else ""


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


# --- delivery ---------------------------------------------------------------------------------------------------------


def viewer_key(viewer: Actor) -> str:
    """What a playing address is bound to: the sign-in session, else the account (machines), else nobody."""
    if viewer.session_id is not None:
        return str(viewer.session_id)
    return f"user-{viewer.user_id}" if viewer.user_id is not None else ""


def playback_of(asset: Asset, *, viewer: Actor, public: bool = False, seconds: int = gateways.GRANT_SECONDS) -> Playback:
    """The addresses at which this viewer plays the asset from now on; the caller has decided that they may.

    It opens a grant of `seconds` for the viewer's session, which `operations.renew_grant` keeps open and
    `operations.revoke_grants` shuts. `public` is for previews that anybody may see: bound to nobody, and never shut early.
    """
    if not asset.is_playable or asset.folder is None:
        return Playback("", "", "", 0.0, asset.id)
    who = "" if public else viewer_key(viewer)
    if not who and not public:
        raise Forbidden(_("Sign in first."), rule="sign_in")
    if who:
        gateways.grants().open(current_channel(), asset.id, who, viewer.user_id, seconds)
    claims = {"a": str(asset.id), "c": str(current_channel()), "v": who, "s": int(time.time())}
    token = signing.sign(WATCH, claims, seconds=WATCH_SECONDS)
    home = f"{asset.channel_id}/assets/{asset.id}/"

    def url(key: str | None) -> str:
        return f"{place_of(asset.id)}{token}/{key.removeprefix(home)}" if key else ""

    return Playback(
        url(asset.hls_key),
        url(asset.mp4_key),
        url(asset.poster_key),
        asset.duration_seconds or 0.0,
        asset.id,
        url(asset.sound_key),
        url(asset.storyboard_key),
        [
            Caption(f"/content/tracks/{token}/{one['id']}-{one['version']}.vtt", one["lang"], one["label"], one["default"])
            for one in asset.made.get("captions", ())
        ],
        [(start, title) for start, title in asset.made.get("chapters", ())],
    )


def read_ticket(token: str) -> Ticket:
    """What the signed part of a playing address says; raises Forbidden when it was changed, is too old or is another channel's."""
    claims: dict[str, Any] = signing.unsign(WATCH, token)
    if claims["c"] != str(current_channel()):
        raise Forbidden(_("This link is of another academy."), rule="channel")
    return Ticket(UUID(claims["a"]), claims["v"], claims["s"])


def place_of(asset_id: UUID) -> str:
    """The path all playing addresses of an asset begin with; a pass for nginx is good for one of these."""
    return f"/content/watch/{current_channel()}/{asset_id}/"


def grant_stands(ticket: Ticket, viewer: Actor) -> bool:
    """Whether the viewer who asks is the one the address was made for, and their grant still stands."""
    if ticket.viewer == "":
        return True
    if ticket.viewer != viewer_key(viewer):
        return False
    return gateways.grants().stands(current_channel(), ticket.asset_id, ticket.viewer, issued_at=ticket.since)


def picture_url(asset: Asset | None) -> str:
    """A signed address of a ready picture (cover, poster), the same all day so that browsers keep it; "" without one."""
    if asset is None or asset.poster_key is None or asset.state in ("uploading", "deleted"):
        return ""
    return storage().get_url(asset.poster_key, seconds_to_tomorrow(), inline=True)


def download_url(asset: Asset, *, seconds: int = 300) -> str:
    """A short signed address that downloads a ready document or file under its own name; "" when there is nothing to download."""
    if asset.file_key is None or asset.state != "ready":
        return ""
    return storage().get_url(asset.file_key, seconds, filename=asset.filename, content_type=asset.content_type)


def original_url(asset: Asset, *, seconds: int = 300) -> str:
    """A short signed address that downloads what was uploaded as it came, wherever it lies."""
    if not asset.has_original:
        raise NoSuchAsset(_("What was uploaded is not kept of this file."))
    return storage().get_url(asset.original_key, seconds, filename=asset.filename, content_type="application/octet-stream")


def seconds_to_tomorrow() -> int:
    """Seconds to the end of tomorrow (UTC): one and the same moment all day, so signed addresses repeat and are cached."""
    moment = int(time.time())
    return (moment // DAY + 2) * DAY - moment
