"""Who may upload, and who may look after a file."""

from lms.content.models import Asset
from lms.core.decisions import Actor, Decision, admins, no, staff, yes
from lms.core.i18n import gettext as _


def can_upload(actor: Actor) -> Decision:
    """Instructors and admins upload."""
    return staff(actor)


def can_manage(actor: Actor, asset: Asset) -> Decision:
    """Admins look after every file, instructors after their own."""
    working_here = staff(actor)
    if not working_here or actor.is_admin or asset.owner_id == actor.user_id:
        return working_here
    return no(_("This file belongs to somebody else. Its owner or an admin can change it."), rule="owner")


def can_view(actor: Actor, asset: Asset) -> Decision:
    """Whoever may look after a file may view it in the back office; learners see it in their lessons."""
    return can_manage(actor, asset)


def can_rule(actor: Actor) -> Decision:
    """Say how videos may be watched: admins."""
    return admins(actor)


def can_play(grant_stands: bool) -> Decision:
    """Whoever holds a grant that still stands plays on."""
    if grant_stands:
        return yes("grant")
    return no(_("This video is closed here. Open the lesson again to go on."), rule="grant")
