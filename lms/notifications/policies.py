"""May this actor…? about notices."""

from lms.core.decisions import Actor, Decision, admins, no, signed_in, staff, yes
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.notifications.models import Broadcast, Notice, Recipient
from lms.notifications.queries import Audience


def can_read(actor: Actor) -> Decision:
    """Everybody signed in reads their own notices and says what they wish to hear."""
    return signed_in(actor)


def can_see_mails_of(actor: Actor) -> Decision:
    """Those who run the channel see what an act of theirs will send."""
    return admins(actor)


def can_set_defaults(actor: Actor) -> Decision:
    """Those who run the channel say how news comes to whoever said nothing."""
    return admins(actor)


def can_write_messages(actor: Actor) -> Decision:
    """Staff write to many: admins to anybody, instructors to the students of their own courses."""
    return staff(actor)


def can_write_to(actor: Actor, audience: Audience, course: Course | None) -> Decision:
    """Whether this person may write to those an audience means."""
    if actor.is_admin or not actor.is_staff:
        return admins(actor)
    if audience.to == "course" and course is not None and course.instructor_id == actor.user_id:
        return yes("own_course")
    return no(_("You can write to the students of your own courses. Ask an admin to write to others."), rule="own_course")


def can_handle_broadcast(actor: Actor, broadcast: Broadcast) -> Decision:
    """A message belongs to whoever wrote it, and to those who run the channel."""
    if actor.is_admin or not actor.is_staff:
        return admins(actor)
    return yes("own") if broadcast.made_by == actor.user_id else no(_("Somebody else wrote this message."), rule="own")


def can_read_message(actor: Actor, recipient: Recipient | None) -> Decision:
    """A message is read by those it was sent to."""
    if not actor.is_known:
        return signed_in(actor)
    if recipient is not None and recipient.state == "told":
        return yes("told")
    return no(_("This message was not sent to you."), rule="recipient")


def can_word_mails(actor: Actor) -> Decision:
    """Those who run the channel word its mails, and clear addresses that mails came back from."""
    return admins(actor)


def can_touch(actor: Actor, notice: Notice) -> Decision:
    """A notice is its person's alone."""
    if not actor.is_known:
        return signed_in(actor)
    return yes() if notice.user_id == actor.user_id else no(_("This notice is somebody else's."), rule="own_notice")
