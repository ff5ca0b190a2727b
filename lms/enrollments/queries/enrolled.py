"""Enrolments and progress one by one and in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import defer

from lms.channels.models import Member
from lms.core import db
from lms.core.clock import now
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.courses.models import Course, Lesson, Section
from lms.enrollments.errors import NoEnrollment
from lms.enrollments.models import CourseBatch, Enrollment, LessonProgress
from lms.payments.models import Refund


@dataclass(frozen=True, slots=True)
class Learning:
    """One course somebody learns, and the lesson to go on with (none when it has none)."""

    enrollment: Enrollment
    course: Course
    next_lesson: Lesson | None
    done: int
    total: int
    batch: str = ""


def get_enrollment(enrollment_id: UUID) -> Enrollment:
    """One enrolment; raises NoEnrollment."""
    found = db.session().scalars(select(Enrollment).where(Enrollment.id == enrollment_id)).one_or_none()
    if found is None:
        raise NoEnrollment(_("There is no such enrolment here."))
    return found


def lock_enrollment(enrollment_id: UUID) -> Enrollment:
    """One enrolment, fresh and locked until the transaction ends; raises NoEnrollment."""
    statement = select(Enrollment).where(Enrollment.id == enrollment_id).with_for_update().execution_options(populate_existing=True)
    db.session().flush()
    found = db.session().scalars(statement).one_or_none()
    if found is None:
        raise NoEnrollment(_("There is no such enrolment here."))
    return found


def active_enrollment(user_id: UUID | None, course_id: UUID) -> Enrollment | None:
    """The enrolment that opens the course to this person, completed ones among them."""
    if user_id is None:
        return None
    statement = select(Enrollment).where(Enrollment.user_id == user_id, Enrollment.course_id == course_id, Enrollment.status != "ended")
    return db.session().scalars(statement).one_or_none()


def latest_enrollment(user_id: UUID | None, course_id: UUID) -> Enrollment | None:
    """The person's enrolment in the course, the open one first, else the last that ended."""
    if user_id is None:
        return None
    statement = (
        select(Enrollment)
        .where(Enrollment.user_id == user_id, Enrollment.course_id == course_id)
        .order_by((Enrollment.status == "ended").asc(), Enrollment.enrolled_at.desc())
        .limit(1)
    )
    return db.session().scalars(statement).one_or_none()


def enrollment_of_order(order_id: UUID) -> Enrollment | None:
    """The enrolment an order paid for, or nothing."""
    statement = select(Enrollment).where(Enrollment.order_id == order_id).order_by(Enrollment.enrolled_at.desc()).limit(1)
    return db.session().scalars(statement).one_or_none()


def was_refunded(user_id: UUID, course_id: UUID) -> bool:
    """Whether a refund ended this person's access to the course, or is about to, and nothing else opens it."""
    statement = (
        select(Refund.id)
        .join(Enrollment, (Enrollment.order_id == Refund.order_id))
        .where(Enrollment.user_id == user_id, Enrollment.course_id == course_id, Refund.state == "applied", Refund.ends_access)
    )
    open_otherwise = select(Enrollment.id).where(
        Enrollment.user_id == user_id,
        Enrollment.course_id == course_id,
        Enrollment.status != "ended",
        ~exists().where(Refund.order_id == Enrollment.order_id, Refund.state == "applied", Refund.ends_access),
    )
    return bool(db.session().scalar(select(exists(statement) & ~exists(open_otherwise))))


def is_enrolled(user_id: UUID | None, course_id: UUID) -> bool:
    """Whether the person may learn the course now."""
    return active_enrollment(user_id, course_id) is not None


def enrolled_user_ids(course_id: UUID) -> Sequence[UUID]:
    """Everybody who may learn the course now."""
    statement = select(Enrollment.user_id).where(Enrollment.course_id == course_id, Enrollment.status != "ended")
    return db.session().scalars(statement.order_by(Enrollment.enrolled_at)).all()


def enrolled_course_ids(user_id: UUID) -> Sequence[UUID]:
    """Every course the person may learn now."""
    return db.session().scalars(select(Enrollment.course_id).where(Enrollment.user_id == user_id, Enrollment.status != "ended")).all()


def asset_ids_of(course_id: UUID) -> Sequence[UUID]:
    """The files that the lessons of a course play, deleted lessons among them."""
    statement = select(Lesson.asset_id).where(Lesson.course_id == course_id, Lesson.asset_id.is_not(None))
    return [asset_id for asset_id in db.session().scalars(statement) if asset_id is not None]


def count_students(course_id: UUID) -> int:
    """How many may learn the course now."""
    statement = select(func.count()).select_from(Enrollment).where(Enrollment.course_id == course_id, Enrollment.status != "ended")
    return db.session().scalar(statement) or 0


