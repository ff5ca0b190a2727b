"""Channels, hosts, members (whose id is the account's id), and what members prefer."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.decisions import STAFF
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7


class Channel(Base):
    """One academy: its name, money, language, zone, look and settings."""

    __tablename__ = "channels"
    __table_args__ = (UniqueConstraint("slug"), {"schema": "channels"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    slug: Mapped[str]
    name: Mapped[str]
    tagline: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(default="EUR")
    locale: Mapped[str] = mapped_column(default="en")
    zone: Mapped[str] = mapped_column(default="UTC")
    theme: Mapped[dict[str, Any]] = mapped_column(default=dict)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(default="open")
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def logo_url(self) -> str | None:
        """The address of its logo, when it has one."""
        return self.settings.get("logo_url")

    @property
    def strong_staff(self) -> bool:
        """Whether everybody who works here signs in with an app or a passkey."""
        return bool(self.settings.get("strong_staff"))


class Domain(Base):
    """A host name that leads to a channel."""

    __tablename__ = "domains"
    __table_args__ = ({"schema": "channels"},)

    host: Mapped[str] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.channels.id"))
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Member(Tenant, Base):
    """One person in one channel: the role holds here and nowhere else. `id` is the account's id."""

    __tablename__ = "members"
    __table_args__ = (
        Index("ix_members_joined", "channel_id", "joined_at", "id"),
        Index("ix_members_role", "channel_id", "role", "joined_at"),
        Index("ix_members_by_name", "channel_id", "name", "id"),
        Index("ix_members_by_email", "channel_id", "email", "id"),
        Index("ix_members_by_role", "channel_id", "role", "id"),
        Index("ix_members_by_status", "channel_id", "status", "id"),
        Index("ix_members_seen", "channel_id", "seen_at", "id"),
        Index("ix_members_person", "id"),
        {"schema": "channels"},
    )

    id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("auth.users.id"), primary_key=True, sort_order=-10)
    channel_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("channels.channels.id"), primary_key=True, sort_order=-20)
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[str]
    status: Mapped[str] = mapped_column(default="active")
    title: Mapped[str] = mapped_column(default="")
    bio: Mapped[str] = mapped_column(default="")
    avatar_key: Mapped[str | None]
    phone: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    joined_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def avatar_url(self) -> str | None:
        """Where this person's picture is shown from; None while they have none."""
        return picture_url(self.avatar_key)

    @property
    def is_staff(self) -> bool:
        """Whether this person works for the channel."""
        return self.role in STAFF

    @property
    def is_active(self) -> bool:
        """Whether this person may sign in here."""
        return self.status in ("active", "invited")


def picture_url(key: str | None) -> str | None:
    """The address of a stored picture: its name is random, so it stays the same for as long as the picture does."""
    return f"/channels/pictures/{key.rpartition('/')[2].removesuffix('.webp')}" if key else None


class Viewing(Tenant, Base):
    """An admin looked at the pages as a person: why, how long, how many pages."""

    __tablename__ = "viewings"
    __table_args__ = (
        CheckConstraint("ends_at > started_at AND pages >= 0", name="times"),
        belongs_to("viewer_id", "channels.members", name="fk_viewer_id_channels_members"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        Index("ix_viewings_person", "channel_id", "user_id", "started_at"),
        Index("ix_viewings_running", "channel_id", "viewer_id", postgresql_where=text("ended_at IS NULL")),
        {"schema": "channels"},
    )

    viewer_id: Mapped[UUID]
    user_id: Mapped[UUID]
    reason: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now)
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    pages: Mapped[int] = mapped_column(default=0)


KINDS = ("text", "number", "date", "choice", "yesno")
LONGEST_VALUE = 500
YES, NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n"})


