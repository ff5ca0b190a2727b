"""Links and keys into courses; and coming in by one."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import request, url_for
from pydantic import Field

from lms.channels.queries import absolute_url
from lms.core.clock import now
from lms.core.money import Money
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.api.door import bp
from lms.enrollments.api.enrolled import EnrollmentAnswer
from lms.enrollments.errors import LinkRefused
from lms.enrollments.models import Enrollment, Link
from lms.enrollments.operations import Terms
from lms.enrollments.queries import Way
from lms.enrollments.reports import Hires, Links, LinkUses
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Line, Moment, Rows, answer_rows, endpoint, located


class TermsBody(Body):
    """What a link or key opens, for whom, how many and until when; `is_free` false lets people enrol at the course's price.

    With `role` "instructor" it gives work instead: its people teach these batches, or the one of them owns these courses; it needs an end
    within 90 days, and 1 to 50 places.
    """

    label: Line
    role: Literal["", "instructor"] = ""
    course_ids: Annotated[list[UUID], Field(max_length=50)] = Field(default_factory=list)
    batch_ids: Annotated[list[UUID], Field(max_length=50, description="One batch of each course that runs in batches")] = Field(
        default_factory=list
    )
    is_free: bool = True
    note: Annotated[str, Field(max_length=1000)] = ""
    tag: Annotated[str, Field(max_length=60)] = ""
    domains: Annotated[list[str], Field(max_length=20)] = Field(default_factory=list)
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    seats: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    def terms(self) -> Terms:
        """As operations take it."""
        return Terms(**{name: getattr(self, name) for name in Terms.__slots__})


class NewLinkBody(TermsBody):
    """A new link; with `key`, a key that people type."""

    key: Annotated[str, Field(max_length=60)] = ""


class KeyBody(Body):
    """The new key of a key; links get a new secret by themselves."""

    key: Annotated[str, Field(max_length=60)] = ""


class LinkAnswer(Answer):
    """A link or key as it stands; `state` is open, waiting, full, ended or revoked."""

    id: UUID
    kind: str
    role: str
    label: str
    note: str
    state: str
    course_ids: list[UUID]
    batch_ids: list[UUID]
    is_free: bool
    tag: str
    domains: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    seats: int | None
    uses: int
    made_by: UUID | None
    made_at: datetime
    replaced_at: datetime | None
    revoked_at: datetime | None


class HandedOut(Answer):
    """A link or key with what is handed out: the address of a link, or the key. It is told this once."""

    link: LinkAnswer
    held: str


class JoinRequest(Body):
    """Either `link` (the last part of its address) or `key`; `course_id` chooses one course, and `price` is what one agrees to pay."""

    link: Annotated[str, Field(max_length=200)] = ""
    key: Annotated[str, Field(max_length=120)] = ""
    course_id: UUID | None = None
    price: Amount | None = None


class JoinAnswer(Answer):
    """The enrolments it made or found, and the courses that are to be paid first."""

    enrollments: list[EnrollmentAnswer]
    to_pay: list[UUID]


@bp.get("/links")
@endpoint(lists=Links)
def links_list() -> Rows:
    """Every link and key."""
    allow(policies.can_manage(actor()))
    return answer_rows(Links())


@bp.post("/links")
@endpoint(status=201)
def links_create(body: NewLinkBody) -> HandedOut:
    """Make a link, or a key, into courses; or a link that gives a role."""
    allow(policies.can_hire(actor()) if body.role else policies.can_manage(actor()))
    made, held = operations.make_link(body.terms(), by=actor(), key=body.key)
    located(url_for(".links_show", link_id=made.id))
    return _handed_out(made, held)


@bp.get("/links/<uuid:link_id>")
@endpoint()
def links_show(link_id: UUID) -> LinkAnswer:
    """One link or key."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    return _answer(link)


