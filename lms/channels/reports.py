"""Lists of channels: the people."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, cast, func, literal, select
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import aggregate_order_by

from lms.channels.models import Field, FieldValue, Member, MemberTag, Tag
from lms.channels.queries import fitting, get_segment, known_fields, name_of, segment_names, tag_names
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Only, Period, Report, Sought
from lms.core.reports.fields import Filter, Words
from lms.core.segments import Condition, come_from, declare

ROLES = (("student", _l("Student")), ("instructor", _l("Instructor")), ("admin", _l("Admin")), ("owner", _l("Owner")))
STATUSES = (("active", _l("Active")), ("invited", _l("Invited")), ("suspended", _l("Suspended")))


TAGS = (
    select(func.string_agg(Tag.name, aggregate_order_by(literal(", "), func.lower(Tag.name))))
    .join(MemberTag, MemberTag.tag_id == Tag.id)
    .where(MemberTag.user_id == Member.id, MemberTag.channel_id == Member.channel_id, Tag.channel_id == Member.channel_id)
    .correlate(Member)
    .scalar_subquery()
)


def tagged(tag_id: str) -> Any:
    """The people who bear a tag."""
    borne = select(MemberTag.id).where(MemberTag.user_id == Member.id, MemberTag.tag_id == cast(tag_id, SqlUuid))
    return borne.correlate(Member).exists()


def tag_choices() -> list[tuple[str, str]]:
    """The tags to choose from: those somebody bears."""
    return [(str(tag_id), name) for tag_id, name in tag_names()]


def _said(field: Field) -> Any:
    """What a field says of each person."""
    query = select(FieldValue.value).where(FieldValue.user_id == Member.id, FieldValue.channel_id == Member.channel_id)
    return query.where(FieldValue.field_id == field.id).correlate(Member).scalar_subquery()


def says(field: Field, value: str | None = None) -> Any:
    """The people of whom a field says that value; without one, anything at all."""
    query = select(FieldValue.id).where(FieldValue.user_id == Member.id, FieldValue.field_id == field.id)
    return (query if value is None else query.where(FieldValue.value == value)).correlate(Member).exists()


def yes_or_no() -> tuple[tuple[str, Words], ...]:
    """The words of a field that is yes or no."""
    return (("yes", _l("Yes")), ("no", _l("No")))


def column_of(field: Field) -> Column:
    """The column of a field of the academy's own."""
    words = dict(yes_or_no()) if field.kind == "yesno" else {}
    kind = "state" if field.kind in ("yesno", "choice") else "text"
    return Column(field.name, field.label, _said(field), kind=kind, words=words, sortable=False, shown=False, nullable=True)


def filter_of(field: Field) -> Filter:
    """The filter of a field: by its choices, else by whether it says anything."""
    if field.kind in ("choice", "yesno"):
        options = yes_or_no() if field.kind == "yesno" else tuple((one, one) for one in field.choices)
        return Choice(field.name, field.label, lambda raw: says(field, raw), options=options)
    return Flag(field.name, _("%(field)s is filled in", field=field.label), says(field))


def in_segment(segment_id: str) -> Any:
    """The people who fit a segment now."""
    return fitting(get_segment(UUID(segment_id)).conditions)


def segment_choices() -> list[tuple[str, str]]:
    """The segments to choose from."""
    return [(str(segment_id), name) for segment_id, name in segment_names()]


def _ago(days: str) -> datetime:
    return now() - timedelta(days=int(days))


WHO, WHEN, OWN = _l("Who"), _l("When"), _l("Fields of this academy")
declare(
    Condition("role", _l("Role"), lambda raw, _given: Member.role == raw, options=ROLES, group=WHO),
    Condition("status", _l("Status"), lambda raw, _given: Member.status == raw, options=STATUSES, group=WHO),
    Condition("tag", _l("Bears the tag"), lambda raw, _given: tagged(raw), options=tag_choices, group=WHO),
    Condition("no_tag", _l("Does not bear the tag"), lambda raw, _given: ~tagged(raw), options=tag_choices, group=WHO),
    Condition("joined_since", _l("Joined in the last … days"), lambda raw, _given: Member.joined_at >= _ago(raw), "int", group=WHEN),
    Condition("joined_before", _l("Joined more than … days ago"), lambda raw, _given: Member.joined_at < _ago(raw), "int", group=WHEN),
    Condition("seen_since", _l("Was here in the last … days"), lambda raw, _given: Member.seen_at >= _ago(raw), "int", group=WHEN),
    Condition(
        "not_seen_since",
        _l("Was not here for … days, or never"),
        lambda raw, _given: Member.seen_at.is_(None) | (Member.seen_at < _ago(raw)),
        "int",
        group=WHEN,
    ),
)


