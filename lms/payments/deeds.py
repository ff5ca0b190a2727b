"""What the audit log calls the acts on orders."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l

register(
    Deeds(
        "payments",
        _l("Orders and refunds"),
        {
            "payments.pay": Deed(_l("paid the order"), "receipt"),
            "payments.close": Deed(_l("closed the order"), "circle-check"),
            "payments.refund": Deed(_l("refunded the order"), "undo-2"),
            "payments.undo_refund": Deed(_l("took the refund back"), "undo-2"),
        },
        {"orders": Thing(_l("Order"), "/admin/payments/orders/{id}")},
        {
            "amount_minor": Label(_l("Amount"), "money"),
            "price_minor": Label(_l("Price"), "money"),
            "user_id": Label(_l("Person"), "person"),
            "course_id": Label(_l("Course"), "course"),
            "reason": Label(_l("Reason")),
            "closed_at": Label(_l("Closed"), "time"),
        },
    )
)
