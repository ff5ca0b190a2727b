"""Assets, the uploads they come by, and the pieces they are made in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.auth.models import BROWSERS, SYSTEMS
from lms.core.captions import Cue, read_captions
from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.i18n import gettext as _
from lms.core.storage import is_cold

KINDS = ("video", "audio", "image", "document", "file")
STATES = ("uploading", "checking", "processing", "ready", "failed", "deleted")
PRICES = ("price_hour", "price_stored", "price_cold", "price_given")
WORKING = ("checking", "processing")


class Asset(Tenant, Base):
    """One file of a channel and what was made of it; sizes are bytes, `progress` is percent, keys are the storage's.

    `original_key` lies in quarantine and is never served. `folder` holds what a run made; `run` names the newest run.
    """

    __tablename__ = "assets"
    __table_args__ = (
        belongs_to("owner_id", "channels.members"),
        Index("ix_assets_made", "channel_id", "created_at", "id"),
        Index("ix_assets_owner", "channel_id", "owner_id", "created_at"),
        Index("ix_assets_state", "channel_id", "state", "updated_at"),
        Index("ix_assets_print", "channel_id", "print", "size", postgresql_where=text("print IS NOT NULL")),
        {"schema": "content"},
    )

    owner_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="uploading")
    filename: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str | None]
    print: Mapped[str | None]  # of its first and last bytes, told by the browser: to find it before it is sent again
    content_type: Mapped[str] = mapped_column(default="application/octet-stream")
    duration_seconds: Mapped[float | None] = mapped_column(Float(53))
    width: Mapped[int | None]
    height: Mapped[int | None]
    original_key: Mapped[str]
    run: Mapped[str | None]
    folder: Mapped[str | None]
    file_key: Mapped[str | None]
    poster_key: Mapped[str | None]
    hls_key: Mapped[str | None]
    mp4_key: Mapped[str | None]
    sound_key: Mapped[str | None]
    storyboard_key: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made: Mapped[dict[str, Any]] = mapped_column(default=dict)  # sizes with their bits a second, the outline of the sound
    made_bytes: Mapped[int] = mapped_column(default=0)
    progress: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(default="")
    failure: Mapped[str | None]
    is_refused: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    started_at: Mapped[datetime | None]
    playable_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]

    @property
    def is_working(self) -> bool:
        """Whether a worker has it or will soon."""
        return self.state in WORKING

    @property
    def is_ready(self) -> bool:
        """Whether everything that is made of it was made."""
        return self.state == "ready"

    @property
    def is_playable(self) -> bool:
        """Whether there is something to play already, perhaps while better versions are in the making or did not work out."""
        return bool(self.mp4_key or self.hls_key) and self.state not in ("uploading", "deleted")

    @property
    def can_remake(self) -> bool:
        """Whether its sizes can be made anew: the original is still here."""
        return self.kind == "video" and self.has_original

    @property
    def has_original(self) -> bool:
        """Whether what was uploaded is still here as it came, checked and ready."""
        return self.state == "ready" and bool(self.original_key)

    @property
    def is_cold(self) -> bool:
        """Whether the original lies in the cold place."""
        return is_cold(self.original_key)

    @property
    def can_retry(self) -> bool:
        """Whether trying again may help: it failed, and not because of what the file is."""
        return self.state == "failed" and not self.is_refused

    @property
    def processing_seconds(self) -> float | None:
        """How long it took from the worker's start to ready; None before."""
        if self.started_at is None or self.ready_at is None:
            return None
        return (self.ready_at - self.started_at).total_seconds()


