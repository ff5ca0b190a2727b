"""Shape of what is typed about refunds."""

from datetime import datetime
from typing import Any

from wtforms import BooleanField, DateField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from lms.core.i18n import lazy_gettext as _l
from lms.core.money import Money
from lms.payments.models import Order
from lms.wallet.queries import end_of
from lms.web.forms import Form, MoneyField, strip


class RefundForm(Form):
    """The whole or a part, whether the access ends with it, and why."""

    how = RadioField(_l("How much"), choices=[SelectChoice("whole", ""), SelectChoice("part", _l("A part"))], default="whole")
    amount = MoneyField(_l("The part"), [Optional()], description=_l("Only for a part."))
    ends_access = BooleanField(_l("End the access with a part, too"))
    past = RadioField(
        _l("What has expired since"),
        choices=[SelectChoice("expire", _l("Let it expire")), SelectChoice("renew", _l("Give it back with a new last day"))],
        default="renew",
    )
    until = DateField(_l("New last day"), [Optional()], description=_l("In your academy's zone; the whole day counts."))
    reason = TextAreaField(
        _l("Reason"),
        [DataRequired(_l("Say why; the person reads it.")), Length(max=500)],
        filters=[strip],
        description=_l("The person reads it."),
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Money given back with a new last day needs one."""
        fits = super().validate(extra_validators)
        if self.renews and self.until.data is None and not self.until.errors:
            self.until.errors = [str(_l("Choose the new last day."))]
            return False
        return bool(fits)

    @property
    def renews(self) -> bool:
        """Whether expired money comes back with a new last day; asked only where some has expired."""
        return "past" in self and self.past.data == "renew"

    def new_end(self, zone_name: str) -> datetime | None:
        """Until when expired money lasts from now on; None: it expires."""
        return end_of(self.until.data, zone_name) if self.renews else None

    def money(self, order: Order) -> Money:
        """What to give back; nothing written for a part is nothing."""
        return order.refundable if self.how.data == "whole" else self.amount.data or Money(0, order.currency)
