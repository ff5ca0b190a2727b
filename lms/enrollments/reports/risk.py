"""Who needs a hand: learners in danger of giving up, with the reasons in words."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Integer, Select, Text, and_, bindparam, case, cast, func, not_, or_, select
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.reports import people_by
from lms.core.decisions import Actor, Decision
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Knob, Period, Report, Sought, knob
from lms.core.reports.fields import Words
from lms.courses.models import Course, Lesson
from lms.enrollments.models import Enrollment, LessonProgress
from lms.enrollments.policies import can_see_students
from lms.enrollments.reports.lists import course_options

GRACE_DAYS = 14
Stopped = aliased(Lesson)


def _days_since(moment: Any) -> Any:
    return cast(func.floor(func.extract("epoch", func.now() - moment) / 86_400), BigInteger)


def _before(moment: Any, days: Any) -> Any:
    return moment < func.now() - func.make_interval(0, 0, 0, cast(days, Integer))


def _words(label: Lazy, number: Any) -> Any:
    """A sentence of the reader's language with a number for {n}."""
    return func.replace(bindparam(None, callable_=lambda: str(label), type_=Text), "{n}", cast(number, Text))


STOPS = (
    select(func.count())
    .where(
        LessonProgress.channel_id == Enrollment.channel_id,
        LessonProgress.enrollment_id == Enrollment.id,
        LessonProgress.completed_at.is_(None),
    )
    .correlate(Enrollment)
    .scalar_subquery()
)
IS_AWAY = or_(
    _before(Enrollment.last_seen_at, knob("away")), and_(Enrollment.last_seen_at.is_(None), _before(Enrollment.enrolled_at, knob("away")))
)
IS_BEHIND = and_(Enrollment.progress < knob("behind"), _before(Enrollment.enrolled_at, GRACE_DAYS))
IS_STUCK = knob("stops") <= STOPS
REASONS = func.concat_ws(
    "; ",
    case(
        (not_(IS_AWAY), None),
        (Enrollment.last_seen_at.is_(None), _words(_l("Has not begun in {n} days"), _days_since(Enrollment.enrolled_at))),
        else_=_words(_l("Not here for {n} days"), _days_since(Enrollment.last_seen_at)),
    ),
    case(
        (
            IS_BEHIND,
            func.replace(
                _words(_l("{p}% done {n} days after enrolling"), _days_since(Enrollment.enrolled_at)),
                "{p}",
                cast(Enrollment.progress, Text),
            ),
        )
    ),
    case((IS_STUCK, _words(_l("{n} lessons begun and not finished"), STOPS))),
)
WHY = {"away": IS_AWAY, "behind": IS_BEHIND, "stuck": IS_STUCK}
DAYS = [(days, _l("%(days)s days", days=days)) for days in (7, 14, 30, 60)]


class AtRisk(Report):
    """Learners in danger of giving up; instructors see those of their own courses."""

    name = "enrollments.at_risk"
    title = _l("Learners who may need help")
    lead = _l("People in a course who stay away, are behind, or stop in many lessons. The filters say from when on that counts.")
    key = Enrollment.id
    href = "/admin/enrollments/{id}"
    sort = "last_seen_at"
    empty = ("life-buoy", _l("Everybody is on the way"), _l("Nobody stays away, is behind or stops in many lessons."))
    figures: ClassVar[Mapping[str, Words]] = {
        "at_risk": _l(
            "People learning in a course now who were not here for as many days as the filter says, or have less progress than it says two"
            " weeks after enrolling, or began as many lessons as it says without finishing them."
        ),
    }
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/enrollments/{id}"),
        Column("email", _l("E-mail"), Member.email, shown=False),
        Column("course", _l("Course"), Course.title, sortable=False),
        Column("reasons", _l("Why"), REASONS, sortable=False, nullable=False),
        Column("progress", _l("Progress"), Enrollment.progress, kind="percent"),
        Column("last_seen_at", _l("Last seen"), Enrollment.last_seen_at, kind="time"),
        Column("lesson", _l("Last lesson"), Stopped.title, sortable=False, nullable=True),
        Column("stops", _l("Lessons not finished"), STOPS, kind="int", sortable=False, nullable=False, shown=False),
        Column("enrolled_at", _l("Enrolled"), Enrollment.enrolled_at, kind="time", shown=False),
    )
    filters = (
        Choice("course", _l("Course"), Enrollment.course_id, options=course_options),
        Choice(
            "why",
            _l("Why"),
            lambda raw: WHY[raw],
            options=(("away", _l("Stays away")), ("behind", _l("Is behind")), ("stuck", _l("Stops in many lessons"))),
        ),
        Knob("away", _l("Stays away from"), DAYS, 14),
        Knob("behind", _l("Behind below"), [(share, _l("%(share)s%%", share=share)) for share in (10, 25, 50, 75)], 25),
        Knob("stops", _l("Many stops from"), [(count, _l("%(count)s lessons", count=count)) for count in (2, 3, 5, 10)], 3),
        Period("enrolled", _l("Enrolled"), Enrollment.enrolled_at),
    )
    search = (people_by(Enrollment.user_id), Sought(Enrollment.course_id, (Course.title,), row=Course.id))

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own courses."""
        return can_see_students(by, None)

    def query(self, by: Actor) -> Select[Any]:
        """Running enrolments with a reason to worry, with their person, course and last lesson."""
        rows = (
            select(Enrollment)
            .join(Member, Member.id == Enrollment.user_id)
            .join(Course, Course.id == Enrollment.course_id)
            .outerjoin(Stopped, Stopped.id == Enrollment.last_lesson_id)
        )
        return _worrying(rows if by.is_admin else rows.where(Course.instructor_id == by.user_id))

    def bare(self, by: Actor) -> Select[Any]:
        """The enrolments alone; every one has its person and its course."""
        own = select(Course.id).where(Course.instructor_id == by.user_id)
        return _worrying(select(Enrollment) if by.is_admin else select(Enrollment).where(Enrollment.course_id.in_(own)))


def _worrying(rows: Select[Any]) -> Select[Any]:
    return rows.where(Enrollment.status == "active", or_(IS_AWAY, IS_BEHIND, IS_STUCK))
