"""Who may see whose money."""

from uuid import UUID

from lms.core.decisions import Actor, Decision, admins, no, signed_in, yes
from lms.core.i18n import gettext as _


def can_see_own(actor: Actor) -> Decision:
    """Members have a wallet in their channel."""
    if not signed_in(actor):
        return signed_in(actor)
    return (
        yes("member")
        if actor.is_member
        else no(_("Only members of this academy have a wallet here. Ask an admin to add you."), rule="member")
    )


def can_see_wallet(actor: Actor, user_id: UUID) -> Decision:
    """One's own wallet, and every wallet for those who run the channel."""
    if actor.is_known and actor.user_id == user_id:
        return can_see_own(actor)
    return admins(actor)


def can_see_ledger(actor: Actor) -> Decision:
    """The ledger is for those who run the channel."""
    return admins(actor)
