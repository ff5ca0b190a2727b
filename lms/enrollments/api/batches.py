"""Batches by machine: made, changed, cancelled; places in them, and their waitlists."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from flask import request, url_for
from pydantic import Field

from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.courses import policies as course_policies
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.api.door import bp
from lms.enrollments.api.enrolled import EnrollmentAnswer, EnrollRequest
from lms.enrollments.models import CourseBatch
from lms.enrollments.operations import BatchSheet
from lms.enrollments.reports import Batches, Waits
from lms.vouchers import operations as vouchers
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Ids, Line, Rows, answer_rows, endpoint, located

Reason = Annotated[str, Field(min_length=1, max_length=500)]
Day = Annotated[date, Field(strict=False)]


class CourseBatchBody(Body):
    """A run of a course; null is no day, no limit of places, and the course's own price."""

    name: Line
    about: Annotated[str, Field(max_length=300)] = ""
    starts_on: Day | None = None
    ends_on: Day | None = None
    enrol_from: Day | None = None
    enrol_until: Day | None = None
    seats: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    price_minor: Annotated[int, Field(ge=0, le=10**12)] | None = None
    instructor_ids: Ids = []

    def sheet(self) -> BatchSheet:
        """What the operations take."""
        said = {
            name: getattr(self, name) for name in CourseBatchBody.model_fields if name not in ("instructor_ids", "course_id", "version")
        }
        return BatchSheet(**said, instructor_ids=tuple(self.instructor_ids))


class NewCourseBatch(CourseBatchBody):
    """A run of that course."""

    course_id: UUID


class EditCourseBatch(CourseBatchBody):
    """The whole batch as it is to be; `version` is what it is based on."""

    version: int


class CourseBatchAnswer(Answer):
    """A batch; `taken` places are people's, `held` ones are offered to those who wait."""

    id: UUID
    course_id: UUID
    name: str
    about: str
    starts_on: date | None
    ends_on: date | None
    enrol_from: date | None
    enrol_until: date | None
    seats: int | None
    taken: int
    held: int
    price_minor: int | None
    cancelled_at: datetime | None
    cancelled_reason: str
    version: int


class CourseBatchDetails(CourseBatchAnswer):
    """A batch, its state today, those who teach it, and how its people are doing."""

    state: str
    instructor_ids: list[UUID]
    completed: int
    average: int
    waiting: int


class WaitlistAnswer(Answer):
    """One person on a waitlist; `offered_until` is how long a place is held."""

    id: UUID
    batch_id: UUID
    user_id: UUID
    place: int
    state: str
    joined_at: datetime
    offered_until: datetime | None
    reason: str


class WhyRequest(Body):
    """Why; the people concerned read it, or it stands in the history."""

    reason: Reason


class MoveEnrollment(WhyRequest):
    """The batch somebody is moved to; null: none."""

    batch_id: UUID | None


@bp.get("/batches")
@endpoint(lists=Batches)
def batches() -> Rows:
    """Every batch this person may see."""
    report = Batches()
    allow(report.allowed(actor()))
    return answer_rows(report)


@bp.post("/batches")
@endpoint(status=201)
def batches_create(body: NewCourseBatch) -> CourseBatchAnswer:
    """Make a batch of a course."""
    course = courses.get_course(body.course_id)
    allow(policies.can_run(actor(), course))
    _may_price(course, body.price_minor, None)
    batch = operations.create_batch(course, body.sheet(), by=actor())
    located(url_for(".batches_show", batch_id=batch.id))
    return CourseBatchAnswer.model_validate(batch)


@bp.get("/batches/<uuid:batch_id>")
@endpoint()
def batches_show(batch_id: UUID) -> CourseBatchDetails:
    """One batch, its state today and how its people are doing."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    figures = queries.figures_of_batch(batch.id)
    allow(policies.can_see_batch(actor(), course, teaches=actor().user_id in figures.teacher_ids))
    about = {name: getattr(batch, name) for name in CourseBatchAnswer.model_fields}
    return CourseBatchDetails(
        **about,
        state=batch.state_on(operations.today()),
        instructor_ids=list(figures.teacher_ids),
        completed=figures.completed,
        average=figures.average,
        waiting=figures.waiting,
    )


@bp.post("/batches/<uuid:batch_id>/edit")
@endpoint()
def batches_edit(batch_id: UUID, body: EditCourseBatch) -> CourseBatchAnswer:
    """Change a batch, and with its days those of its people."""
    batch = _to_run(batch_id)
    _may_price(courses.get_course(batch.course_id), body.price_minor, batch.price_minor)
    operations.edit_batch(batch, body.sheet(), version=body.version, by=actor())
    return CourseBatchAnswer.model_validate(batch)


@bp.post("/batches/<uuid:batch_id>/cancel")
@endpoint()
def batches_cancel(batch_id: UUID, body: WhyRequest) -> CourseBatchAnswer:
    """Say that a batch does not take place."""
    batch = _to_run(batch_id)
    operations.cancel_batch(batch, reason=body.reason, by=actor())
    return CourseBatchAnswer.model_validate(batch)


@bp.post("/batches/<uuid:batch_id>/reopen")
@endpoint()
def batches_reopen(batch_id: UUID) -> CourseBatchAnswer:
    """Let a cancelled batch take place after all."""
    batch = _to_run(batch_id)
    operations.reopen_batch(batch, by=actor())
    return CourseBatchAnswer.model_validate(batch)


@bp.post("/batches/<uuid:batch_id>/delete")
@endpoint()
def batches_delete(batch_id: UUID) -> CourseBatchAnswer:
    """Put a batch without people into the bin."""
    batch = _to_run(batch_id)
    operations.delete_batch(batch, by=actor())
    return CourseBatchAnswer.model_validate(batch)


@bp.post("/batches/<uuid:batch_id>/restore")
@endpoint()
def batches_restore(batch_id: UUID) -> CourseBatchAnswer:
    """Bring a batch back from the bin."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_run(actor(), courses.get_course(batch.course_id)))
    operations.restore_batch(batch, by=actor())
    return CourseBatchAnswer.model_validate(batch)


