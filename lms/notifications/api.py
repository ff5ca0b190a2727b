"""Door 3: what I was told, what I wish to hear, messages to many, and the academy's own words for its mails."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.channels.queries import get_segment, this_channel
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.courses.queries import get_course
from lms.notifications import jobs, operations, policies, queries
from lms.notifications.models import Broadcast, Notice
from lms.vouchers.queries import get_batch
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


class LanguageQuery(Query):
    """Which language's words; the academy's when nothing is said."""

    language: Annotated[str, Field(max_length=20)] = ""


class TemplateLine(Answer):
    """A mail that may be worded, and the languages the academy has own words for it in."""

    key: str
    title: str
    languages: list[str]


class TemplateList(Answer):
    """Every mail that may be worded."""

    rows: list[TemplateLine]


class TemplateAnswer(Answer):
    """The words of one mail in one language (`is_own`: the academy's), the names they may use, and how the mail would read."""

    key: str
    language: str
    languages: list[str]
    is_own: bool
    subject: str
    body: str
    variables: list[str]
    preview_subject: str
    preview_body: str


class TemplateBody(Body):
    """Own words for a mail; {{name}} stands for what the occasion fills in."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    body: Annotated[str, Field(min_length=1, max_length=5_000)]


class AudienceBody(Body):
    """Whom a message means; `progress` needs `percent`, and both a course."""

    to: Literal["everybody", "role", "course", "vouchers", "tag", "segment"]
    role: Literal["", "student", "instructor", "admin"] = ""
    course_id: UUID | None = None
    batch_id: UUID | None = None
    tag_id: UUID | None = None
    segment_id: UUID | None = None
    progress: Literal["", "below", "above"] = ""
    percent: Annotated[int, Field(ge=0, le=100)] = 50
    unseen_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class BroadcastWish(Body):
    """A message to many, as a draft: look at `people`, then send it."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    body: Annotated[str, Field(min_length=1, max_length=20_000)]
    audience: AudienceBody
    in_app: bool = True
    mail: bool = True
    send_at: datetime | None = None


class BroadcastAnswer(Answer):
    """A message to many; `people` is how many it means now (a draft) or was sent for."""

    id: UUID
    subject: str
    state: str
    people: int
    told: int
    skipped: int
    send_at: datetime | None


@bp.post("/messages")
@endpoint(status=201)
def messages_create(body: BroadcastWish) -> BroadcastAnswer:
    """Write a message to many; nobody gets it yet."""
    said = body.audience
    audience = queries.Audience(
        to=said.to,
        role=said.role,
        course_id=str(said.course_id or ""),
        batch_id=str(said.batch_id or ""),
        tag_id=str(said.tag_id or ""),
        segment_id=str(said.segment_id or ""),
        progress=said.progress if said.to == "course" else "",
        percent=said.percent,
        unseen_days=said.unseen_days,
    )
    if said.to in queries.NEEDS and not getattr(audience, queries.NEEDS[said.to]):
        sentence = _("Say which course, role, tag, segment or voucher batch is meant.")
        raise Invalid(sentence, fields={"audience": sentence})
    course = get_course(UUID(audience.course_id)) if audience.to == "course" else None
    if audience.to == "segment":
        get_segment(UUID(audience.segment_id))
    if audience.to == "vouchers":
        get_batch(UUID(audience.batch_id))
    allow(policies.can_write_to(actor(), audience, course))
    values = {"subject": body.subject, "body": body.body, "in_app": body.in_app, "mail": body.mail, "send_at": body.send_at}
    return _message(operations.write_broadcast(audience, by=actor(), **values))


@bp.get("/messages/<uuid:broadcast_id>")
@endpoint()
def messages_show(broadcast_id: UUID) -> BroadcastAnswer:
    """One message to many."""
    broadcast = queries.get_broadcast(broadcast_id)
    allow(policies.can_handle_broadcast(actor(), broadcast))
    return _message(broadcast)


@bp.post("/messages/<uuid:broadcast_id>/send")
@endpoint()
def messages_send(broadcast_id: UUID) -> BroadcastAnswer:
    """Send a draft, now or at its time; sending it twice changes nothing."""
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    allow(policies.can_handle_broadcast(actor(), broadcast))
    operations.send_broadcast(broadcast, by=actor())
    jobs.send_broadcast.later(broadcast_id=broadcast_id)
    return _message(broadcast)


def _message(broadcast: Broadcast) -> BroadcastAnswer:
    is_draft = broadcast.state == "draft"
    return BroadcastAnswer(
        id=broadcast.id,
        subject=broadcast.subject,
        state=broadcast.state,
        people=queries.count_meant(queries.Audience.read(broadcast.audience)) if is_draft else broadcast.person_count,
        told=broadcast.told_count,
        skipped=broadcast.skipped_count,
        send_at=broadcast.send_at,
    )


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


@bp.get("/templates")
@endpoint()
def templates() -> TemplateList:
    """The mails the academy may word itself."""
    allow(policies.can_word_mails(actor()))
    own = queries.changed_templates()
    known = [(key, operations.standard_words(message)[0]) for key, message in operations.wordable().items()]
    return TemplateList(rows=[TemplateLine(key=key, title=title, languages=own.get(key, [])) for key, title in known])


@bp.get("/templates/<key>")
@endpoint()
def templates_show(key: str, query: LanguageQuery) -> TemplateAnswer:
    """The words of one mail in one language."""
    operations.get_message(key)
    allow(policies.can_word_mails(actor()))
    return _worded(key, query)


@bp.put("/templates/<key>")
@endpoint()
def templates_edit(key: str, body: TemplateBody, query: LanguageQuery) -> TemplateAnswer:
    """Give a mail own words in one language; mails have them from now on."""
    operations.get_message(key)
    allow(policies.can_word_mails(actor()))
    operations.set_template(key, subject=body.subject, body=body.body, by=actor(), language=_language(query))
    return _worded(key, query)


@bp.delete("/templates/<key>")
@endpoint(status=204)
def templates_delete(key: str, query: LanguageQuery) -> None:
    """Go back to the standard words in one language."""
    operations.get_message(key)
    allow(policies.can_word_mails(actor()))
    operations.reset_template(key, by=actor(), language=_language(query))


@bp.post("/templates/<key>/test")
@endpoint(status=202)
def templates_test(key: str, query: LanguageQuery) -> TemplateAnswer:
    """Send the mail to oneself, with values as they might be."""
    operations.get_message(key)
    allow(policies.can_word_mails(actor()))
    operations.send_sample(key, by=actor(), language=_language(query))
    return _worded(key, query)


def _language(query: LanguageQuery) -> str:
    return operations.get_language(query.language, academy=this_channel().locale)


def _worded(key: str, query: LanguageQuery) -> TemplateAnswer:
    message, language, academy = operations.get_message(key), _language(query), this_channel().locale
    own = queries.templates_of(key)
    subject, body = (own[language].subject, own[language].body) if language in own else operations.standard_words(message, language)
    letter = operations.preview(key, actor(), language)
    return TemplateAnswer(
        key=key,
        language=language,
        languages=list(queries.languages_to_word(academy)),
        is_own=language in own,
        subject=subject,
        body=body,
        variables=operations.variables_of(message),
        preview_subject=letter.title,
        preview_body=letter.body,
    )


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
