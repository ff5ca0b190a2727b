"""Who may see orders."""

from lms.core.decisions import Actor, Decision, admins, no, yes
from lms.core.i18n import gettext as _
from lms.payments.models import Order, Refund


def can_see_order(actor: Actor, order: Order) -> Decision:
    """One's own order, and every order for those who run the channel."""
    if actor.is_known and actor.user_id == order.user_id:
        return yes("own")
    return admins(actor)


def can_see_orders(actor: Actor) -> Decision:
    """The list of orders is for those who run the channel."""
    return admins(actor)


def can_refund(actor: Actor) -> Decision:
    """Those who run the channel give money back, and take that back."""
    return admins(actor)


def can_undo(actor: Actor, refund: Refund) -> Decision:
    """A refund that stands is taken back by those who run the channel."""
    if not admins(actor):
        return admins(actor)
    return yes("stands") if refund.stands else no(_("This refund has been taken back already."), rule="undone")
