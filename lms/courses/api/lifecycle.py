"""What becomes of a course: submitted, published, sent back, unpublished, archived, deleted, restored."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from lms.courses import operations, policies, queries
from lms.courses.api.door import CourseAnswer, bp
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, endpoint


class SentBack(Body):
    """Why a course is sent back."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class EntryBody(Body):
    """Who may enrol: `open`, `key` (or link), `request` or `closed`; whom of those who ask is let in at once."""

    entry: Literal["open", "key", "request", "closed"]
    domains: Annotated[list[str], Field(max_length=20)] = Field(default_factory=list)
    tag: Annotated[str, Field(max_length=60)] = ""
    segment_id: UUID | None = None


class PublishedLessons(Answer):
    """How many lessons are published, or will be as soon as their video is ready."""

    count: int


@bp.post("/<uuid:course_id>/submit")
@endpoint()
def submit(course_id: UUID) -> CourseAnswer:
    """Ask for approval."""
    course = queries.get_course(course_id)
    allow(policies.can_submit(actor(), course))
    operations.submit_for_approval(course, by=actor())
    return CourseAnswer.of(course)


@bp.post("/<uuid:course_id>/publish")
@endpoint()
def publish(course_id: UUID) -> CourseAnswer:
    """Approve and put into the catalogue."""
    course = queries.get_course(course_id)
    allow(policies.can_publish(actor(), course))
    operations.publish_course(course, by=actor())
    return CourseAnswer.of(course)


@bp.post("/<uuid:course_id>/send-back")
@endpoint()
def send_back(course_id: UUID, body: SentBack) -> CourseAnswer:
    """Return a submitted course with the reason."""
    course = queries.get_course(course_id)
    allow(policies.can_send_back(actor(), course))
    operations.send_back(course, body.reason, by=actor())
    return CourseAnswer.of(course)


@bp.post("/<uuid:course_id>/unpublish")
@endpoint()
def unpublish(course_id: UUID) -> CourseAnswer:
    """Take out of the catalogue; those enrolled keep it."""
    course = queries.get_course(course_id)
    allow(policies.can_unpublish(actor(), course))
    operations.unpublish_course(course, by=actor())
    return CourseAnswer.of(course)


@bp.post("/<uuid:course_id>/archive")
@endpoint()
def archive(course_id: UUID) -> CourseAnswer:
    """Put away; those enrolled keep it."""
    course = queries.get_course(course_id)
    allow(policies.can_archive(actor(), course))
    operations.archive_course(course, by=actor())
    return CourseAnswer.of(course)


@bp.delete("/<uuid:course_id>")
@endpoint(status=204)
def show_delete(course_id: UUID) -> None:
    """Delete; it can be restored."""
    course = queries.get_course(course_id)
    allow(policies.can_delete(actor(), course))
    operations.delete_course(course, by=actor())


@bp.post("/<uuid:course_id>/restore")
@endpoint()
def restore(course_id: UUID) -> CourseAnswer:
    """Bring back what was deleted."""
    course = queries.get_course(course_id)
    allow(policies.can_restore(actor(), course))
    operations.restore_course(course, by=actor())
    return CourseAnswer.of(course)


@bp.post("/<uuid:course_id>/entry")
@endpoint()
def entry(course_id: UUID, body: EntryBody) -> CourseAnswer:
    """Say who may enrol; whoever is enrolled stays enrolled."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    operations.set_entry(course, operations.Entry(**body.model_dump()), by=actor())
    return CourseAnswer.of(queries.get_course(course_id))


@bp.post("/<uuid:course_id>/publish-lessons")
@endpoint()
def publish_lessons(course_id: UUID) -> PublishedLessons:
    """Publish every draft lesson that lacks nothing."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    return PublishedLessons(count=operations.publish_ready_lessons(course, by=actor()))