class Upload(Tenant, Base):
    """One upload in parts: the store's id of it, and how the file is cut."""

    __tablename__ = "uploads"
    __table_args__ = (
        belongs_to("asset_id", "content.assets", ondelete="CASCADE"),
        UniqueConstraint("channel_id", "asset_id"),
        Index("ix_uploads_open", "channel_id", "state", "touched_at"),
        {"schema": "content"},
    )

    asset_id: Mapped[UUID]
    key: Mapped[str]
    upload_id: Mapped[str]
    size: Mapped[int]
    part_size: Mapped[int]
    part_count: Mapped[int]
    state: Mapped[str] = mapped_column(default="open")
    created_at: Mapped[datetime] = mapped_column(default=now)
    touched_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def is_open(self) -> bool:
        """Whether parts are still taken."""
        return self.state == "open"

    def size_of(self, number: int) -> int:
        """The exact bytes of part `number`, from 1."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)


class Piece(Tenant, Base):
    """A stretch of a video, or its sound, waiting for a worker; times are seconds of the video.

    `ticket` is the worker's job that has it in hand; `made` is what came of it. Gone once the video is put together.
    """

    __tablename__ = "pieces"
    __table_args__ = (
        belongs_to("asset_id", "content.assets", ondelete="CASCADE"),
        UniqueConstraint("channel_id", "asset_id", "run", "number"),
        Index("ix_pieces_open", "channel_id", "state", "created_at", postgresql_where=text("state <> 'done'")),
        {"schema": "content"},
    )

    asset_id: Mapped[UUID]
    run: Mapped[str]
    number: Mapped[int]
    kind: Mapped[str]
    source_key: Mapped[str]
    starts_at: Mapped[float] = mapped_column(Float(53), default=0.0)
    seconds: Mapped[float] = mapped_column(Float(53))
    state: Mapped[str] = mapped_column(default="waiting")
    ticket: Mapped[UUID | None]
    tries: Mapped[int] = mapped_column(default=0)
    done_seconds: Mapped[float] = mapped_column(Float(53), default=0.0)
    made: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
    taken_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class Track(Tenant, Base):
    """Captions of a video in one language, or its chapters, as cleaned WebVTT; `version` counts its changes."""

    __tablename__ = "tracks"
    __table_args__ = (
        belongs_to("asset_id", "content.assets", ondelete="CASCADE"),
        UniqueConstraint("channel_id", "asset_id", "kind", "language"),
        {"schema": "content"},
    )

    asset_id: Mapped[UUID]
    kind: Mapped[str]
    language: Mapped[str]
    label: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str]
    lines: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @property
    def cues(self) -> list[Cue]:
        """Its lines in order."""
        return read_captions(self.body.encode()) if self.lines else []


class Rule(Tenant, Base):
    """How an academy's videos may be watched: on how many screens at once and on how many devices at all (None: on any number of them),
    and with the viewer's address over them; after how many days an original goes to the cold place (None: never); and what
    an hour of processor time, a GB for a month and a GB given cost, in millionths of the academy's currency (None: not said)."""

    __tablename__ = "rules"
    __table_args__ = (
        UniqueConstraint("channel_id"),
        CheckConstraint("most_screens BETWEEN 1 AND 20", name="most_screens"),
        CheckConstraint("most_devices BETWEEN 1 AND 20", name="most_devices"),
        CheckConstraint("cold_after_days BETWEEN 1 AND 3650", name="cold_after_days"),
        *(CheckConstraint(f"{price} BETWEEN 0 AND 1000000000000", name=price) for price in PRICES),
        {"schema": "content"},
    )

    most_screens: Mapped[int | None]
    has_watermark: Mapped[bool] = mapped_column(default=False)
    most_devices: Mapped[int | None]
    cold_after_days: Mapped[int | None]
    price_hour: Mapped[int | None]
    price_stored: Mapped[int | None]
    price_cold: Mapped[int | None]
    price_given: Mapped[int | None]


