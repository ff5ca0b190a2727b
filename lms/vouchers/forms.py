"""Shape of what is typed about vouchers."""

from collections.abc import Callable

from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields import Field
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp, ValidationError

from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.web.forms import Form, MoneyField, one_line, strip


def upper(value: str | None) -> str | None:
    """What was typed, in capitals."""
    return value.strip().upper() if value is not None else None


def between(low: int, high: int, message: Lazy) -> Callable[[Form, Field], None]:
    """A validator: a whole number from low to high."""

    def check(_form: Form, field: Field) -> None:
        if field.data is None or not low <= field.data <= high:
            raise ValidationError(str(message))

    return check


class BatchForm(Form):
    """A new batch; `seal` is made with the form, names the request and opens the one-time download."""

    label = StringField(
        _l("Name"),
        [DataRequired(_l("Give the batch a name.")), Length(max=120), one_line],
        filters=[strip],
        description=_l("Stands in your list, and on the statement of whoever redeems a code."),
    )
    value = MoneyField(_l("Value of one code"), [InputRequired(_l("Say what one code is worth."))])
    count = IntegerField(
        _l("How many codes"),
        [InputRequired(_l("Say how many codes.")), between(1, 10_000, _l("A batch has 1 to 10,000 codes."))],
        default=200,
    )
    prefix = StringField(
        _l("Prefix"),
        [Optional(), Regexp("^[A-Z0-9]{1,12}$", message=_l("Up to 12 letters A–Z and digits."))],
        filters=[upper],
        description=_l("Stands before every code, for example SPRING."),
    )
    starts_at = DateField(_l("First day"), [Optional()], description=_l("Empty: at once."))
    expires_at = DateField(_l("Last day"), [Optional()], description=_l("The whole day counts, in your academy's zone. Empty: no end."))
    per_person = IntegerField(
        _l("Most codes for one person"),
        [Optional(), between(1, 10_000, _l("1 or more; empty for no limit."))],
        description=_l("Empty: no limit."),
    )
    uses_per_code = IntegerField(
        _l("Uses of each code"),
        [InputRequired(_l("Say how often a code works.")), between(1, 100_000, _l("1 to 100,000."))],
        default=1,
        description=_l("1 for cards. More for one code that many people type, each once."),
    )
    sold_for_minor = MoneyField(
        _l("Sold for"), [Optional()], description=_l("What one code was sold for, if it was; for your own figures.")
    )
    purpose = TextAreaField(_l("Purpose"), [Length(max=1000)], filters=[strip])
    owner = SelectField(_l("Who answers for it"))
    seal = HiddenField(validators=[Regexp(r"^[A-Za-z0-9_-]{40,64}$", message=_l("This form is too old. Open it again."))])


class SampleForm(Form):
    """The part of a batch its live sample shows."""

    class Meta:
        csrf = False

    value = MoneyField(validators=[Optional()])
    count = IntegerField(validators=[Optional()])
    prefix = StringField(filters=[upper])
    uses_per_code = IntegerField(validators=[Optional()])


class VoidForm(Form):
    """Why codes lose their value."""

    reason = StringField(
        _l("Why"), [DataRequired(_l("Say why, so that the trail explains itself.")), Length(max=500), one_line], filters=[strip]
    )


class RedeemForm(Form):
    """A code as it was typed or scanned."""

    code = StringField(
        _l("Code"),
        [DataRequired(_l("Type the code from your voucher.")), Length(max=120, message=_l("A code is shorter than that."))],
        filters=[strip],
        description=_l("Capitals, spaces and dashes do not matter, nor whether you type O or 0, I or 1."),
    )


class DoneForm(Form):
    """Nothing but the form's token."""
