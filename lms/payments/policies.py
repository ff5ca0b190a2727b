"""Who may see orders."""

from lms.core.decisions import Actor, Decision, admins, yes
from lms.payments.models import Order


def can_see_order(actor: Actor, order: Order) -> Decision:
    """One's own order, and every order for those who run the channel."""
    if actor.is_known and actor.user_id == order.user_id:
        return yes("own")
    return admins(actor)


def can_see_orders(actor: Actor) -> Decision:
    """The list of orders is for those who run the channel."""
    return admins(actor)
