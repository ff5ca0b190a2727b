"""Shape of what is typed about refunds."""

from wtforms import BooleanField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from lms.core.i18n import lazy_gettext as _l
from lms.core.money import Money
from lms.payments.models import Order
from lms.web.forms import Form, MoneyField, strip


class RefundForm(Form):
    """The whole or a part, whether the access ends with it, and why."""

    how = RadioField(_l("How much"), choices=[SelectChoice("whole", ""), SelectChoice("part", _l("A part"))], default="whole")
    amount = MoneyField(_l("The part"), [Optional()], description=_l("Only for a part."))
    ends_access = BooleanField(_l("End the access with a part, too"))
    reason = TextAreaField(
        _l("Reason"),
        [DataRequired(_l("Say why; the person reads it.")), Length(max=500)],
        filters=[strip],
        description=_l("The person reads it."),
    )

    def money(self, order: Order) -> Money:
        """What to give back; nothing written for a part is nothing."""
        return order.refundable if self.how.data == "whole" else self.amount.data or Money(0, order.currency)
