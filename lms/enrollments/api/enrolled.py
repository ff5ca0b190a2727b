"""Door 3: enrolments, the lesson as a learner has it, and what a player reports."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from flask import request, url_for
from pydantic import ConfigDict, Field

from lms.channels.queries import get_member
from lms.content import operations as content
from lms.content.api import PlaybackAnswer
from lms.content.queries import get_asset, playback_of
from lms.content.views import may_watch_here, note_device
from lms.core import markdown
from lms.core.clock import now
from lms.core.errors import Conflict, NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.courses import queries as courses
from lms.courses.models import Lesson
from lms.enrollments import operations, policies, queries
from lms.enrollments.api.door import bp
from lms.enrollments.models import Enrollment
from lms.enrollments.operations import Played
from lms.enrollments.operations.watching import read_pass
from lms.enrollments.reports import Enrollments
from lms.vouchers import operations as vouchers
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Rows, answer_rows, endpoint, located

Seconds = Annotated[float, Field(ge=0, le=2_000_000, strict=False)]


class EnrollmentAnswer(Answer):
    """One person in one course; `progress` is percent."""

    id: UUID
    user_id: UUID
    course_id: UUID
    status: str
    source: str
    progress: int
    enrolled_at: datetime
    completed_at: datetime | None
    ended_at: datetime | None
    ended_reason: str
    last_lesson_id: UUID | None
    batch_id: UUID | None
    opens_at: datetime | None
    until_on: date | None


class LearningAnswer(Answer):
    """A course I learn, and the lesson to go on with."""

    enrollment: EnrollmentAnswer
    title: str
    slug: str
    lessons_done: int
    lessons: int
    next_lesson_id: UUID | None


class LearningList(Answer):
    """What I learn, last seen first."""

    rows: list[LearningAnswer]


class EnrollRequest(Body):
    """The price agreed to, after the coupon if there is one; another price is never taken."""

    price: Amount
    coupon: Annotated[str, Field(max_length=120)] = ""


class PriceRequest(Body):
    """A coupon to look at."""

    coupon: Annotated[str, Field(min_length=1, max_length=120)]


class PriceAnswer(Answer):
    """What a course costs with a coupon: `left` is to be paid, and is the price to agree to."""

    price: Amount
    off: Amount
    left: Amount


class ByHandRequest(Body):
    """Whom to enrol where, and why."""

    user_id: UUID
    course_id: UUID
    batch_id: UUID | None = None
    note: Annotated[str, Field(min_length=1, max_length=500)]


class EndRequest(Body):
    """Why an enrolment ends; the person reads it."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class LessonProgressAnswer(Answer):
    """What was done in one lesson."""

    lesson_id: UUID
    watched_seconds: int
    watch_seconds: int
    position_seconds: int
    completed_at: datetime | None


class ProgressAnswer(Answer):
    """What was done in a course, lesson by lesson; lessons not begun are left out."""

    enrollment: EnrollmentAnswer
    lessons: list[LessonProgressAnswer]


class OpenLesson(Answer):
    """A lesson as a learner has it; `pass` goes with each report of the player."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    id: UUID
    course_id: UUID
    title: str
    kind: str
    body_html: str
    playback: PlaybackAnswer | None
    signed: str = Field(alias="pass")
    progress: LessonProgressAnswer | None


class PlayedStretch(Body):
    """A stretch that was played without a jump: seconds of the video, and how fast."""

    start: Seconds = Field(alias="from")
    end: Seconds = Field(alias="to")
    rate: Annotated[float, Field(ge=0.1, le=16, strict=False)] = 1.0


class HeartbeatRequest(Body):
    """A player's report: the lesson's pass, what was played since the last one, where it is now, and the bytes it took."""

    signed: Annotated[str, Field(min_length=20, max_length=1000)] = Field(alias="pass")
    played: Annotated[list[PlayedStretch], Field(max_length=200)] = []
    position: Seconds | None = None
    late: bool = False
    given: Annotated[int, Field(ge=0, le=1 << 40)] = 0


class HeartbeatAnswer(Answer):
    """How the lesson stands."""

    watched_seconds: int
    watch_seconds: int
    is_done: bool


@bp.get("")
@endpoint(lists=Enrollments)
def index() -> Rows:
    """Every enrolment this person may see."""
    report = Enrollments()
    allow(report.allowed(actor()))
    return answer_rows(report)


@bp.post("")
@endpoint(status=201)
def index_create(body: ByHandRequest) -> EnrollmentAnswer:
    """Enrol somebody by hand, with the reason."""
    member, course = get_member(body.user_id), courses.get_course(body.course_id)
    allow(policies.can_manage(actor()))
    enrollment = operations.enroll_by_hand(member.id, course, note=body.note, by=actor(), batch_id=body.batch_id)
    located(url_for(".show", enrollment_id=enrollment.id))
    return EnrollmentAnswer.model_validate(enrollment)


@bp.get("/mine")
@endpoint()
def mine() -> LearningList:
    """What I learn."""
    allow(policies.can_learn(actor()))
    return LearningList(rows=[_learning(one) for one in queries.learning_of(_me())])


@bp.get("/<uuid:enrollment_id>")
@endpoint()
def show(enrollment_id: UUID) -> ProgressAnswer:
    """One enrolment with the progress in each lesson: one's own, or for those who teach it."""
    enrollment = queries.get_enrollment(enrollment_id)
    if enrollment.user_id == actor().user_id:
        allow(policies.can_learn(actor()))
    else:
        allow(policies.can_see_students(actor(), courses.get_course(enrollment.course_id)))
    return _progress(enrollment)


