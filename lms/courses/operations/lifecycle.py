"""Where a course stands: draft → submitted → published → archived, and deleted from any of them."""

from uuid import UUID

from lms.core import audit, bin
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import Event, emit
from lms.core.i18n import gettext as _
from lms.courses import queries
from lms.courses.errors import NothingToPublish, WrongStatus
from lms.courses.events import CourseEdited, CoursePublished, CourseSentBack, CourseSubmitted, CourseWithdrawn
from lms.courses.models import Course


def submit_for_approval(course: Course, *, by: Actor) -> None:
    """Ask an admin to publish a draft; asking twice changes nothing. Raises NothingToPublish without a published lesson."""
    course = queries.lock_course(course.id)
    if course.status == "submitted":
        return
    _expect(course, "draft")
    _expect_a_lesson(course.id)
    _move(
        course,
        "courses.submit",
        by,
        CourseSubmitted(by=by.user_id, course_id=course.id),
        status="submitted",
        submitted_at=now(),
        sent_back_reason=None,
    )


def publish_course(course: Course, *, by: Actor) -> None:
    """Approve a course and put it into the catalogue; publishing twice changes nothing.

    Raises NothingToPublish while no lesson of it is published.
    """
    course = queries.lock_course(course.id)
    if course.status == "published":
        return
    _expect(course, "draft", "submitted", "archived")
    _expect_a_lesson(course.id)
    _move(
        course,
        "courses.publish",
        by,
        CoursePublished(by=by.user_id, course_id=course.id),
        status="published",
        published_at=course.published_at or now(),
        publish_at=None,
        sent_back_reason=None,
    )


def send_back(course: Course, reason: str, *, by: Actor) -> None:
    """Return a submitted course to its instructor with the reason; it is a draft again."""
    reason = reason.strip()[:2000]
    if not reason:
        raise Invalid(_("Say what has to change, so that the instructor knows."), fields={"reason": _("Say what has to change.")})
    course = queries.lock_course(course.id)
    if course.status == "draft" and course.sent_back_reason == reason:
        return
    _expect(course, "submitted")
    _move(
        course,
        "courses.send_back",
        by,
        CourseSentBack(by=by.user_id, course_id=course.id, reason=reason),
        status="draft",
        sent_back_reason=reason,
    )


def unpublish_course(course: Course, *, by: Actor) -> None:
    """Take a course out of the catalogue, or out of the archive: it is a draft again; those enrolled keep it."""
    course = queries.lock_course(course.id)
    if course.status != "draft":
        _expect(course, "published", "archived")
        _withdraw(course, "courses.unpublish", "draft", by)


def archive_course(course: Course, *, by: Actor) -> None:
    """Put a course away: not in the catalogue, not to be edited; those enrolled keep it."""
    course = queries.lock_course(course.id)
    if course.is_deleted:
        raise WrongStatus(_("This course is deleted. Restore it first."))
    _withdraw(course, "courses.archive", "archived", by)


def delete_course(course: Course, *, by: Actor) -> None:
    """Delete a course so that it can be restored: nobody but its people in the back office sees it."""
    course = queries.lock_course(course.id)
    if not course.is_deleted:
        _withdraw(course, "courses.delete", "deleted", by, status_before=course.status)
        bin.put("course", course.id, course.title, by=by)


def restore_course(course: Course, *, by: Actor) -> None:
    """Bring a deleted course back as what it was; a course that was on sale goes on sale again."""
    course = queries.lock_course(course.id)
    if not course.is_deleted:
        return
    bin.expect_kept("course", course.id)
    status = course.status_before or "draft"
    published = status == "published"
    fact: Event = CoursePublished(by=by.user_id, course_id=course.id) if published else CourseEdited(by=by.user_id, course_id=course.id)
    _move(course, "courses.restore", by, fact, status=status, status_before=None)
    bin.take_out("course", [course.id], by=by)


def _withdraw(course: Course, action: str, status: str, by: Actor, **values: str | None) -> None:
    fact = CourseWithdrawn(by=by.user_id, course_id=course.id, status=status)
    _move(course, action, by, fact, status=status, publish_at=None, unpublish_at=None, **values)


def _move(course: Course, action: str, by: Actor, fact: Event, **values: object) -> None:
    if audit.update(course, action, by=by, **values):
        course.updated_at = now()
        emit(fact)


def _expect(course: Course, *statuses: str) -> None:
    if course.status not in statuses:
        raise WrongStatus(_("This course is %(status)s now. Reload the page to see what can be done.", status=status_word(course.status)))


def status_word(status: str) -> str:
    """The status as people read it."""
    return {
        "draft": _("a draft"),
        "submitted": _("waiting for approval"),
        "published": _("published"),
        "archived": _("archived"),
        "deleted": _("deleted"),
    }[status]


def _expect_a_lesson(course_id: UUID) -> None:
    if not queries.count_published(course_id):
        raise NothingToPublish(_("Publish at least one lesson first: a course without lessons cannot be opened by anybody."))
