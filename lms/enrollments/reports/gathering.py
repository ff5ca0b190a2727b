"""What segments may ask of learning: who is in a course, and how far."""

from typing import Any

from sqlalchemy import Uuid, cast, select

from lms.channels.models import Member
from lms.core.i18n import lazy_gettext as _l
from lms.core.segments import Condition, Given, declare
from lms.enrollments.models import Enrollment, Wait
from lms.enrollments.reports.lists import batch_options, course_options

LEARNING = _l("Learning")


def _enrolled(course_id: str | None, *more: Any) -> Any:
    """The people who are in a course now (in any, without one), and more of that enrolment."""
    open_ones = select(Enrollment.id).where(Enrollment.user_id == Member.id, Enrollment.status != "ended", *more)
    if course_id:
        open_ones = open_ones.where(Enrollment.course_id == cast(course_id, Uuid))
    return open_ones.correlate(Member).exists()


def _progress_from(raw: str, given: Given) -> Any:
    return _enrolled(given.get("enrolled"), Enrollment.progress >= int(raw))


def _progress_to(raw: str, given: Given) -> Any:
    return _enrolled(given.get("enrolled"), Enrollment.progress <= int(raw))


def _in_batch(raw: str, _given: Given) -> Any:
    return _enrolled(None, Enrollment.batch_id == cast(raw, Uuid))


def _waits_for(raw: str, _given: Given) -> Any:
    listed = select(Wait.id).where(Wait.user_id == Member.id, Wait.batch_id == cast(raw, Uuid), Wait.state.in_(("waiting", "offered")))
    return listed.correlate(Member).exists()


declare(
    Condition("enrolled", _l("Is in the course"), lambda raw, _given: _enrolled(raw), options=course_options, group=LEARNING),
    Condition("not_enrolled", _l("Is not in the course"), lambda raw, _given: ~_enrolled(raw), options=course_options, group=LEARNING),
    Condition("batch", _l("Is in the batch"), _in_batch, options=batch_options, group=LEARNING),
    Condition("waits", _l("Is on the waitlist of"), _waits_for, options=batch_options, group=LEARNING),
    Condition("progress_from", _l("Progress of at least … %"), _progress_from, "int", most=100, group=LEARNING),
    Condition("progress_to", _l("Progress of at most … %"), _progress_to, "int", most=100, group=LEARNING),
)
