"""Door 3: me, the people, the channel's settings."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint, g, url_for
from pydantic import AfterValidator, Base64Bytes, EmailStr, Field

from lms.auth import queries as accounts
from lms.channels import operations, policies, queries
from lms.channels.forms import ZONES
from lms.channels.models import Channel, Member, Segment
from lms.channels.reports import People
from lms.core.errors import Invalid, Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.i18n import languages
from lms.core.money import is_currency
from lms.core.reports import View
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Line, Rows, answer_rows, endpoint, given, located
from lms.web.cycle import close_work, open_work

A_PICTURE = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # one pixel
bp = Blueprint("channels_api", __name__, url_prefix="/api/v1/channels")


def a_zone(name: str) -> str:
    """A time zone's name; refuses others."""
    if name not in ZONES:
        raise ValueError("This is no time zone. Use an IANA name such as Europe/Paris.")
    return name


Short = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$")]
Zone = Annotated[str, AfterValidator(a_zone), Field(max_length=60, examples=["Europe/Paris"])]
Role = Literal["student", "instructor", "admin", "owner"]


class ChannelAnswer(Answer):
    """The channel's name, words, money, language and zone."""

    id: UUID
    slug: str
    name: str
    tagline: str
    currency: str
    locale: str
    zone: str
    logo_url: str | None


class Me(Answer):
    """Who the token stands for, and where."""

    id: UUID
    name: str
    email: str
    role: str
    locale: str
    zone: str
    channel: ChannelAnswer


class MyChange(Body):
    """My name, language and time zone; what is left out stays."""

    name: Line | None = None
    locale: Annotated[str, Field(max_length=20)] | None = None
    zone: Zone | None = None


class Person(Answer):
    """A person of the channel."""

    id: UUID
    name: str
    email: str
    role: str
    status: str
    title: str
    bio: str
    phone: str
    note: str
    joined_at: datetime
    tags: list[str] = []
    fields: dict[str, str] = {}


class Invitation(Body):
    """Who is invited by mail, and as what."""

    name: Line
    email: Annotated[EmailStr, Field(max_length=254)]
    role: Literal["student", "instructor", "admin"] = "student"


class PersonChange(Body):
    """What is known of a person; what is left out stays."""

    name: Line | None = None
    title: Short | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    bio: Annotated[str, Field(max_length=4000)] | None = None
    note: Annotated[str, Field(max_length=4000)] | None = None
    fields: dict[str, Annotated[str, Field(max_length=500)]] | None = None


class SegmentBody(Body):
    """A name, and values by the conditions' keys (`role`, `tag`, `enrolled`, `wallet_from` …)."""

    name: Line
    conditions: dict[str, Annotated[str, Field(max_length=500)]]


class SegmentAnswer(Answer):
    """A segment, and how many people fit it now."""

    id: UUID
    name: str
    conditions: dict[str, str]
    people: int
    retired_at: datetime | None


class Segments(Answer):
    """The segments in use."""

    segments: list[SegmentAnswer]


class RoleChange(Body):
    """A role."""

    role: Role


