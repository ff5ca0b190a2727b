"""Door 3: the room of a live class, to read and write in without a socket."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.chat import operations, policies, queries
from lms.chat.models import LONGEST_TEXT
from lms.core.ids import uuid7
from lms.streaming.queries import Standing, get_standing
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Query, endpoint

bp = Blueprint("chat_api", __name__, url_prefix="/api/v1/chat")


class MessagesQuery(Query):
    """The messages after a number (0: from the first); without it, the newest."""

    after: Annotated[int, Field(ge=0, le=2**53)] | None = None
    size: Annotated[int, Field(ge=1, le=200)] = 100


class MessageAnswer(Answer):
    """One message; the text of a deleted one is empty."""

    id: UUID
    seq: int
    author_id: UUID
    author_name: str
    author_role: str
    text: str
    posted_at: datetime
    is_deleted: bool


class MessageList(Answer):
    """Messages, oldest first; go on after the last one's `seq`."""

    rows: list[MessageAnswer]


class MessageRequest(Body):
    """One message; the same `client_id` again posts it once."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    client_id: UUID | None = None


class FlagRequest(Body):
    """Why a message is reported."""

    reason: Annotated[str, Field(max_length=500)] = ""


@bp.get("/rooms/<uuid:room_id>/messages")
@endpoint()
def rooms_messages(room_id: UUID, query: MessagesQuery) -> MessageList:
    """The messages of a class's room."""
    allow(policies.can_read(actor(), _standing(room_id)))
    lines = (
        queries.last_lines(room_id, limit=query.size)
        if query.after is None
        else queries.lines_after(room_id, query.after, limit=query.size)
    )
    return MessageList(rows=[MessageAnswer.model_validate(line) for line in lines])


@bp.post("/rooms/<uuid:room_id>/messages")
@endpoint(status=201)
def rooms_messages_create(room_id: UUID, body: MessageRequest) -> MessageAnswer:
    """Post a message."""
    allow(policies.can_read(actor(), _standing(room_id)))
    posted = operations.post_message(room_id, body.text, client_id=body.client_id or uuid7(), by=actor())
    return MessageAnswer.model_validate(posted.line)


@bp.post("/rooms/<uuid:room_id>/messages/<int:seq>/delete")
@endpoint(status=204)
def rooms_messages_delete(room_id: UUID, seq: int) -> None:
    """Take a message out of sight."""
    standing = _standing(room_id)
    allow(policies.can_read(actor(), standing))
    message = queries.get_message(room_id, seq)
    allow(policies.can_delete(actor(), message.author_id, standing.session, standing.instructor_id))
    operations.delete_message(message, by=actor())


@bp.post("/rooms/<uuid:room_id>/messages/<int:seq>/flag")
@endpoint(status=204)
def rooms_messages_flag(room_id: UUID, seq: int, body: FlagRequest) -> None:
    """Report a message to the moderators."""
    allow(policies.can_read(actor(), _standing(room_id)))
    operations.flag_message(queries.get_message(room_id, seq), reason=body.reason, by=actor())


def _standing(room_id: UUID) -> Standing:
    return get_standing(room_id, actor().user_id)
