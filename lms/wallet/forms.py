"""Shape of what is typed about wallets."""

from datetime import date

from wtforms import DateField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from lms.core.i18n import lazy_gettext as _l
from lms.core.money import Money
from lms.wallet.queries import Span
from lms.web.forms import Form, MoneyField, one_line, strip

FAR = 2000


class DayForm(Form):
    """A day in the past, or today."""

    class Meta:
        csrf = False

    on = DateField(_l("Balance on"), [Optional()])

    def validate_on(self, field: DateField) -> None:
        """A day people can mean."""
        if field.data is not None and not FAR <= field.data.year <= 9000:
            raise ValidationError(str(_l("Choose a day from 2000 on.")))


class PeriodForm(Form):
    """Whole days, the first and the last included."""

    class Meta:
        csrf = False

    first = DateField(_l("From"), [Optional()])
    last = DateField(_l("To"), [Optional()])

    def validate_last(self, field: DateField) -> None:
        """The last day is not before the first, and both are days people can mean."""
        days = [day for day in (self.first.data, field.data) if day is not None]
        if any(not FAR <= day.year <= 9000 for day in days):
            raise ValidationError(str(_l("Choose days from 2000 on.")))
        if len(days) == 2 and days[0] > days[1]:
            raise ValidationError(str(_l("The last day lies before the first.")))

    def span(self, today: date, zone_name: str) -> Span:
        """The days asked for: without a first, from the year's beginning; without a last, until today."""
        last = self.last.data or max(today, self.first.data or today)
        first = self.first.data or min(date(last.year, 1, 1), last)
        return Span(first, last, zone_name)


class AdjustForm(Form):
    """How much goes in or out, and why."""

    way = RadioField(
        _l("What to do"), choices=[SelectChoice("in", _l("Put money in")), SelectChoice("out", _l("Take money out"))], default="in"
    )
    amount = MoneyField(_l("Amount"), [InputRequired(_l("Say how much."))])
    until = DateField(
        _l("Valid until"),
        [Optional()],
        description=_l("Only for money that goes in: what is not spent by the end of this day expires. Empty: no end."),
    )
    reason = TextAreaField(
        _l("Reason"),
        [DataRequired(_l("Say why; the person reads it.")), Length(max=500)],
        filters=[strip],
        description=_l("Stands on the person's statement."),
    )

    def money(self) -> Money:
        """The amount, below zero when it is taken out."""
        amount: Money = self.amount.data
        return amount if self.way.data == "in" else -amount


class DateForm(Form):
    """Until when money lasts, and why that changes."""

    until = DateField(
        _l("New last day"), [DataRequired(_l("Choose a day."))], description=_l("In your academy's zone; the whole day counts.")
    )
    reason = TextAreaField(
        _l("Reason"),
        [DataRequired(_l("Say why, so that the audit log explains itself.")), Length(max=500)],
        filters=[strip],
        description=_l("Stands in the audit log."),
    )


class WordForm(Form):
    """A word on a decision."""

    word = StringField(_l("A word on it"), [Length(max=500), one_line], filters=[strip], description=_l("Whoever asked reads it."))


class LimitForm(Form):
    """From which amount two people are needed."""

    limit = MoneyField(
        _l("One admin alone, up to"),
        [Optional()],
        description=_l("Counted over 24 hours. Above it another admin approves. Empty: no limit. 0: always two people."),
    )