class ChannelChange(Body):
    """The channel's name, words, money and zone; what is left out stays."""

    name: Line | None = None
    tagline: Annotated[str, Field(max_length=200)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    zone: Zone | None = None


class LogoBody(Body):
    """A picture that stands for the academy: JPEG, PNG, WebP or GIF, best with a transparent ground and as wide as high."""

    picture: Annotated[Base64Bytes, Field(description="The file in base64, up to 700 kB", examples=[A_PICTURE])]


@bp.get("/me")
@endpoint()
def me() -> Me:
    """Who the token stands for."""
    allow(policies.can_edit_self(actor()))
    return _me(queries.this_channel())


@bp.patch("/me")
@endpoint()
def me_edit(body: MyChange) -> Me:
    """Change my name, language or time zone."""
    user_id = actor().user_id
    allow(policies.can_edit_self(actor()))
    if user_id is None:
        raise Unauthenticated(_("Sign in first."))
    user, member = accounts.get_user(user_id), queries.get_member(user_id)
    if body.locale is not None and body.locale not in languages():
        raise Invalid(_("What was sent does not fit."), fields={"locale": _("This language is not spoken here.")})
    values = {"name": member.name, "locale": user.locale, "zone": user.zone} | given(body)
    operations.edit_self(user, member, name=values["name"], locale=values["locale"], zone=values["zone"], by=actor())
    return _me(queries.this_channel(), **values)


@bp.get("/people")
@endpoint(lists=People)
def people() -> Rows:
    """Everybody of the channel."""
    allow(policies.can_manage_people(actor()))
    return answer_rows(People())


@bp.post("/people")
@endpoint(status=201)
def people_create(body: Invitation) -> Person:
    """Invite somebody by mail."""
    allow(policies.can_manage_people(actor()))
    member = operations.invite_person(body.name, body.email, body.role, by=actor())
    located(url_for(".people_show", user_id=member.id))
    return _person(member)


@bp.get("/people/<uuid:user_id>")
@endpoint()
def people_show(user_id: UUID) -> Person:
    """One person."""
    member = queries.get_member(user_id)
    allow(policies.can_manage_people(actor()))
    return _person(member)


@bp.patch("/people/<uuid:user_id>")
@endpoint()
def people_edit(user_id: UUID, body: PersonChange) -> Person:
    """Change what is known of a person."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    values = given(body)
    said = values.pop("fields", None) or {}
    known = {one.name: one for one in queries.fields_here()}
    if unknown := sorted(set(said) - set(known)):
        sentence = _("There is no field called %(name)s here.", name=unknown[0])
        raise Invalid(sentence, fields={"fields": sentence})
    operations.edit_person(member, values, by=actor())
    operations.set_traits(member, {name: known[name].read(value) for name, value in said.items()}, by=actor())
    return _person(member)


@bp.post("/people/<uuid:user_id>/role")
@endpoint()
def people_role(user_id: UUID, body: RoleChange) -> Person:
    """Give a person another role."""
    member = queries.get_member(user_id)
    allow(policies.can_give_role(actor(), member, body.role))
    operations.change_role(member, body.role, by=actor())
    return _person(member)


@bp.post("/people/<uuid:user_id>/suspend")
@endpoint()
def people_suspend(user_id: UUID) -> Person:
    """Stop a person from signing in; nothing of theirs is lost."""
    member = queries.get_member(user_id)
    allow(policies.can_suspend(actor(), member))
    operations.suspend(member, by=actor())
    return _person(member)


@bp.post("/people/<uuid:user_id>/restore")
@endpoint()
def people_restore(user_id: UUID) -> Person:
    """Let a suspended person in again."""
    member = queries.get_member(user_id)
    allow(policies.can_suspend(actor(), member))
    operations.restore(member, by=actor())
    return _person(member)


@bp.post("/people/<uuid:user_id>/invite")
@endpoint(status=204)
def people_invite(user_id: UUID) -> None:
    """Send the invitation once more; earlier ones stop working."""
    member = queries.get_member(user_id)
    allow(policies.can_edit_person(actor(), member))
    operations.send_invitation(member, accounts.get_user(user_id), by=actor())


@bp.get("/segments")
@endpoint()
def segments() -> Segments:
    """The segments in use, with what each asks and how many people fit now; their people are at /channels/people?segment=."""
    allow(policies.can_manage_people(actor()))
    return Segments(segments=[_segment(one) for one in queries.segments_here()])


@bp.post("/segments")
@endpoint(status=201)
def segments_create(body: SegmentBody) -> SegmentAnswer:
    """Gather people by conditions."""
    allow(policies.can_manage_people(actor()))
    made = operations.add_segment(body.name, body.conditions, by=actor())
    located(url_for(".segments_show", segment_id=made.id))
    return _segment(made)


@bp.get("/segments/<uuid:segment_id>")
@endpoint()
def segments_show(segment_id: UUID) -> SegmentAnswer:
    """One segment: what it asks, and how many people fit now."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    return _segment(segment)


@bp.patch("/segments/<uuid:segment_id>")
@endpoint()
def segments_edit(segment_id: UUID, body: SegmentBody) -> SegmentAnswer:
    """Ask for something else."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    operations.edit_segment(segment, body.name, body.conditions, by=actor())
    return _segment(segment)


@bp.post("/segments/<uuid:segment_id>/retire")
@endpoint()
def segments_retire(segment_id: UUID) -> SegmentAnswer:
    """Put a segment away; nobody of it is touched."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    operations.retire_segment(segment, by=actor())
    return _segment(segment)


@bp.post("/segments/<uuid:segment_id>/restore")
@endpoint()
def segments_restore(segment_id: UUID) -> SegmentAnswer:
    """Bring a segment back."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    operations.restore_segment(segment, by=actor())
    return _segment(segment)


@bp.get("/settings")
@endpoint()
def settings() -> ChannelAnswer:
    """The channel's settings."""
    allow(policies.can_edit_channel(actor()))
    return ChannelAnswer.model_validate(queries.this_channel())


@bp.patch("/settings")
@endpoint()
def settings_edit(body: ChannelChange) -> ChannelAnswer:
    """Change the channel's settings."""
    channel = queries.this_channel()
    allow(policies.can_edit_channel(actor()))
    if body.currency is not None and not is_currency(body.currency):
        sentence = _("%(code)s is no currency. Use an ISO 4217 code such as EUR.", code=body.currency)
        raise Invalid(sentence, fields={"currency": sentence})
    operations.edit_channel(channel, given(body), by=actor())
    return ChannelAnswer.model_validate(channel)


@bp.put("/logo")
@endpoint()
def logo(body: LogoBody) -> ChannelAnswer:
    """Show another logo on every page and on printed sheets; the picture is made anew."""
    allow(policies.can_edit_channel(actor()))
    close_work(commit=True)  # the transaction waits for no picture
    try:
        key = operations.store_picture(body.picture, g.channel.id)
    finally:
        open_work(read_only=False)
    channel = queries.this_channel()
    operations.set_logo(channel, key, by=actor())
    return ChannelAnswer.model_validate(channel)


@bp.delete("/logo")
@endpoint()
def logo_delete() -> ChannelAnswer:
    """Show the sign of the house instead of a logo; twice changes nothing."""
    channel = queries.this_channel()
    allow(policies.can_edit_channel(actor()))
    operations.set_logo(channel, None, by=actor())
    return ChannelAnswer.model_validate(channel)


def _me(channel: Channel, **values: str) -> Me:
    person = actor()
    now = {"name": person.name, "locale": person.locale, "zone": person.zone} | values
    about = {"id": person.user_id, "email": person.email, "role": person.role, "channel": ChannelAnswer.model_validate(channel)}
    return Me.model_validate(about | now)


def _person(member: Member) -> Person:
    """A person with their tags and what the academy's own fields say."""
    about = {name: getattr(member, name) for name in Person.model_fields if name not in ("tags", "fields")}
    tags, values = queries.tags_of([member.id]), queries.values_of([member.id])
    return Person.model_validate(about | {"tags": tags.get(member.id, []), "fields": values.get(member.id, {})})


def _segment(segment: Segment) -> SegmentAnswer:
    """A segment with how many fit it now."""
    people = People().count(View(filters=(("segment", str(segment.id)),)), actor())
    return SegmentAnswer.model_validate(
        {"id": segment.id, "name": segment.name, "conditions": segment.conditions, "people": people, "retired_at": segment.retired_at}
    )