class Field(Tenant, Base):
    """One thing this academy wants to know of its people, beyond what everybody is asked. `key` never changes; a retired one stays."""

    __tablename__ = "fields"
    __table_args__ = (
        UniqueConstraint("channel_id", "key"),
        CheckConstraint("kind IN ('text', 'number', 'date', 'choice', 'yesno')", name="kind"),
        {"schema": "channels"},
    )

    key: Mapped[str]
    label: Mapped[str]
    kind: Mapped[str]
    choices: Mapped[list[Any]] = mapped_column(default=list)
    is_required: Mapped[bool] = mapped_column(default=False)
    is_private: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    retired_at: Mapped[datetime | None]

    @property
    def name(self) -> str:
        """What the field is called in forms, files and the API; never the name of a field everybody has."""
        return f"x_{self.key}"

    def read(self, raw: str) -> str:
        """The stored form of what was typed; "" for nothing, and Invalid, in words, for what does not fit."""
        text_ = " ".join(raw.split())
        if not text_:
            return ""
        if self.kind == "number":
            return self._number(text_)
        if self.kind == "date":
            return self._date(text_)
        if self.kind == "yesno":
            folded = text_.casefold()
            found = "yes" if folded in YES | {_("yes").casefold()} else "no" if folded in NO | {_("no").casefold()} else ""
            return found or self._refuse(_("%(field)s takes yes or no.", field=self.label))
        if self.kind == "choice":
            found = next((one for one in self.choices if one.casefold() == text_.casefold()), "")
            return found or self._refuse(_("%(field)s takes one of: %(choices)s.", field=self.label, choices=", ".join(self.choices)))
        if len(text_) > LONGEST_VALUE:
            self._refuse(_("%(field)s is longer than %(most)s letters.", field=self.label, most=LONGEST_VALUE))
        return text_

    def _number(self, raw: str) -> str:
        try:
            value = Decimal(raw.replace(",", "."))
        except ArithmeticError:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value) >= 10**15 or value != round(value, 6):
            return self._refuse(_("%(field)s takes a number such as 12 or 3.5.", field=self.label))
        return f"{value.normalize():f}" if value else "0"

    def _date(self, raw: str) -> str:
        try:
            return date.fromisoformat(raw.removesuffix(" 00:00:00")).isoformat()
        except ValueError:
            return self._refuse(_("%(field)s takes a day such as 2026-11-30.", field=self.label))

    def _refuse(self, sentence: str) -> str:
        raise Invalid(sentence, fields={self.name: sentence})


class FieldValue(Tenant, Base):
    """What one person's field says, in its stored form."""

    __tablename__ = "field_values"
    __table_args__ = (
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members", ondelete="CASCADE"),
        belongs_to("field_id", "channels.fields", name="fk_field_id_channels_fields"),
        UniqueConstraint("channel_id", "user_id", "field_id"),
        Index("ix_field_values_value", "channel_id", "field_id", "value", "user_id"),
        {"schema": "channels"},
    )

    user_id: Mapped[UUID]
    field_id: Mapped[UUID]
    value: Mapped[str]


class Sighting(Tenant, Base):
    """So many people more (or fewer, below zero) were last here within a quarter of an hour; the database writes them, and they add up.

    Deleted people count nowhere. `slot` is the beginning of the quarter: every day of every zone begins with one.
    """

    __tablename__ = "sightings"
    __table_args__ = (Index("ix_sightings_slot", "channel_id", "slot"), {"schema": "channels"})

    slot: Mapped[datetime]
    people: Mapped[int]


class Tag(Tenant, Base):
    """A word people are marked with."""

    __tablename__ = "tags"
    __table_args__ = (Index("uq_tags_name", "channel_id", func.lower(text("name")), unique=True), {"schema": "channels"})

    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class MemberTag(Tenant, Base):
    """One person bears one tag."""

    __tablename__ = "member_tags"
    __table_args__ = (
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members", ondelete="CASCADE"),
        belongs_to("tag_id", "channels.tags", name="fk_tag_id_channels_tags", ondelete="CASCADE"),
        UniqueConstraint("channel_id", "user_id", "tag_id"),
        Index("ix_member_tags_tag", "channel_id", "tag_id", "user_id"),
        {"schema": "channels"},
    )

    user_id: Mapped[UUID]
    tag_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(default=now)


class Segment(Tenant, Base):
    """People who fit some conditions, whoever they are at the time; `conditions` are values by the conditions' keys."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("channel_id", "name"), {"schema": "channels"})

    name: Mapped[str]
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    retired_at: Mapped[datetime | None]


class Preference(Tenant, Base):
    """One thing a member prefers."""

    __tablename__ = "preferences"
    __table_args__ = (
        belongs_to("user_id", "channels.members"),
        UniqueConstraint("channel_id", "user_id", "name"),
        {"schema": "channels"},
    )

    user_id: Mapped[UUID]
    name: Mapped[str]
    value: Mapped[dict[str, Any]]