def count_lessons(enrollment: Enrollment) -> tuple[int, int]:
    """How many published lessons the course has: (done by this enrolment, all)."""
    statement = (
        select(func.count(LessonProgress.completed_at), func.count())
        .select_from(Lesson)
        .join(Section, Section.id == Lesson.section_id)
        .outerjoin(LessonProgress, (LessonProgress.lesson_id == Lesson.id) & (LessonProgress.enrollment_id == enrollment.id))
        .where(Lesson.course_id == enrollment.course_id, Lesson.status == "published", Section.deleted_at.is_(None))
    )
    done, total = db.session().execute(statement).one()
    return done, total


def progress_of(enrollment_id: UUID) -> dict[UUID, LessonProgress]:
    """What the enrolment has for each lesson that was begun, by lesson."""
    rows = db.session().scalars(select(LessonProgress).where(LessonProgress.enrollment_id == enrollment_id))
    return {row.lesson_id: row for row in rows}


def get_progress(enrollment_id: UUID, lesson_id: UUID) -> LessonProgress | None:
    """What the enrolment has for one lesson, or nothing."""
    statement = select(LessonProgress).where(LessonProgress.enrollment_id == enrollment_id, LessonProgress.lesson_id == lesson_id)
    return db.session().scalars(statement).one_or_none()


def learning_of(user_id: UUID, *, limit: int | None = None) -> list[Learning]:
    """What the person learns, last seen first, each with the lesson to go on with; three queries however many there are."""
    statement = (
        select(Enrollment, Course, CourseBatch.name)
        .join(Course, Course.id == Enrollment.course_id)
        .outerjoin(CourseBatch, CourseBatch.id == Enrollment.batch_id)
        .where(Enrollment.user_id == user_id, Enrollment.status != "ended", Course.status != "deleted")
        .order_by(func.coalesce(Enrollment.last_seen_at, Enrollment.enrolled_at).desc(), Enrollment.id)
        .limit(limit)
    )
    rows = db.session().execute(statement).all()
    lessons = _lessons_in_order([course.id for _enrollment, course, _batch in rows])
    done = _done_lessons([enrollment.id for enrollment, _course, _batch in rows])
    return [_learning(one, course, lessons.get(course.id, []), done.get(one.id, set()), batch) for one, course, batch in rows]


def next_lesson(enrollment: Enrollment) -> Lesson | None:
    """The lesson to go on with: the last one opened if it is not done, else the first open one after it, else the first of all."""
    lessons = _lessons_in_order([enrollment.course_id]).get(enrollment.course_id, [])
    return choose_next(lessons, _done_lessons([enrollment.id]).get(enrollment.id, set()), enrollment.last_lesson_id)


def choose_next(lessons: Sequence[Lesson], done: set[UUID], last_lesson_id: UUID | None) -> Lesson | None:
    """Of lessons in order: the last opened if it is not done, else the next one not done (round the end), else the last opened."""
    if not lessons:
        return None
    at = next((index for index, lesson in enumerate(lessons) if lesson.id == last_lesson_id), 0)
    for lesson in [*lessons[at:], *lessons[:at]]:
        if lesson.id not in done:
            return lesson
    return lessons[at] if last_lesson_id else lessons[0]


def _learning(enrollment: Enrollment, course: Course, lessons: Sequence[Lesson], done: set[UUID], batch: str | None) -> Learning:
    shown = {lesson.id for lesson in lessons}
    return Learning(enrollment, course, choose_next(lessons, done, enrollment.last_lesson_id), len(done & shown), len(lessons), batch or "")


def _lessons_in_order(course_ids: Sequence[UUID]) -> dict[UUID, list[Lesson]]:
    statement = (
        select(Lesson)
        .join(Section, Section.id == Lesson.section_id)
        .where(Lesson.course_id.in_(course_ids), Lesson.status == "published", Section.deleted_at.is_(None))
        .order_by(Section.position, Section.id, Lesson.position, Lesson.id)
        .options(defer(Lesson.body, raiseload=True))
    )
    found: dict[UUID, list[Lesson]] = {}
    for lesson in db.session().scalars(statement) if course_ids else ():
        found.setdefault(lesson.course_id, []).append(lesson)
    return found


