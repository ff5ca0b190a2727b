"""Shape of what is typed about vouchers."""

import re
from collections.abc import Callable
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import Field
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length, Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.vouchers.models import COUPONS, KINDS
from lms.vouchers.operations.wishes import are_domains
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


def domains_in(text: str) -> list[str]:
    """The domains somebody wrote, however they are set apart; a leading @ is no part of one."""
    return list(dict.fromkeys(part.lstrip("@").lower() for part in re.split(r"[\s,;]+", text) if part.lstrip("@")))


def some_domains(_form: Form, field: Field) -> None:
    """A validator: host names that mail addresses can end in."""
    if field.data and not are_domains(domains_in(field.data)):
        raise ValidationError(str(_l("Write domains like school.example, at most 20.")))


SEAL = Regexp(r"^[A-Za-z0-9_-]{40,64}$", message=_l("This form is too old. Open it again."))
GROUPINGS = [SelectChoice("4", _l("In fours: 7K2M-…")), SelectChoice("7", _l("In sevens: 7K2M9QX-…")), SelectChoice("0", _l("Unbroken"))]
WHERE = {
    "value": {"percent", "course_ids", "word"},
    "course": {"value", "percent", "word", "money_days", "money_until"},
    "percent": {"value", "sold_for_minor", "money_days", "money_until"},
    "amount": {"percent", "sold_for_minor", "money_days", "money_until"},
}


