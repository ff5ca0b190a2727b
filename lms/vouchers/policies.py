"""Who may redeem, and who may make, see and void vouchers."""

from datetime import datetime
from uuid import UUID

from lms.core.decisions import Actor, Decision, admins, no, signed_in, yes
from lms.core.i18n import gettext as _
from lms.vouchers.models import Envelope, Gift, Redemption
from lms.vouchers.queries import GiftRules


def can_redeem(actor: Actor) -> Decision:
    """Members of the channel, signed in; the code itself is judged by the operation."""
    if not signed_in(actor):
        return signed_in(actor)
    return (
        yes("member")
        if actor.is_member
        else no(_("Only members of this academy can redeem its vouchers. Ask an admin to add you."), rule="member")
    )


def can_give(actor: Actor, rules: GiftRules) -> Decision:
    """Members give vouchers where the channel lets them."""
    if not can_redeem(actor):
        return can_redeem(actor)
    if not rules.is_on:
        return no(_("This academy does not offer gifts. Ask an admin."), rule="gifts_off")
    return yes("member")


def can_see_gift(actor: Actor, gift: Gift) -> Decision:
    """One's own gifts, and every one for those who run the channel; the code in it nobody."""
    if actor.is_known and actor.user_id == gift.giver_id:
        return yes("own")
    return admins(actor)


def can_see_redemption(actor: Actor, redemption: Redemption) -> Decision:
    """One's own, and every one for those who run the channel."""
    if actor.is_known and actor.user_id == redemption.user_id:
        return yes("own")
    return admins(actor)


def can_manage(actor: Actor) -> Decision:
    """Vouchers are money: those who run the channel."""
    return admins(actor)


def can_open_envelope(actor: Actor, envelope: Envelope | None, *, at: datetime) -> Decision:
    """The codes are shown to the admin who made them, within the hour, until they say they have them."""
    if not can_manage(actor):
        return can_manage(actor)
    if envelope is None or envelope.expires_at <= at:
        return no(
            _("The codes of this batch were shown once and are not kept. Void the batch and make a new one if they are lost."),
            rule="shown_once",
        )
    if not _is_maker(actor.user_id, envelope):
        return no(_("Only the admin who made this batch can download its codes."), rule="maker")
    return yes("maker")


def _is_maker(user_id: UUID | None, envelope: Envelope) -> bool:
    return user_id is not None and envelope.made_by == user_id
