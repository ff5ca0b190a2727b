"""Who may review, and who may hide a review; the sentences are shown to people."""

from lms.community.models import MIN_PROGRESS, Review
from lms.core.decisions import Actor, Decision, admins, anyone, no, staff, yes
from lms.core.i18n import gettext as _
from lms.core.i18n import percent
from lms.courses.models import Course
from lms.courses.policies import can_read, can_view
from lms.enrollments.models import Enrollment


def can_review(actor: Actor, course: Course, enrollment: Enrollment | None) -> Decision:
    """Whether this person may rate the course, or change their own review."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if course.instructor_id == actor.user_id:
        return no(_("You teach this course, so you cannot review it."), rule="own_course")
    if enrollment is None:
        return no(_("Only students of this course can review it. Enrol first."), rule="enrolled")
    if enrollment.progress < MIN_PROGRESS:
        return no(
            _(
                "You can review this course once you have done %(least)s of it. You are at %(now)s.",
                least=percent(MIN_PROGRESS),
                now=percent(enrollment.progress),
            ),
            rule="progress",
        )
    return yes("student")


def can_read_reviews(actor: Actor, course: Course, enrollment: Enrollment | None) -> Decision:
    """Whether this person may read what others say: whoever may see the course's page, and its students."""
    return anyone() if enrollment is not None else can_read(actor, course)


def can_moderate(actor: Actor, review: Review | None = None) -> Decision:
    """Whether this person may list, hide and show reviews."""
    return admins(actor)


def can_list(actor: Actor) -> Decision:
    """Whether this person has a list of reviews: staff; instructors see those of their own courses."""
    return staff(actor)


def can_see(actor: Actor, course: Course) -> Decision:
    """Whether this person sees a review of the course in the back office, hidden ones too."""
    return can_view(actor, course)