class TermsForm(Form):
    """What can be said of a batch before and after it is made."""

    label = StringField(
        _l("Name"),
        [DataRequired(_l("Give the batch a name.")), Length(max=120), one_line],
        filters=[strip],
        description=_l("Stands in your list, and on the statement or order of whoever uses a code."),
    )
    value = MoneyField(_l("Value of one code"), [InputRequired(_l("Say what one code is worth."))])
    percent = IntegerField(
        _l("Percent off"),
        [InputRequired(_l("Say how many percent.")), between(1, 100, _l("1 to 100."))],
        description=_l("Of the price as it stands when somebody enrols."),
    )
    course_ids = SelectMultipleField(_l("Courses"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())
    starts_at = DateField(_l("First day"), [Optional()], description=_l("Empty: at once."))
    expires_at = DateField(_l("Last day"), [Optional()], description=_l("The whole day counts, in your academy's zone. Empty: no end."))
    per_person = IntegerField(
        _l("Most codes for one person"),
        [Optional(), between(1, 10_000, _l("1 or more; empty for no limit."))],
        description=_l("Empty: no limit."),
    )
    domains = StringField(
        _l("Only for addresses at"),
        [Length(max=2000), some_domains],
        filters=[strip],
        description=_l("For example school.example. Several are set apart by commas. Empty: everybody."),
    )
    sold_for_minor = MoneyField(
        _l("Sold for"), [Optional()], description=_l("What one code was sold for, if it was; for your own figures.")
    )
    money_days = IntegerField(
        _l("The money lasts"),
        [Optional(), between(1, 3650, _l("1 to 3,650 days; empty for no end."))],
        description=_l("Whole days after redeeming. What is not spent by then expires. Empty: no end."),
    )
    money_until = DateField(
        _l("Or until a day"), [Optional()], description=_l("Instead of days: the last day on which the money can be spent.")
    )
    purpose = TextAreaField(_l("Purpose"), [Length(max=1000)], filters=[strip])
    owner = SelectField(_l("Who answers for it"))

    @property
    def sent(self) -> Any:
        """What was sent."""
        return request.form


class BatchForm(TermsForm):
    """A new batch; `seal` is made with the form, names the request and opens the one-time download."""

    kind = HiddenField(validators=[AnyOf(KINDS, message=_l("Choose what a code gives."))])
    count = IntegerField(
        _l("How many codes"),
        [InputRequired(_l("Say how many codes.")), between(1, 10_000, _l("A batch has 1 to 10,000 codes."))],
    )
    uses_per_code = IntegerField(
        _l("Uses of each code"),
        [InputRequired(_l("Say how often a code works.")), between(1, 100_000, _l("1 to 100,000."))],
        description=_l("1 for cards. More for one code that many people type, each once."),
    )
    word = StringField(
        _l("A word of your own"),
        [Optional(), Regexp("^[A-Z0-9]{4,20}$", message=_l("4 to 20 letters A–Z and digits."))],
        filters=[upper],
        description=_l("For one code that people remember, for example SUMMER20. Whoever hears it can use it. Empty: drawn by chance."),
    )
    prefix = StringField(
        _l("Prefix"),
        [Optional(), Regexp("^[A-Z0-9]{1,12}$", message=_l("Up to 12 letters A–Z and digits."))],
        filters=[upper],
        description=_l("Stands before every code, for example SPRING."),
    )
    grouping = SelectField(_l("Pattern"), choices=GROUPINGS, default="4")
    seal = HiddenField(validators=[SEAL])


def form_for(kind: str) -> BatchForm:
    """The form of a kind, without the fields of the others."""
    is_coupon = kind in COUPONS
    form = BatchForm(kind=kind, count=1 if is_coupon else 200, uses_per_code=100 if is_coupon else 1)
    for name in WHERE[kind]:
        del form[name]
    if kind == "amount":
        form.value.label.text = _l("Amount off")
    if is_coupon:
        form.course_ids.description = _l("None chosen: good for every course.")
        form.per_person.description = _l("Each code works once for one person in any case. Empty: no limit.")
    return form


class EditForm(TermsForm):
    """A batch as it shall be; `version` is what it was when the form was opened."""

    version = HiddenField(validators=[Regexp(r"^\d{1,9}$", message=_l("This form is too old. Open it again."))])
    revive = BooleanField(_l("Make the expired codes work again"), description=_l("Until the last day above. Void codes stay void."))


def edit_form_for(kind: str) -> EditForm:
    """The form of a kind, without the fields of the others."""
    form = EditForm()
    for name in WHERE[kind] - {"word"}:
        del form[name]
    if kind == "amount":
        form.value.label.text = _l("Amount off")
    return form


class ReplaceForm(Form):
    """Why codes are replaced; the seal names the request and opens the new ones."""

    reason = StringField(
        _l("Why"), [DataRequired(_l("Say why, so that the trail explains itself.")), Length(max=500), one_line], filters=[strip]
    )
    seal = HiddenField(validators=[SEAL])


class SampleForm(Form):
    """The part of a batch its live sample shows."""

    class Meta:
        csrf = False

    kind = HiddenField(validators=[AnyOf(KINDS)], default="value")
    value = MoneyField(validators=[Optional()])
    percent = IntegerField(validators=[Optional(), between(1, 100, _l("1 to 100."))])
    course_ids = SelectMultipleField()
    count = IntegerField(validators=[Optional()])
    word = StringField(filters=[upper])
    prefix = StringField(filters=[upper])
    grouping = SelectField(choices=GROUPINGS, default="4")
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


class SheetForm(Form):
    """How codes are printed."""

    layout = SelectField(
        _l("Layout"),
        choices=[
            SelectChoice("cards10", _l("Cards, 10 to a page")),
            SelectChoice("cards8", _l("Cards, 8 to a page")),
            SelectChoice("cards24", _l("Small cards, 24 to a page")),
            SelectChoice("list", _l("A list with room for names")),
        ],
        default="cards10",
    )
    marks = BooleanField(_l("Lines to cut along"), default=True)


class LettersForm(Form):
    """Whom to send codes, with which words, when."""

    people = TextAreaField(
        _l("People"),
        [Length(max=500_000)],
        filters=[strip],
        description=_l("An address a line, with a name if you like: Ana <ana@school.example> or ana@school.example, Ana."),
    )
    file = FileField(_l("Or a CSV file"), description=_l("The column with addresses is found by itself."))
    message = TextAreaField(_l("Your words"), [Length(max=2000)], filters=[strip], description=_l("Stand above the code. Empty: none."))
    send_at = DateTimeLocalField(
        _l("When"), [Optional()], description=_l("In your academy's zone. Empty: now. Until then you can take a letter back.")
    )


class GiftForm(Form):
    """What is given, to whom, when."""

    what = RadioField(_l("What you give"), [InputRequired(_l("Choose what you give."))])
    email = StringField(
        _l("For whom"),
        [DataRequired(_l("Write the address of who gets it.")), Length(max=254), one_line],
        filters=[strip],
        description=_l("The mail address; the code goes there and is shown to nobody else, not even to you."),
    )
    name = StringField(_l("Their name"), [Length(max=120), one_line], filters=[strip])
    message = TextAreaField(_l("Your words"), [Length(max=2000)], filters=[strip], description=_l("Stand above the code."))
    send_at = DateTimeLocalField(_l("When"), [Optional()], description=_l("In your zone. Empty: now."))


class GiftRulesForm(Form):
    """Whether students may give vouchers, and which."""

    is_on = BooleanField(_l("Students may give vouchers"))
    amounts = StringField(
        _l("Amounts to choose from"),
        [Length(max=300), one_line],
        filters=[strip],
        description=_l("For example 100; 250; 500. They are paid from the giver's wallet."),
    )
    courses = BooleanField(_l("They may give a course, too"), description=_l("At the price it has that day."))


class DoneForm(Form):
    """Nothing but the form's token."""
