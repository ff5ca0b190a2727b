"""Who may do what with courses; each sentence is shown to the person it refuses."""

from lms.core.decisions import Actor, Decision, admins, no, staff, yes
from lms.core.i18n import gettext as _
from lms.courses.models import Course


def can_list(actor: Actor) -> Decision:
    """The back office's list of courses: instructors see their own, admins all."""
    return staff(actor)


def can_create(actor: Actor) -> Decision:
    """Begin a new course."""
    return staff(actor)


def can_manage_categories(actor: Actor) -> Decision:
    """Make, rename and delete categories."""
    return admins(actor)


def can_choose_instructor(actor: Actor) -> Decision:
    """Decide who teaches a course."""
    return admins(actor)


def can_view(actor: Actor, course: Course) -> Decision:
    """Open a course in the back office: admins, and the instructor it belongs to, deleted ones included."""
    decision = staff(actor)
    if not decision or actor.is_admin or course.instructor_id == actor.user_id:
        return decision
    return no(_("This course belongs to another instructor. An admin can make it yours."), rule="own_course")


def can_read(actor: Actor, course: Course) -> Decision:
    """Open the public page of a course."""
    if course.is_published:
        return yes("published")
    if can_view(actor, course) and not course.is_deleted:
        return yes("own_course")
    return no(_("This course is not in the catalogue."), rule="published")


def can_edit(actor: Actor, course: Course) -> Decision:
    """Change a course, its sections and its lessons."""
    if course.is_deleted:
        return can_view(actor, course) & no(_("This course is deleted. Restore it before changing it."), rule="deleted")
    if course.status == "archived":
        return can_view(actor, course) & no(_("This course is archived. An admin can take it out of the archive."), rule="archived")
    return can_view(actor, course)


def can_set_price(actor: Actor, course: Course) -> Decision:
    """Change what a course costs."""
    if course.is_published and not actor.is_admin:
        return can_edit(actor, course) & no(
            _("This course is on sale, so only an admin can change its price. Ask one of your admins."), rule="on_sale"
        )
    return can_edit(actor, course)


def can_submit(actor: Actor, course: Course) -> Decision:
    """Ask for approval."""
    if course.status != "draft":
        return can_view(actor, course) & no(_("Only a draft can be submitted for approval."), rule="status")
    return can_edit(actor, course)


def can_publish(actor: Actor, course: Course) -> Decision:
    """Approve a course and put it into the catalogue."""
    decision = can_view(actor, course)
    if not decision:
        return decision
    if not actor.is_admin:
        return no(_("An admin publishes courses. Submit this one for approval and you will be told."), rule="approval")
    if course.is_deleted:
        return no(_("This course is deleted. Restore it before publishing it."), rule="deleted")
    return yes("admin")


def can_set_dates(actor: Actor, course: Course) -> Decision:
    """Say when a course is published and when it leaves the catalogue: whoever may publish it."""
    return can_publish(actor, course)


def can_send_back(actor: Actor, course: Course) -> Decision:
    """Return a submitted course to its instructor with a reason."""
    if course.status != "submitted":
        return admins(actor) & no(_("Only a submitted course can be sent back."), rule="status")
    return admins(actor)


def can_unpublish(actor: Actor, course: Course) -> Decision:
    """Take a course out of the catalogue; those enrolled keep it."""
    if course.status not in ("published", "archived"):
        return admins(actor) & no(_("This course is not published."), rule="status")
    return admins(actor)


def can_archive(actor: Actor, course: Course) -> Decision:
    """Put a course away for good: nobody new can enrol, those enrolled keep it."""
    if course.is_deleted:
        return admins(actor) & no(_("This course is deleted. Restore it first."), rule="deleted")
    return admins(actor)


def can_delete(actor: Actor, course: Course) -> Decision:
    """Delete a course (it can be restored): admins any, instructors their own drafts."""
    if not actor.is_admin and course.status not in ("draft", "deleted"):
        return can_view(actor, course) & no(_("Only a draft can be deleted by its instructor. Ask one of your admins."), rule="draft")
    return can_view(actor, course)


def can_restore(actor: Actor, course: Course) -> Decision:
    """Bring a deleted course back."""
    return can_delete(actor, course)


def can_change_many(actor: Actor) -> Decision:
    """Change many courses at once; an instructor changes one at a time on its page."""
    return admins(actor)
