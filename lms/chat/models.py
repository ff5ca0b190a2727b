"""Rooms, their messages, reports of messages, and mutes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to

LONGEST_TEXT = 2000
SLOWEST_SECONDS = 300


class Room(Tenant, Base):
    """The chat of one session; its id is the session's. `last_seq` is the number of its newest message: no gaps, no doubles."""

    __tablename__ = "rooms"
    __table_args__ = (
        belongs_to("id", "streaming.sessions", name="fk_id_streaming_sessions"),
        CheckConstraint("last_seq >= announced_seq", name="announced"),
        CheckConstraint(f"slow_seconds BETWEEN 0 AND {SLOWEST_SECONDS}", name="slow"),
        Index("ix_rooms_unannounced", "channel_id", postgresql_where=text("last_seq > announced_seq")),
        {"schema": "chat"},
    )

    last_seq: Mapped[int] = mapped_column(default=0)
    announced_seq: Mapped[int] = mapped_column(default=0)
    slow_seconds: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Message(Tenant, Base):
    """One message: its number in the room, and the id its author's browser gave it, so that sending twice posts once."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel_id", "room_id", "seq"),
        UniqueConstraint("channel_id", "author_id", "client_id"),
        belongs_to("room_id", "chat.rooms", name="fk_room_id_chat_rooms"),
        belongs_to("author_id", "channels.members", name="fk_author_id_channels_members"),
        CheckConstraint(f"char_length(text) BETWEEN 1 AND {LONGEST_TEXT}", name="text"),
        CheckConstraint("(deleted_at IS NULL) = (deleted_by IS NULL)", name="deleted"),
        Index("ix_messages_author", "channel_id", "author_id", "posted_at"),
        {"schema": "chat"},
    )

    room_id: Mapped[UUID]
    seq: Mapped[int]
    author_id: Mapped[UUID]
    client_id: Mapped[UUID]
    text: Mapped[str]
    posted_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[UUID | None]


class Flag(Tenant, Base):
    """One person's report of one message."""

    __tablename__ = "flags"
    __table_args__ = (
        UniqueConstraint("channel_id", "message_id", "user_id"),
        belongs_to("message_id", "chat.messages", name="fk_message_id_chat_messages"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "chat"},
    )

    message_id: Mapped[UUID]
    user_id: Mapped[UUID]
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Mute(Tenant, Base):
    """A person who may read a room but not write in it until a moment."""

    __tablename__ = "mutes"
    __table_args__ = (
        UniqueConstraint("channel_id", "room_id", "user_id"),
        belongs_to("room_id", "chat.rooms", name="fk_room_id_chat_rooms"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "chat"},
    )

    room_id: Mapped[UUID]
    user_id: Mapped[UUID]
    until_at: Mapped[datetime]
    muted_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
