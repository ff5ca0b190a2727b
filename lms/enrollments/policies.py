"""Who may open, enrol, and see whose progress; the sentences are shown to people."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from babel.dates import format_date

from lms.core.clock import local_day
from lms.core.decisions import Actor, Decision, admins, no, signed_in, yes
from lms.core.i18n import gettext as _
from lms.core.i18n import locale
from lms.courses.models import Course, Lesson
from lms.courses.policies import can_edit
from lms.enrollments.models import Enrollment


class Openable(Protocol):
    """What the rule reads of a lesson."""

    @property
    def status(self) -> str:
        """draft, published, deleted…"""

    @property
    def is_preview(self) -> bool:
        """Whether it is open to anybody."""


def can_open(actor: Actor, lesson: Openable, enrollment: Enrollment | None, *, at: datetime, course: Course | None = None) -> Decision:
    """Whether this person may open this lesson now; `course` lets its instructor in and closes what was taken off."""
    if actor.is_admin or (course is not None and _teaches(actor, course)):
        return yes("staff")
    if lesson.status != "published" or (course is not None and course.status == "deleted"):
        return no(_("This lesson is not published. The instructor can publish it."), rule="published")
    is_early = enrollment is not None and enrollment.is_open and enrollment.opens_at is not None and enrollment.opens_at > at
    if enrollment is not None and enrollment.is_open and not is_early:
        return yes("enrolled")
    if lesson.is_preview and (course is None or course.status == "published"):
        return yes("preview")
    if enrollment is not None and is_early and enrollment.opens_at is not None:
        return no(_("Your batch starts on %(day)s.", day=_day(enrollment.opens_at, actor)), rule="starts")
    if enrollment is not None:
        return no(_ended(enrollment), rule="ended")
    return no(_("You are not enrolled in this course."), rule="enrolled")


def can_enroll(actor: Actor, course: Course, enrollment: Enrollment | None) -> Decision:
    """Whether this person may enrol by their own act."""
    if not actor.is_known:
        return no(_("Sign in first, then enrol."), rule="sign_in")
    if not actor.is_member:
        return no(_("You are not a member of this academy. Register here first."), rule="member")
    if enrollment is not None and enrollment.is_open:
        return no(_("You are enrolled in this course already."), rule="enrolled_already")
    if course.status != "published":
        return no(_("This course is not open for enrolment now."), rule="published")
    return yes("open")


def can_learn(actor: Actor) -> Decision:
    """Whether this person has a page of their own courses."""
    return signed_in(actor)


def can_record(actor: Actor, user_id: UUID) -> Decision:
    """Whether a player's report for that person comes from them."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    return yes("own") if actor.user_id == user_id else no(_("This page was opened by somebody else. Open the lesson again."), rule="own")


def can_mark_done(actor: Actor, lesson: Lesson, enrollment: Enrollment | None, *, at: datetime) -> Decision:
    """Whether this person may say themselves that the lesson is done: text lessons only."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if enrollment is None or not enrollment.is_open:
        return no(_("You are not enrolled in this course."), rule="enrolled")
    if lesson.kind == "video":
        return no(_("A video is done when nine tenths of it were watched."), rule="watched")
    return can_open(actor, lesson, enrollment, at=at)


def can_manage(actor: Actor) -> Decision:
    """Whether this person enrols others by hand, ends and restores enrolments."""
    return admins(actor)


def can_run(actor: Actor, course: Course) -> Decision:
    """Whether this person makes, changes and cancels batches of a course and minds their waitlists: who may change the course."""
    return can_edit(actor, course)


def can_wait(actor: Actor, course: Course, enrollment: Enrollment | None) -> Decision:
    """Whether this person may stand on the waitlist of a batch: whoever may enrol."""
    return can_enroll(actor, course, enrollment)


def can_see_batch(actor: Actor, course: Course, *, teaches: bool = False) -> Decision:
    """Whether this person sees a batch and its people; `teaches`: they teach it beside the course's own instructor."""
    if teaches and actor.is_staff:
        return yes("teaches")
    return can_see_students(actor, course)


def can_see_students(actor: Actor, course: Course | None) -> Decision:
    """Whether this person sees who learns in a course (none: in any of theirs)."""
    if not actor.is_known and not actor.is_machine:
        return no(_("Sign in first."), rule="sign_in")
    if actor.is_admin or (actor.is_staff and (course is None or _teaches(actor, course))):
        return yes("staff")
    return no(_("Only the instructor of this course and admins see its students."), rule="staff")


def _teaches(actor: Actor, course: Course) -> bool:
    return actor.is_staff and actor.user_id is not None and course.instructor_id == actor.user_id


def _day(moment: datetime, actor: Actor) -> str:
    return str(format_date(local_day(moment, actor.zone), "long", locale=locale()))


def _ended(enrollment: Enrollment) -> str:
    if enrollment.ended_reason:
        return _("Your enrolment in this course ended: %(reason)s", reason=enrollment.ended_reason)
    return _("Your enrolment in this course ended. An admin can restore it.")