@bp.put("/links/<uuid:link_id>")
@endpoint()
def links_edit(link_id: UUID, body: TermsBody) -> LinkAnswer:
    """Change its terms; whoever came through it keeps what they have."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    operations.edit_link(link, body.terms(), by=actor())
    return _answer(queries.get_link(link_id))


@bp.post("/links/<uuid:link_id>/revoke")
@endpoint()
def links_revoke(link_id: UUID) -> LinkAnswer:
    """Let nobody in through it any more."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    operations.revoke_link(link, by=actor())
    return _answer(link)


@bp.post("/links/<uuid:link_id>/restore")
@endpoint()
def links_restore(link_id: UUID) -> LinkAnswer:
    """Let people in through it again."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    operations.restore_link(link, by=actor())
    return _answer(link)


@bp.post("/links/<uuid:link_id>/replace")
@endpoint()
def links_replace(link_id: UUID, body: KeyBody) -> HandedOut:
    """A new link or key in its place; the one before lets nobody in from then on."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    held = operations.replace_link(link, by=actor(), key=body.key)
    return _handed_out(queries.get_link(link_id), held)


@bp.get("/links/<uuid:link_id>/uses")
@endpoint(lists=LinkUses)
def links_uses(link_id: UUID) -> Rows:
    """Who came through a link or key."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    return answer_rows(LinkUses(link))


@bp.get("/links/<uuid:link_id>/hires")
@endpoint(lists=Hires)
def links_hires(link_id: UUID) -> Rows:
    """Who took work here through a link that gives a role."""
    link = queries.get_link(link_id)
    allow(policies.can_hire(actor()))
    return answer_rows(Hires(link))


@bp.post("/join")
@endpoint(money=True)
def join(body: JoinRequest) -> JoinAnswer:
    """Come in by a link or key: what is free enrols at once, the rest is named, or paid when its price is agreed to."""
    allow(policies.can_learn(actor()))
    way = _way(body)
    allow(policies.can_join(actor(), way.link, at=now(), has_place=queries.came_through(way.link.id, actor().user_id)))
    if body.course_id is None:
        operations.join_courses(way, by=actor())
    else:
        _join_one(way, courses.get_course(body.course_id), body.price)
    standing = queries.enrollments_in(actor().user_id, [course.id for course in way.courses])
    rest = [course.id for course in way.courses if course.id not in standing and course.is_published]
    return JoinAnswer(enrollments=[EnrollmentAnswer.model_validate(one) for one in standing.values()], to_pay=rest)


def _way(body: JoinRequest) -> Way:
    if body.key:
        return operations.find_key(body.key, by=actor(), address=request.remote_addr or "")
    way = queries.find_way(operations.digest_of(body.link)) if body.link else None
    if way is None or way.link.is_key or way.link.role:
        raise LinkRefused(policies.no_such_key(), rule="unknown")
    return way


def _join_one(way: Way, course: Course, price: Amount | None) -> Enrollment | None:
    """One course of a link; its price is only taken when it is the one agreed to."""
    if not way.link.is_free and operations.batch_price(course, way.batches.get(course.id), now()).minor and price is None:
        return None
    standing = queries.active_enrollment(actor().user_id, course.id)
    allow(policies.can_learn(actor()) if standing else policies.can_enroll(actor(), course, None, let_in=True))
    return operations.enroll_through(way.link.id, course, by=actor(), agreed=Money(price.minor, price.currency) if price else None)


def _answer(link: Link) -> LinkAnswer:
    names = set(LinkAnswer.model_fields) - {"state", "course_ids", "batch_ids"}
    opened = [course.id for course in queries.courses_of_link(link.id)]
    batches = [batch.id for batch in queries.batches_of_link(link.id).values()]
    kept = {name: getattr(link, name) for name in names}
    return LinkAnswer(**kept, state=link.state_at(now()), course_ids=opened, batch_ids=batches)


def _handed_out(link: Link, held: str) -> HandedOut:
    door = "enrollments.work_show" if link.role else "enrollments.join_show"
    address = held if link.is_key else absolute_url(url_for(door, held=held))
    return HandedOut(link=_answer(link), held=address)
