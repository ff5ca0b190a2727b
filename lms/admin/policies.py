"""May this actor…? about the back office's frame."""

from lms.core.decisions import Actor, Decision, admins, no, staff
from lms.core.i18n import gettext as _


def can_see_dashboard(actor: Actor) -> Decision:
    """Instructors see theirs, admins everything."""
    return staff(actor)


def can_see_inbox(actor: Actor) -> Decision:
    """Admins see to what waits."""
    return admins(actor)


def can_see_system(actor: Actor) -> Decision:
    """Admins look after jobs, mail and health."""
    return admins(actor)


def can_see_audit(actor: Actor) -> Decision:
    """Admins read who did what."""
    return admins(actor)


def can_remove_demo(actor: Actor, *, is_demo: bool) -> Decision:
    """Admins of a demo; a real academy is never removed from here."""
    return admins(actor) if is_demo else no(_("This academy is no demo, so it is not removed."), rule="demo")
