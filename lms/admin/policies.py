"""May this actor…? about the back office's frame."""

from lms.core import bin
from lms.core.decisions import Actor, Decision, admins, no, staff
from lms.core.i18n import gettext as _
from lms.core.models import BinRow
from lms.core.plans import Act


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


def can_see_bin(actor: Actor) -> Decision:
    """Admins look into the bin."""
    return admins(actor)


def can_handle_bin(actor: Actor, row: BinRow) -> Decision:
    """Whoever the kind of thing lets bring it back, or delete it for good."""
    return bin.kind_of(row).may(actor, row)


def can_remove_demo(actor: Actor, *, is_demo: bool) -> Decision:
    """Admins of a demo; a real academy is never removed from here."""
    return admins(actor) if is_demo else no(_("This academy is no demo, so it is not removed."), rule="demo")


def can_see_plans(actor: Actor) -> Decision:
    """Admins see every bulk act; the others reach theirs by its address."""
    return admins(actor)


def can_handle_plan(actor: Actor, act: Act) -> Decision:
    """Whoever may do the act sees its plans, applies and undoes them."""
    return act.allowed(actor)


def can_make_plan(actor: Actor) -> Decision:
    """Whoever works here may plan something; the act itself says what."""
    return staff(actor)