@bp.post("/batches/<uuid:batch_id>/enroll")
@endpoint(money=True)
def batches_enroll(batch_id: UUID, body: EnrollRequest) -> EnrollmentAnswer:
    """Take a place for me and its price from my wallet, both or neither."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    enrollment = queries.active_enrollment(actor().user_id, course.id)
    let_in = queries.lets_in(actor().user_id, course)
    allow(policies.can_learn(actor()) if enrollment is not None else policies.can_enroll(actor(), course, None, let_in=let_in))
    agreed, coupon_id = Money(body.price.minor, body.price.currency), None
    if enrollment is None and body.coupon:
        price = Money(batch.price_minor, course.currency) if batch.price_minor is not None else course.price_now
        coupon_id = vouchers.try_coupon(body.coupon, course.id, price, by=actor(), address=request.remote_addr or "").code_id
    made = operations.enroll_by_wallet(course, by=actor(), agreed=agreed, coupon_id=coupon_id, batch_id=batch.id)
    return EnrollmentAnswer.model_validate(made)


@bp.get("/waits")
@endpoint(lists=Waits)
def waits() -> Rows:
    """Who waits for a place in which batch."""
    report = Waits()
    allow(report.allowed(actor()))
    return answer_rows(report)


@bp.post("/batches/<uuid:batch_id>/wait")
@endpoint()
def batches_wait(batch_id: UUID) -> WaitlistAnswer:
    """Put me on the waitlist of a full batch."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    enrollment = queries.active_enrollment(actor().user_id, course.id)
    allow(policies.can_wait(actor(), course, enrollment, let_in=queries.lets_in(actor().user_id, course)))
    user_id = actor().user_id
    assert user_id is not None
    return WaitlistAnswer.model_validate(operations.join_waitlist(batch, user_id, by=actor()))


@bp.post("/waits/<uuid:wait_id>/leave")
@endpoint()
def waits_leave(wait_id: UUID) -> WaitlistAnswer:
    """Take me off a waitlist."""
    wait = queries.get_wait(wait_id)
    allow(policies.can_record(actor(), wait.user_id))
    operations.leave_waitlist(wait, by=actor())
    return WaitlistAnswer.model_validate(wait)


@bp.post("/waits/<uuid:wait_id>/offer")
@endpoint()
def waits_offer(wait_id: UUID, body: WhyRequest) -> WaitlistAnswer:
    """Hold a free place for this person now, out of turn."""
    wait = queries.get_wait(wait_id)
    _to_run(wait.batch_id)
    operations.offer_by_hand(wait, reason=body.reason, by=actor())
    return WaitlistAnswer.model_validate(wait)


@bp.post("/waits/<uuid:wait_id>/remove")
@endpoint()
def waits_remove(wait_id: UUID, body: WhyRequest) -> WaitlistAnswer:
    """Take somebody off a waitlist."""
    wait = queries.get_wait(wait_id)
    _to_run(wait.batch_id)
    operations.remove_wait(wait, reason=body.reason, by=actor())
    return WaitlistAnswer.model_validate(wait)


@bp.post("/<uuid:enrollment_id>/move")
@endpoint()
def move(enrollment_id: UUID, body: MoveEnrollment) -> EnrollmentAnswer:
    """Put somebody into another batch of their course, or out of any."""
    enrollment = queries.get_enrollment(enrollment_id)
    allow(policies.can_manage(actor()))
    operations.move_enrollment(enrollment, body.batch_id, reason=body.reason, by=actor())
    return EnrollmentAnswer.model_validate(enrollment)


def _to_run(batch_id: UUID) -> CourseBatch:
    """A batch that this person may change."""
    batch = queries.standing_batch(batch_id)
    allow(policies.can_run(actor(), courses.get_course(batch.course_id)))
    return batch


def _may_price(course: Course, wanted: int | None, stands: int | None) -> None:
    """Refuse another price to whom the course's price is not theirs to change."""
    decision = course_policies.can_set_price(actor(), course)
    if wanted != stands and not decision:
        raise Forbidden(decision.sentence or _("Only an admin can change this price."), rule=decision.rule)
