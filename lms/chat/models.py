"""Rooms and their messages; questions, votes, reactions and hands; reports of messages, mutes, bans and words not allowed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to

LONGEST_TEXT = 2000
LONGEST_ANSWER = 4000
LONGEST_WORD = 60
MOST_WORDS = 500
SLOWEST_SECONDS = 300
SIGNS = ("👍", "❤️", "😂", "🎉", "🤔", "👏")


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
    is_paused: Mapped[bool] = mapped_column(default=False)
    links_blocked: Mapped[bool] = mapped_column(default=False)
    pinned_seq: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Message(Tenant, Base):
    """One message: its number in the room, and the id its author's browser gave it, so that sending twice posts once.

    `reply_seq` is the number of the message it answers; a question has a row in `questions` under the same id.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel_id", "room_id", "seq"),
        UniqueConstraint("channel_id", "author_id", "client_id"),
        belongs_to("room_id", "chat.rooms", name="fk_room_id_chat_rooms"),
        belongs_to("author_id", "channels.members", name="fk_author_id_channels_members"),
        CheckConstraint(f"char_length(text) BETWEEN 1 AND {LONGEST_TEXT}", name="text"),
        CheckConstraint("(deleted_at IS NULL) = (deleted_by IS NULL)", name="deleted"),
        CheckConstraint("reply_seq BETWEEN 1 AND seq - 1", name="reply"),
        Index("ix_messages_author", "channel_id", "author_id", "posted_at"),
        {"schema": "chat"},
    )

    room_id: Mapped[UUID]
    seq: Mapped[int]
    author_id: Mapped[UUID]
    client_id: Mapped[UUID]
    text: Mapped[str]
    reply_seq: Mapped[int | None]
    is_question: Mapped[bool] = mapped_column(default=False)
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


class Ban(Tenant, Base):
    """A person who may read but not take part: in one room, or (`room_id` is null) in every room of the channel."""

    __tablename__ = "bans"
    __table_args__ = (
        UniqueConstraint("channel_id", "user_id", "room_id", postgresql_nulls_not_distinct=True),
        belongs_to("room_id", "chat.rooms", name="fk_room_id_chat_rooms"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "chat"},
    )

    user_id: Mapped[UUID]
    room_id: Mapped[UUID | None]
    banned_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Word(Tenant, Base):
    """A word no message of the channel may hold, as `policies.folded` writes it; a star at its end stands for any ending."""

    __tablename__ = "words"
    __table_args__ = (
        UniqueConstraint("channel_id", "word"),
        CheckConstraint(f"char_length(word) BETWEEN 1 AND {LONGEST_WORD}", name="word"),
        {"schema": "chat"},
    )

    word: Mapped[str]
    added_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Question(Tenant, Base):
    """What makes a message a question (its id is the message's): how many want it answered, and the answer."""

    __tablename__ = "questions"
    __table_args__ = (
        belongs_to("id", "chat.messages", name="fk_id_chat_messages"),
        belongs_to("room_id", "chat.rooms", name="fk_room_id_chat_rooms"),
        CheckConstraint("votes >= 0", name="votes"),
        CheckConstraint(f"char_length(answer) <= {LONGEST_ANSWER}", name="answer"),
        Index("ix_questions_room", "channel_id", "room_id"),
        {"schema": "chat"},
    )

    room_id: Mapped[UUID]
    votes: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None]


class Vote(Tenant, Base):
    """One person's wish to have a question answered."""

    __tablename__ = "votes"
    __table_args__ = (
        UniqueConstraint("channel_id", "question_id", "user_id"),
        belongs_to("question_id", "chat.questions", name="fk_question_id_chat_questions"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "chat"},
    )

    question_id: Mapped[UUID]
    user_id: Mapped[UUID]


class Reaction(Tenant, Base):
    """One person's sign on a message."""

    __tablename__ = "reactions"
    __table_args__ = (
        UniqueConstraint("channel_id", "message_id", "user_id", "sign"),
        belongs_to("message_id", "chat.messages", name="fk_message_id_chat_messages"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "chat"},
    )

    message_id: Mapped[UUID]
    user_id: Mapped[UUID]
    sign: Mapped[str]


class Hand(Tenant, Base):
    """A raised hand; whoever raised it first is first. The row goes when the hand does."""

    __tablename__ = "hands"
    __table_args__ = (
        UniqueConstraint("channel_id", "room_id", "user_id"),
        belongs_to("room_id", "chat.rooms", name="fk_room_id_chat_rooms"),
        belongs_to("user_id", "channels.members", name="fk_user_id_channels_members"),
        {"schema": "chat"},
    )

    room_id: Mapped[UUID]
    user_id: Mapped[UUID]
    raised_at: Mapped[datetime] = mapped_column(default=now)