class Device(Tenant, Base):
    """A browser or app somebody watches on, where their number is limited: `mark` is what it is known by, `place` which of the
    places it takes, `viewer` the sign-in it was last seen with. `forgotten_by` is empty for one that was not seen for long."""

    __tablename__ = "devices"
    __table_args__ = (
        belongs_to("user_id", "channels.members", ondelete="CASCADE"),
        CheckConstraint("place BETWEEN 1 AND 20", name="place"),
        Index("uq_devices_place", "channel_id", "user_id", "place", unique=True, postgresql_where=text("forgotten_at IS NULL")),
        Index("uq_devices_mark", "channel_id", "user_id", "mark", unique=True, postgresql_where=text("forgotten_at IS NULL")),
        Index("ix_devices_user", "channel_id", "user_id", "seen_at"),
        {"schema": "content"},
    )

    user_id: Mapped[UUID]
    mark: Mapped[str]
    agent: Mapped[str] = mapped_column(default="")
    viewer: Mapped[str] = mapped_column(default="")
    place: Mapped[int]
    first_seen_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    forgotten_at: Mapped[datetime | None]
    forgotten_by: Mapped[UUID | None]

    @property
    def name(self) -> str:
        """The browser and the system in plain words, as far as it says them."""
        browser = next((name for mark, name in BROWSERS if mark in self.agent), "")
        system = next((name for mark, name in SYSTEMS if mark in self.agent), "")
        if browser and system:
            return _("%(browser)s on %(system)s", browser=browser, system=system)
        return browser or system or self.agent.partition(" ")[0][:40] or _("Unknown browser")


@dataclass(frozen=True, slots=True)
class Devices:
    """Where somebody watches: `most` devices at all (None: any number), those known, newest first, and those they gave up lately."""

    IDLE = timedelta(days=60)  # not seen for so long, a device gives its place to another
    MOST_CHANGES = 3
    CHANGES = timedelta(days=30)

    most: int | None
    known: Sequence[Device]
    changed: Sequence[Device]

    def holds_place(self, device: Device, at: datetime) -> bool:
        """Whether a known device counts: it has one of the places there are, and was seen lately."""
        return self.most is not None and device.place <= self.most and device.seen_at > at - self.IDLE

    def find(self, mark: str) -> Device | None:
        """The known device of that mark."""
        return next((one for one in self.known if one.mark == mark), None)

    def was_given_up(self, mark: str) -> bool:
        """Whether the person forgot that device themselves, and has not opened a lesson on it since."""
        return self.find(mark) is None and any(one.mark == mark for one in self.changed)

    def in_use(self, at: datetime) -> list[Device]:
        """The devices that count."""
        return [one for one in self.known if self.holds_place(one, at)]

    def next_change(self, at: datetime) -> datetime | None:
        """When the person may give up a device again by themselves; None: now."""
        late = sorted(one.forgotten_at for one in self.changed if one.forgotten_at is not None and one.forgotten_at > at - self.CHANGES)
        return late[-self.MOST_CHANGES] + self.CHANGES if len(late) >= self.MOST_CHANGES else None


class Spent(Tenant, Base):
    """What a file cost in one month: processor time, the length made ready, bytes given as downloads, and bytes stored times days."""

    __tablename__ = "spent"
    __table_args__ = (
        belongs_to("asset_id", "content.assets", ondelete="CASCADE"),
        UniqueConstraint("channel_id", "asset_id", "month"),
        CheckConstraint("cpu_ms >= 0 AND made_ms >= 0 AND given_bytes >= 0", name="not_negative"),
        Index("ix_spent_month", "channel_id", "month"),
        {"schema": "content"},
    )

    asset_id: Mapped[UUID]
    month: Mapped[date]
    cpu_ms: Mapped[int] = mapped_column(default=0)
    made_ms: Mapped[int] = mapped_column(default=0)
    given_bytes: Mapped[int] = mapped_column(default=0)
    original_days: Mapped[int] = mapped_column(default=0)
    cold_days: Mapped[int] = mapped_column(default=0)
    made_days: Mapped[int] = mapped_column(default=0)
    weighed_on: Mapped[date | None]


class Usage(Tenant, Base):
    """How many bytes of originals an academy holds, and may hold (None: as many as the disk)."""

    __tablename__ = "usage"
    __table_args__ = (UniqueConstraint("channel_id"), {"schema": "content"})

    held_bytes: Mapped[int] = mapped_column(default=0)
    quota_bytes: Mapped[int | None]
