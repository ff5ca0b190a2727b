"""Links and keys into courses, and who came through one."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.plans.crowd import ROLES
from lms.core import db
from lms.core.decisions import Actor
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Only, Period, Report
from lms.courses.models import Course
from lms.enrollments.models import Enrollment, Hire, Link, LinkCourse, LinkUse
from lms.enrollments.reports.lists import STATUSES, TONES, course_options

LINK_KINDS = (("link", _l("Link")), ("key", _l("Key")))
LINK_STATES = (
    ("open", _l("Lets people in")),
    ("waiting", _l("Not begun")),
    ("full", _l("Full")),
    ("ended", _l("Ended")),
    ("revoked", _l("Withdrawn")),
)
GIVES = (("", _l("Courses")), ("instructor", _l("Work as an instructor")))
HIRE_STATES = (("waiting", _l("Has not signed in with it")), ("confirmed", _l("Works here by it")), ("withdrawn", _l("Taken back")))
HIRE_TONES = {"waiting": "warning", "confirmed": "success", "withdrawn": "neutral"}
HIRE_STATE = case((Hire.withdrawn_at.is_not(None), "withdrawn"), (Hire.confirmed_at.is_not(None), "confirmed"), else_="waiting")
LINK_TONES = {"open": "success", "waiting": "info", "full": "warning", "ended": "neutral", "revoked": "danger"}
STATE = case(
    (Link.revoked_at.is_not(None), "revoked"),
    (Link.ends_at <= func.now(), "ended"),
    (Link.starts_at > func.now(), "waiting"),
    (Link.uses >= Link.seats, "full"),
    else_="open",
)
OPENED = (
    select(func.string_agg(Course.title, aggregate_order_by(literal(", "), Course.title)))
    .join(LinkCourse, (LinkCourse.course_id == Course.id) & (LinkCourse.channel_id == Course.channel_id))
    .where(LinkCourse.link_id == Link.id, LinkCourse.channel_id == Link.channel_id)
    .correlate(Link)
    .scalar_subquery()
)
Maker = aliased(Member)


def _label_of(link_id: UUID) -> str:
    return db.session().scalar(select(Link.label).where(Link.id == link_id)) or "–"


def opens(course_id: str) -> Any:
    """The links and keys that open a course."""
    query = select(LinkCourse.id).where(LinkCourse.link_id == Link.id, LinkCourse.course_id == cast(course_id, Uuid))
    return query.correlate(Link).exists()


class Links(Report):
    """Every link and key."""

    name = "enrollments.links"
    path = "/admin/enrollments/links"
    title = _l("Links and keys")
    lead = _l(
        "Ways into courses that you hand out: a link to click, or a key to type on the course page. Each can be withdrawn at any time."
    )
    key = Link.id
    href = "/admin/enrollments/links/{id}"
    sort = "-made_at"
    empty = (
        "link",
        _l("No links or keys yet"),
        _l("A link lets people into one or several courses with one click; a key does the same when it is typed on the course page."),
    )
    columns = (
        Column("label", _l("Name"), Link.label),
        Column("kind", _l("Kind"), Link.kind, kind="state", words=dict(LINK_KINDS)),
        Column("state", _l("State"), STATE, kind="state", words=dict(LINK_STATES), tones=LINK_TONES, nullable=False, sortable=False),
        Column("role", _l("Gives"), Link.role, kind="state", words=dict(GIVES)),
        Column("courses", _l("Courses"), OPENED, sortable=False),
        Column("uses", _l("Came"), Link.uses, kind="int", total=True),
        Column("seats", _l("Places"), Link.seats, kind="int"),
        Column("ends_at", _l("Until"), Link.ends_at, kind="time"),
        Column("starts_at", _l("From"), Link.starts_at, kind="time", shown=False),
        Column("is_free", _l("Without paying"), Link.is_free, kind="bool", shown=False),
        Column("tag", _l("Tag"), Link.tag, shown=False),
        Column("made_by", _l("Made by"), Maker.name),
        Column("made_at", _l("Made"), Link.made_at, kind="time"),
        Column("note", _l("Note"), Link.note, shown=False),
    )
    filters = (
        Choice("state", _l("State"), STATE, options=LINK_STATES),
        Choice("kind", _l("Kind"), Link.kind, options=LINK_KINDS),
        Choice("role", _l("Gives"), Link.role, options=GIVES[1:]),
        Choice("course", _l("Course"), opens, options=course_options),
        Period("made", _l("Made"), Link.made_at),
    )
    search = (Link.label, Link.note, Maker.name)

    def query(self, by: Actor) -> Select[Any]:
        """All of them, with who made each."""
        return select(Link).outerjoin(Maker, (Maker.id == Link.made_by) & (Maker.channel_id == Link.channel_id))


class LinkUses(Report):
    """Who came through a link or key, into which course, and how far they are; of every one without one."""

    name = "enrollments.link_uses"
    title = _l("Who came by links and keys")
    lead = _l("Each person and course, with what became of the enrolment.")
    key = LinkUse.id
    sort = "-at"
    empty = ("users", _l("Nobody came through it yet"), _l("Hand it out, and whoever comes stands here."))
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/enrollments/{enrollment}", nullable=False),
        Column("email", _l("E-mail"), Member.email, nullable=False),
        Column("course", _l("Course"), Course.title, nullable=False),
        Column("status", _l("Status"), Enrollment.status, kind="state", words=dict(STATUSES), tones=TONES),
        Column("progress", _l("Progress"), Enrollment.progress, kind="percent"),
        Column("at", _l("Came"), LinkUse.at, kind="time"),
        Column("link", _l("Link or key"), Link.label, shown=False, nullable=False),
        Column("enrollment", _l("Enrolment id"), LinkUse.enrollment_id, shown=False, sortable=False),
    )
    filters = (
        Choice("course", _l("Course"), LinkUse.course_id, options=course_options),
        Choice("status", _l("Status"), Enrollment.status, options=STATUSES),
        Period("at", _l("Came"), LinkUse.at),
        Only("link", _l("Link or key"), LinkUse.link_id, _label_of),
    )
    search = (Member.name, Member.email, Course.title)

    def __init__(self, link: Link | None = None) -> None:
        if link is not None:
            self.fixed = {"link": str(link.id)}
            self.title = link.label  # type: ignore[misc, assignment]  # the people of one link are called like it
            self.lead = link.note  # type: ignore[misc, assignment]

    def query(self, by: Actor) -> Select[Any]:
        """The people with their enrolments."""
        return (
            select(LinkUse)
            .join(Link, Link.id == LinkUse.link_id)
            .join(Member, Member.id == LinkUse.user_id)
            .join(Course, Course.id == LinkUse.course_id)
            .join(Enrollment, Enrollment.id == LinkUse.enrollment_id)
        )


class Hires(Report):
    """Who took work here through a link that gives a role, and whether it is theirs; of every one without one."""

    name = "enrollments.hires"
    title = _l("Who works here by links")
    lead = _l("Each person who took a role through a link. It is theirs once they have signed in the way staff do.")
    key = Hire.id
    sort = "-taken_at"
    empty = ("users", _l("Nobody took it yet"), _l("Hand it out, and whoever takes it stands here."))
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/channels/people/{person}", nullable=False),
        Column("email", _l("E-mail"), Member.email, nullable=False),
        Column("state", _l("State"), HIRE_STATE, kind="state", words=dict(HIRE_STATES), tones=HIRE_TONES, nullable=False, sortable=False),
        Column("role", _l("Is now"), Member.role, kind="state", words=ROLES, nullable=False),
        Column("taken_at", _l("Taken"), Hire.taken_at, kind="time"),
        Column("confirmed_at", _l("Signed in with it"), Hire.confirmed_at, kind="time"),
        Column("link", _l("Link or key"), Link.label, shown=False, nullable=False),
        Column("person", _l("Person id"), Hire.user_id, shown=False, sortable=False),
    )
    filters = (
        Choice("state", _l("State"), HIRE_STATE, options=HIRE_STATES),
        Period("taken", _l("Taken"), Hire.taken_at),
        Only("link", _l("Link or key"), Hire.link_id, _label_of),
    )
    search = (Member.name, Member.email)

    def __init__(self, link: Link | None = None) -> None:
        if link is not None:
            self.fixed = {"link": str(link.id)}
            self.title = link.label  # type: ignore[misc, assignment]  # the people of one link are called like it
            self.lead = link.note  # type: ignore[misc, assignment]

    def query(self, by: Actor) -> Select[Any]:
        """The people with their links."""
        return select(Hire).join(Link, Link.id == Hire.link_id).join(Member, Member.id == Hire.user_id)
