"""Door 3: what I was told, and what I wish to hear."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.notifications import operations, policies, queries
from lms.notifications.models import Notice
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Query, endpoint

bp = Blueprint("notifications_api", __name__, url_prefix="/api/v1/notifications")


class NoticesQuery(Query):
    """Which page: the notices older than one."""

    before: UUID | None = None
    unseen: Literal["1", "0"] = "0"
    size: Annotated[int, Field(ge=1, le=200)] = 50


class NoticeAnswer(Answer):
    """One thing I was told; `href` is the page it is about."""

    id: UUID
    kind: str
    title: str
    body: str
    href: str
    created_at: datetime
    seen_at: datetime | None


class NoticeList(Answer):
    """What I was told, newest first; `before` asks for the next page, null at the end."""

    rows: list[NoticeAnswer]
    unseen: int
    before: UUID | None


class WishAnswer(Answer):
    """How I wish to hear of one kind of news."""

    kind: str
    title: str
    in_app: bool
    mail: bool


class WishList(Answer):
    """How I wish to hear of each kind of news."""

    rows: list[WishAnswer]


class WishChange(Body):
    """What is on, as `kind:in_app` and `kind:mail`; everything else is off."""

    on: Annotated[list[Annotated[str, Field(max_length=60, pattern="^[a-z_]+:(in_app|mail)$")]], Field(max_length=200)]


@bp.get("")
@endpoint()
def index(query: NoticesQuery) -> NoticeList:
    """What I was told."""
    allow(policies.can_read(actor()))
    found = queries.notices_of(_me(), before=query.before, unseen_only=query.unseen == "1", size=query.size + 1)
    shown = found[: query.size]
    rows = [NoticeAnswer.model_validate(notice) for notice in shown]
    return NoticeList(rows=rows, unseen=queries.count_unseen(_me()), before=shown[-1].id if len(found) > query.size else None)


@bp.post("/<uuid:notice_id>/seen")
@endpoint(status=204)
def seen(notice_id: UUID) -> None:
    """Mark one notice as seen."""
    notice: Notice = queries.get_notice(notice_id)
    allow(policies.can_touch(actor(), notice))
    operations.mark_seen(notice)


@bp.post("/all/seen")
@endpoint(status=204)
def all_seen() -> None:
    """Mark everything as seen."""
    allow(policies.can_read(actor()))
    operations.mark_all_seen(_me())


@bp.get("/preferences")
@endpoint()
def preferences() -> WishList:
    """What I wish to hear of, and how."""
    allow(policies.can_read(actor()))
    return _wishes()


@bp.patch("/preferences")
@endpoint()
def preferences_edit(body: WishChange) -> WishList:
    """Say what I wish to hear of, and how."""
    allow(policies.can_read(actor()))
    operations.set_wishes(_me(), set(body.on), by=actor())
    return _wishes()


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _wishes() -> WishList:
    wishes = queries.wishes_of(_me())
    return WishList(
        rows=[
            WishAnswer(kind=kind.key, title=str(kind.title), in_app=wishes[kind.key].in_app, mail=wishes[kind.key].mail)
            for kind in queries.kinds_for(actor())
        ]
    )
