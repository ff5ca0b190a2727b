"""What people left by themselves and may come back to, and places that a voucher gave and that were gone."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from lms.core import db
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.enrollments.errors import NoEnrollment
from lms.enrollments.models import COMES_BACK, Enrollment, MissedPlace


def left_lately(user_id: UUID | None) -> Sequence[tuple[Enrollment, Course]]:
    """The courses a person left by themselves not long ago and is not in again, the last first."""
    again = aliased(Enrollment)
    is_in = exists().where(again.user_id == Enrollment.user_id, again.course_id == Enrollment.course_id, again.status != "ended")
    wanted = (
        select(Enrollment, Course)
        .join(Course, Course.id == Enrollment.course_id)
        .where(
            Enrollment.user_id == user_id,
            Enrollment.status == "ended",
            Enrollment.left_at == Enrollment.ended_at,
            Enrollment.left_at > now() - COMES_BACK,
            Course.status != "deleted",
            ~is_in,
        )
        .order_by(Enrollment.left_at.desc(), Enrollment.id)
        .limit(20)
    )
    return [(enrollment, course) for enrollment, course in db.session().execute(wanted)]


def get_missed_place(place_id: UUID) -> MissedPlace:
    """One place that was missed; raises NoEnrollment."""
    found = db.session().scalars(select(MissedPlace).where(MissedPlace.id == place_id)).one_or_none()
    if found is None:
        raise NoEnrollment(_("There is no such case here."))
    return found


def lock_missed_place(place_id: UUID) -> MissedPlace:
    """One place that was missed, fresh and locked until the transaction ends; raises NoEnrollment."""
    db.session().flush()
    wanted = select(MissedPlace).where(MissedPlace.id == place_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(wanted).one_or_none()
    if found is None:
        raise NoEnrollment(_("There is no such case here."))
    return found