@bp.post("/<uuid:enrollment_id>/end")
@endpoint()
def end(enrollment_id: UUID, body: EndRequest) -> EnrollmentAnswer:
    """End an enrolment, with the reason the person reads."""
    enrollment = queries.get_enrollment(enrollment_id)
    allow(policies.can_manage(actor()))
    operations.end_enrollment(enrollment, reason=body.reason, by=actor())
    return EnrollmentAnswer.model_validate(enrollment)


@bp.post("/<uuid:enrollment_id>/restore")
@endpoint()
def restore(enrollment_id: UUID) -> EnrollmentAnswer:
    """Open an ended enrolment again."""
    enrollment = queries.get_enrollment(enrollment_id)
    allow(policies.can_manage(actor()))
    return EnrollmentAnswer.model_validate(operations.restore_enrollment(enrollment, by=actor()))


@bp.post("/courses/<uuid:course_id>/enroll")
@endpoint(money=True)
def courses_enroll(course_id: UUID, body: EnrollRequest) -> EnrollmentAnswer:
    """Enrol me and take the price from my wallet, both or neither."""
    course = courses.get_course(course_id)
    enrollment = queries.active_enrollment(_me(), course_id)
    allow(
        policies.can_learn(actor())
        if enrollment is not None
        else policies.can_enroll(actor(), course, None, let_in=queries.lets_in(_me(), course))
    )
    if enrollment is None and queries.runs_in_batches(course.id):
        raise Conflict(_("This course runs in batches. Enrol in one of them."), rule="batch")
    agreed = Money(body.price.minor, body.price.currency)
    if enrollment is None and body.coupon:
        discount = vouchers.try_coupon(body.coupon, course.id, course.price, by=actor(), address=request.remote_addr or "")
        made = operations.enroll_by_wallet(course, by=actor(), agreed=agreed, coupon_id=discount.code_id)
    else:
        made = operations.enroll_by_wallet(course, by=actor(), agreed=agreed)
    return EnrollmentAnswer.model_validate(made)


@bp.post("/courses/<uuid:course_id>/leave")
@endpoint()
def courses_leave(course_id: UUID) -> EnrollmentAnswer:
    """Leave a course by myself: no money moves, the place is free, what was done is kept."""
    enrollment = queries.latest_enrollment(_me(), courses.get_course(course_id).id)
    allow(policies.can_leave(actor(), enrollment))
    if enrollment is None:
        raise Conflict(_("You are not in this course."), rule="enrolled")
    operations.leave_course(enrollment, by=actor())
    return EnrollmentAnswer.model_validate(queries.get_enrollment(enrollment.id))


@bp.post("/courses/<uuid:course_id>/return")
@endpoint()
def courses_return(course_id: UUID) -> EnrollmentAnswer:
    """Come back to a course I left myself not long ago."""
    course, enrollment = courses.get_course(course_id), queries.latest_enrollment(_me(), course_id)
    if enrollment is not None and enrollment.is_open:
        allow(policies.can_learn(actor()))
        return EnrollmentAnswer.model_validate(enrollment)
    refunded = queries.was_refunded(_me(), course_id)
    allow(policies.can_return(actor(), course, enrollment, at=now(), day=operations.today(), refunded=refunded))
    return EnrollmentAnswer.model_validate(operations.come_back(enrollment, by=actor()))  # type: ignore[arg-type]


@bp.post("/courses/<uuid:course_id>/price")
@endpoint()
def courses_price(course_id: UUID, body: PriceRequest) -> PriceAnswer:
    """What a course costs me with a coupon; uses nothing, and wrong codes count as guesses."""
    course = courses.get_course(course_id)
    enrollment = queries.active_enrollment(_me(), course_id)
    allow(policies.can_enroll(actor(), course, enrollment, let_in=queries.lets_in(_me(), course)))
    discount = vouchers.try_coupon(body.coupon, course.id, course.price, by=actor(), address=request.remote_addr or "")
    return PriceAnswer.model_validate(discount)


