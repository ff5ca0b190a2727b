"""May this actor…? about notices."""

from lms.core.decisions import Actor, Decision, admins, no, signed_in, yes
from lms.core.i18n import gettext as _
from lms.notifications.models import Notice


def can_read(actor: Actor) -> Decision:
    """Everybody signed in reads their own notices and says what they wish to hear."""
    return signed_in(actor)


def can_see_mails_of(actor: Actor) -> Decision:
    """Those who run the channel see what an act of theirs will send."""
    return admins(actor)


def can_set_defaults(actor: Actor) -> Decision:
    """Those who run the channel say how news comes to whoever said nothing."""
    return admins(actor)


def can_touch(actor: Actor, notice: Notice) -> Decision:
    """A notice is its person's alone."""
    if not actor.is_known:
        return signed_in(actor)
    return yes() if notice.user_id == actor.user_id else no(_("This notice is somebody else's."), rule="own_notice")