def _done_lessons(enrollment_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    statement = select(LessonProgress.enrollment_id, LessonProgress.lesson_id).where(
        LessonProgress.enrollment_id.in_(enrollment_ids), LessonProgress.completed_at.is_not(None)
    )
    found: dict[UUID, set[UUID]] = {}
    for enrollment_id, lesson_id in db.session().execute(statement) if enrollment_ids else ():
        found.setdefault(enrollment_id, set()).add(lesson_id)
    return found


def enrollments_of(user_id: UUID) -> Sequence[tuple[Enrollment, Course]]:
    """Everything the person was ever enrolled in, newest first, with the courses."""
    statement = (
        select(Enrollment, Course)
        .join(Course, Course.id == Enrollment.course_id)
        .where(Enrollment.user_id == user_id)
        .order_by(Enrollment.enrolled_at.desc(), Enrollment.id)
    )
    return [(enrollment, course) for enrollment, course in db.session().execute(statement)]


@dataclass(frozen=True, slots=True)
class CourseFigures:
    """How a course's students are doing."""

    learning: int
    completed: int
    ended: int
    seen_lately: int
    average: int


def figures_of(course_id: UUID) -> CourseFigures:
    """How many learn, have completed and have left a course, how many were here in the last 7 days, and their average progress."""
    status, seen = Enrollment.status, Enrollment.last_seen_at
    statement = select(
        func.count().filter(status == "active"),
        func.count().filter(status == "completed"),
        func.count().filter(status == "ended"),
        func.count().filter(status != "ended", seen > now() - timedelta(days=7)),
        func.coalesce(func.avg(Enrollment.progress).filter(status != "ended"), 0),
    ).where(Enrollment.course_id == course_id)
    learning, completed, ended, lately, average = db.session().execute(statement).one()
    return CourseFigures(learning, completed, ended, lately, round(average))


def newest_students(course_id: UUID, *, limit: int) -> Sequence[tuple[Enrollment, Member]]:
    """The newest enrolments of a course that are open, with the people."""
    statement = (
        select(Enrollment, Member)
        .join(Member, Member.id == Enrollment.user_id)
        .where(Enrollment.course_id == course_id, Enrollment.status != "ended")
        .order_by(Enrollment.enrolled_at.desc(), Enrollment.id)
        .limit(limit)
    )
    return [(enrollment, member) for enrollment, member in db.session().execute(statement)]


def courses_to_enrol_in() -> list[tuple[str, str]]:
    """The courses somebody can be enrolled in by hand: (id, title), by title."""
    statement = select(Course.id, Course.title).where(Course.status != "deleted").order_by(func.lower(Course.title), Course.id)
    return [(str(course_id), title) for course_id, title in db.session().execute(statement)]


def member_by_email(email: str) -> Member:
    """The person of this channel with that address; raises Invalid beside the field `email`."""
    statement = select(Member).where(func.lower(Member.email) == email.strip().lower(), Member.status != "deleted")
    found = db.session().scalars(statement).one_or_none()
    if found is None:
        sentence = _("Nobody here has this address. Invite them first.")
        raise Invalid(sentence, fields={"email": sentence})
    return found


@dataclass(frozen=True, slots=True)
class Gain:
    """What one use of a voucher brought: a course it opened or paid for in part, what was done there, or where else its money went."""

    source: str
    at: datetime
    part_minor: int
    title: str
    order_id: UUID | None
    enrollment_id: UUID | None
    status: str | None
    progress: int | None
    lessons: int
    watched_ms: int


# Money is spent in the order it came in: what the wallet held before the voucher goes first, then the voucher's.
GAINS = """
    WITH mine AS (
        SELECT e.account_id, e.position, e.amount_minor AS value, e.balance_after - e.amount_minor AS before
        FROM wallet.transactions t JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id
        WHERE t.source = 'voucher' AND t.reference_id = :redemption AND e.position IS NOT NULL),
    spent AS (
        SELECT t.source, t.at, t.note, t.reference_id, -e.amount_minor AS amount, sum(-e.amount_minor) OVER (ORDER BY e.position) AS upto,
            mine.before, mine.value
        FROM mine JOIN wallet.entries e ON e.account_id = mine.account_id AND e.position > mine.position AND e.amount_minor < 0
        JOIN wallet.transactions t ON t.channel_id = e.channel_id AND t.id = e.transaction_id),
    parts AS (
        SELECT source, at, note AS title, CASE WHEN source = 'order' THEN reference_id END AS order_id, CAST(NULL AS uuid) AS redemption_id,
            least(upto, before + value) - greatest(upto - amount, before) AS part_minor
        FROM spent WHERE upto > before AND upto - amount < before + value
        UNION ALL
        SELECT 'voucher', e.enrolled_at, c.title, e.order_id, e.redemption_id, 0 FROM enrollments.enrollments e
        JOIN courses.courses c ON c.channel_id = e.channel_id AND c.id = e.course_id WHERE e.redemption_id = :redemption)
    SELECT p.source, p.at, p.part_minor, p.title, p.order_id, e.id AS enrollment_id, e.status, e.progress,
        coalesce(l.lessons, 0) AS lessons, coalesce(l.watched_ms, 0) AS watched_ms
    FROM parts p LEFT JOIN enrollments.enrollments e ON e.order_id = p.order_id OR e.redemption_id = p.redemption_id
    LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE lp.completed_at IS NOT NULL) AS lessons, sum(lp.watch_ms) AS watched_ms
        FROM enrollments.lesson_progress lp WHERE lp.channel_id = e.channel_id AND lp.enrollment_id = e.id) l ON true
    ORDER BY p.at LIMIT 50
"""


def gains_of(redemption_id: UUID) -> list[Gain]:
    """What one use of a voucher brought, oldest first. One query."""
    rows = db.session().execute(text(GAINS), {"redemption": redemption_id}).mappings()
    return [Gain(**{**row, "part_minor": int(row["part_minor"]), "watched_ms": int(row["watched_ms"])}) for row in rows]
