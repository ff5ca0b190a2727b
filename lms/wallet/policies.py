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


def can_adjust(actor: Actor) -> Decision:
    """Those who run the channel adjust wallets; above the limit a second of them decides."""
    return admins(actor)


def can_decide(actor: Actor, requested_by: UUID | None) -> Decision:
    """Another admin than the one who asked decides about a waiting adjustment."""
    if not admins(actor):
        return admins(actor)
    if actor.user_id is None or actor.user_id == requested_by:
        return no(_("You asked for this yourself, so another admin decides."), rule="second_person")
    return yes("second_person")


def can_withdraw(actor: Actor, requested_by: UUID | None) -> Decision:
    """Who asked for an adjustment takes it back."""
    if not admins(actor):
        return admins(actor)
    own = actor.user_id is not None and actor.user_id == requested_by
    return yes("own") if own else no(_("Only who asked for it can take it back."), rule="own")


def can_set_limit(actor: Actor, *, has_owner: bool) -> Decision:
    """The owner says from which amount two people are needed; an admin where there is no owner."""
    if not admins(actor):
        return admins(actor)
    if has_owner and actor.role != "owner":
        return no(_("Only an owner of this academy can change the limit. Ask one of them."), rule="owner")
    return yes("owner")
