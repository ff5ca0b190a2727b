"""The days on which a course goes into the catalogue, and leaves it, by itself."""

from datetime import datetime

import structlog

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid, Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.courses import queries
from lms.courses.events import CourseEdited
from lms.courses.models import Course
from lms.courses.operations.lifecycle import publish_course, unpublish_course

log = structlog.get_logger(__name__)


def set_dates(course: Course, publish_at: datetime | None, unpublish_at: datetime | None, *, by: Actor) -> bool:
    """Say when a course is published and when it leaves the catalogue; None is no such day. False when nothing changed.

    A day that is new must be in the future; a course on sale is published already.
    """
    course = queries.lock_course(course.id)
    faults = dates_faults(course, publish_at, unpublish_at)
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    if not audit.update(course, "courses.set_dates", by=by, publish_at=publish_at, unpublish_at=unpublish_at):
        return False
    course.version += 1
    course.updated_at = now()
    emit(CourseEdited(by=by.user_id, course_id=course.id))
    return True


def dates_faults(course: Course, publish_at: datetime | None, unpublish_at: datetime | None) -> dict[str, str]:
    """What is wrong with two days for this course, by field."""
    faults = {}
    if publish_at is not None and publish_at != course.publish_at and publish_at <= now():
        faults["publish_at"] = _("Choose a day and time in the future.")
    elif publish_at is not None and course.is_published:
        faults["publish_at"] = _("This course is published already. Leave this empty.")
    if unpublish_at is not None and unpublish_at != course.unpublish_at and unpublish_at <= now():
        faults["unpublish_at"] = _("Choose a day and time in the future.")
    elif publish_at is not None and unpublish_at is not None and unpublish_at <= publish_at:
        faults["unpublish_at"] = _("It must leave the catalogue after it is published.")
    elif unpublish_at is not None and publish_at is None and not course.is_published:
        faults["unpublish_at"] = _("Say when it is published, too: it is not in the catalogue now.")
    return faults


def keep_dates(*, by: Actor) -> int:
    """Publish and take out what is due; how many courses moved. One that cannot be published yet is tried again, and is in the inbox."""
    moved = 0
    for course_id in queries.courses_due(now()):
        try:
            with db.session().begin_nested():
                moved += _keep(queries.lock_course(course_id), by)
        except Refusal as refusal:
            log.warning("course_not_published", course_id=str(course_id), reason=refusal.sentence)
    return moved


def _keep(course: Course, by: Actor) -> bool:
    moment = now()
    if course.unpublish_at is not None and course.unpublish_at <= moment:
        if course.is_published:
            unpublish_course(course, by=by)
        else:  # its time was over before it began
            audit.update(course, "courses.set_dates", by=by, publish_at=None, unpublish_at=None)
        return True
    if course.publish_at is None or course.publish_at > moment:
        return False
    publish_course(course, by=by)
    return True
