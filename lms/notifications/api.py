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
    """How I hear of one kind of news: in the app, and how its mails come; `inherits` names what the academy decides for me."""

    kind: str
    title: str
    in_app: bool
    mail: Literal["now", "daily", "weekly", "never"]
    inherits: list[Literal["in_app", "mail"]]


class WishList(Answer):
    """How I hear of each kind of news."""

    rows: list[WishAnswer]


class WishLine(Body):
    """What I wish for one kind of news; null: as the academy has it."""

    kind: Annotated[str, Field(max_length=40, pattern="^[a-z_]+$")]
    in_app: bool | None = None
    mail: Literal["now", "daily", "weekly", "never"] | None = None


class WishChange(Body):
    """What I wish for the kinds named; the others stay."""

    rows: Annotated[list[WishLine], Field(max_length=50)]


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
    operations.set_wishes(_me(), {line.kind: (line.in_app, line.mail) for line in body.rows}, by=actor())
    return _wishes()


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _wishes() -> WishList:
    choices = queries.choices_of(_me())
    return WishList(rows=[_answer(kind.key, str(kind.title), choices[kind.key]) for kind in queries.kinds_for(actor())])


def _answer(kind: str, title: str, choice: queries.Choice) -> WishAnswer:
    inherits = [name for name, said in (("in_app", choice.said_in_app), ("mail", choice.said_mail)) if said is None]
    return WishAnswer.model_validate(
        {"kind": kind, "title": title, "in_app": choice.holds.in_app, "mail": choice.holds.mail_word, "inherits": inherits}
    )