def _conditions_of(field: Field) -> Condition:
    """What may be asked of a field of the academy's own: that it says a value."""
    options = yes_or_no() if field.kind == "yesno" else tuple((one, one) for one in field.choices)
    kind = "choice" if field.kind in ("choice", "yesno") else "day" if field.kind == "date" else "text"
    check = None if kind == "choice" else field.read
    return Condition(field.name, field.label, lambda raw, _given: says(field, raw), kind, options, group=OWN, check=check)


come_from(lambda: [_conditions_of(one) for one in known_fields()] if db.has_work() and db.work().channel_id is not None else [])


def people_by(key: Any) -> Sought:
    """Search among people by their name and address, for a list whose column `key` holds their ids."""
    return Sought(key, (Member.name, Member.email), "channels.find_members")


def of_person(key: Any) -> Only:
    """What belongs to one person, for a list whose column `key` holds people's ids; links from the person's page set it."""
    return Only("person", _l("Person"), key, name_of)


class People(Report):
    """Everybody of the channel."""

    name = "channels.people"
    title = _l("People")
    lead = _l("Everybody who learns, teaches or works here.")
    key = Member.id
    href = "/admin/channels/people/{id}"
    path = "/admin/channels/people"
    sort = "name"
    empty = ("users", _l("Nobody here yet"), _l("Invite somebody, or let students register themselves."))
    figures: ClassVar[Mapping[str, Words]] = {
        "here": _l(
            "People who opened a page or learnt something while signed in, the last time on one of these days of the academy's own zone."
        ),
    }
    columns: Sequence[Column] = (
        Column("name", _l("Name"), Member.name, href="/admin/channels/people/{id}"),
        Column("email", _l("E-mail"), Member.email),
        Column(
            "role",
            _l("Role"),
            Member.role,
            kind="state",
            words=dict(ROLES),
            tones={"admin": "primary", "owner": "primary", "instructor": "info"},
        ),
        Column(
            "status",
            _l("Status"),
            Member.status,
            kind="state",
            words=dict(STATUSES),
            tones={"active": "success", "invited": "warning", "suspended": "danger"},
        ),
        Column("joined_at", _l("Joined"), Member.joined_at, kind="time"),
        Column("seen_at", _l("Last here"), Member.seen_at, kind="time", shown=False),
        Column("title", _l("Title"), Member.title, shown=False, sortable=False),
        Column("phone", _l("Phone"), Member.phone, shown=False, sortable=False),
        Column("tags", _l("Tags"), TAGS, shown=False, sortable=False, nullable=True),
    )
    filters: Sequence[Filter] = (
        Choice("role", _l("Role"), Member.role, options=ROLES),
        Choice("status", _l("Status"), Member.status, options=STATUSES),
        Period("joined", _l("Joined"), Member.joined_at),
        Period("seen", _l("Last here"), Member.seen_at),
        Choice("tag", _l("Tag"), tagged, options=tag_choices),
        Choice("segment", _l("Segment"), in_segment, options=segment_choices),
    )
    search = (people_by(Member.id),)

    def __init__(self, *, own_fields: bool = True) -> None:
        known = known_fields() if own_fields and db.has_work() and db.work().channel_id is not None else ()
        if known:
            self.columns = (*type(self).columns, *(column_of(one) for one in known))
            self.filters = (*type(self).filters, *(filter_of(one) for one in known))

    def bare(self, by: Actor) -> Select[Any]:
        """There is nothing to leave out."""
        return self.query(by)

    def query(self, by: Actor) -> Select[Any]:
        """Everybody but the deleted."""
        return select(Member).where(Member.status != "deleted")