@bp.get("/courses/<uuid:course_id>/progress")
@endpoint()
def courses_progress(course_id: UUID) -> ProgressAnswer:
    """What I did in a course, lesson by lesson."""
    allow(policies.can_learn(actor()))
    enrollment = queries.latest_enrollment(_me(), course_id)
    if enrollment is None:
        raise NotFound(_("You are not enrolled in this course."))
    return _progress(enrollment)


@bp.get("/lessons/<uuid:lesson_id>")
@endpoint(public=True)
def lessons_show(lesson_id: UUID) -> OpenLesson:
    """A lesson with where to play it; previews are for everybody."""
    lesson = courses.get_lesson(lesson_id)
    if lesson.is_deleted:
        raise NotFound(_("There is no such lesson here. It may have been taken away."))
    enrollment = queries.latest_enrollment(actor().user_id, lesson.course_id)
    course, teaches = courses.get_course(lesson.course_id), queries.teaches_batch_of(actor(), lesson.course_id)
    decision = policies.can_open(actor(), lesson, enrollment, at=now(), course=course, teaches=teaches)
    allow(decision)
    if decision.rule == "enrolled" and lesson.asset_id is not None:
        allow(may_watch_here())
    return _open(lesson, enrollment, public=decision.rule == "preview")


@bp.post("/lessons/<uuid:lesson_id>/heartbeat")
@endpoint()
def lessons_heartbeat(lesson_id: UUID, body: HeartbeatRequest) -> HeartbeatAnswer:
    """Take a player's report."""
    watch = read_pass(body.signed)
    if watch.lesson_id != lesson_id:
        raise NotFound(_("There is no such lesson here."))
    allow(policies.can_record(actor(), watch.user_id))
    position_ms = None if body.position is None else round(body.position * 1000)
    played = [Played(round(part.start * 1000), round(part.end * 1000), part.rate) for part in body.played]
    beat = operations.record_beat(watch, played, position_ms=position_ms, by=actor(), late=body.late, given=body.given)
    if body.played and not body.late:
        note_device(beat.limits, has_film=watch.asset_id is not None)  # a refusal takes back what was just written
    if watch.asset_id is not None:
        content.renew_grant(watch.asset_id, viewer=actor())
    return HeartbeatAnswer(
        watched_seconds=beat.watched_ms // 1000, watch_seconds=beat.watch_ms // 1000, is_done=beat.completed_at is not None
    )


@bp.post("/lessons/<uuid:lesson_id>/done")
@endpoint()
def lessons_done(lesson_id: UUID) -> EnrollmentAnswer:
    """Count a text lesson as done."""
    lesson = courses.get_lesson(lesson_id)
    enrollment = queries.active_enrollment(actor().user_id, lesson.course_id)
    allow(policies.can_mark_done(actor(), lesson, enrollment, at=now()))
    if enrollment is None:
        raise NotFound(_("There is no such lesson here."))
    operations.mark_done(enrollment, lesson, by=actor())
    return EnrollmentAnswer.model_validate(queries.lock_enrollment(enrollment.id))


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _learning(one: queries.Learning) -> LearningAnswer:
    return LearningAnswer(
        enrollment=EnrollmentAnswer.model_validate(one.enrollment),
        title=one.course.title,
        slug=one.course.slug,
        lessons_done=one.done,
        lessons=one.total,
        next_lesson_id=one.next_lesson.id if one.next_lesson else None,
    )


def _progress(enrollment: Enrollment) -> ProgressAnswer:
    rows = queries.progress_of(enrollment.id).values()
    return ProgressAnswer(
        enrollment=EnrollmentAnswer.model_validate(enrollment), lessons=[LessonProgressAnswer.model_validate(row) for row in rows]
    )


def _open(lesson: Lesson, enrollment: Enrollment | None, *, public: bool) -> OpenLesson:
    """The lesson with its addresses, and a pass for those enrolled."""
    playback, signed, progress = None, "", None
    if lesson.asset_id is not None and (file := get_asset(lesson.asset_id)).is_playable:
        playback = PlaybackAnswer.model_validate(playback_of(file, viewer=actor(), public=public))
    if enrollment is not None:
        progress = queries.get_progress(enrollment.id, lesson.id)
        if enrollment.is_open and playback is not None:
            signed = operations.begin_watching(enrollment, lesson, duration_ms=round((playback.duration or 0) * 1000))
    about = {name: getattr(lesson, name) for name in ("id", "course_id", "title", "kind")}
    body = str(markdown.render(lesson.body)) if lesson.body else ""
    return OpenLesson.model_validate({**about, "body_html": body, "playback": playback, "pass": signed, "progress": progress})
