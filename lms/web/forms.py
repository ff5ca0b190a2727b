"""The base of every form: shape of input only, never permissions; with the form token, and translated messages."""

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField, ValidationError
from wtforms.fields import Field

from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.i18n import ngettext
from lms.core.money import Money, parse

# What WTForms says by itself, by its English; whatever is not here stays as it says it.
SAID = {
    "This field is required.": _l("Fill this in."),
    "Not a valid choice.": _l("Choose one of the list."),
    "Invalid Choice: could not coerce.": _l("Choose one of the list."),
    "Invalid choice(s): one or more data inputs could not be coerced.": _l("Choose from the list."),
    "Not a valid integer value.": _l("Write a whole number."),
    "Not a valid decimal value.": _l("Write a number."),
    "Not a valid float value.": _l("Write a number."),
    "Not a valid date value.": _l("Write a day, for example 2026-11-22."),
    "Not a valid datetime value.": _l("Write a day and a time, for example 2026-11-22 14:30."),
    "Not a valid time value.": _l("Write a time, for example 14:30."),
    "Number must be at least %(min)s.": _l("%(min)s or more."),
    "Number must be at most %(max)s.": _l("%(max)s or less."),
    "Number must be between %(min)s and %(max)s.": _l("%(min)s to %(max)s."),
    "Field must be between %(min)d and %(max)d characters long.": _l("Write %(min)d to %(max)d characters."),
    "Field must be equal to %(other_name)s.": _l("Write the same as before."),
    "Invalid input.": _l("This cannot be read. Write it another way."),
    "Invalid email address.": _l("Write an e-mail address, for example name@example.org."),
    "Invalid URL.": _l("Write an address that begins with https://."),
    "Invalid UUID.": _l("Choose one of the list."),
    "Invalid value, must be one of: %(values)s.": _l("Choose one of: %(values)s."),
}
COUNTED: dict[str, Callable[[int], str]] = {
    "'%(value)s' is not a valid choice for this field.": lambda count: ngettext(
        "There is no such choice: %(value)s.", "There are no such choices: %(value)s.", count, value="%(value)s"
    ),
    "Field must be at least %(min)d character long.": lambda count: ngettext(
        "Write at least %(num)s character.", "Write at least %(num)s characters.", count
    ),
    "Field cannot be longer than %(max)d character.": lambda count: ngettext(
        "Write at most %(num)s character.", "Write at most %(num)s characters.", count
    ),
    "Field must be exactly %(max)d character long.": lambda count: ngettext(
        "Write exactly %(num)s character.", "Write exactly %(num)s characters.", count
    ),
}


class Words:
    """WTForms' own sentences in ours, in the reader's language."""

    def gettext(self, sentence: str) -> str:
        """A sentence with its places for values still in it."""
        return str(SAID.get(sentence, sentence))

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The form of a sentence that a number takes."""
        return COUNTED[one](number) if one in COUNTED else one if number == 1 else many


WORDS = Words()


class Form(FlaskForm):
    """A form; `refuse(refusal)` puts a refusal of the domain beside its fields."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> Words:
            return WORDS

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal of an operation: beside the fields it names, else above the form."""
        placed = False
        if isinstance(refusal, Invalid):
            for name, sentence in refusal.fields.items():
                if name in self:
                    self[name].errors = [*self[name].errors, sentence]
                    placed = True
        if not placed:
            self.form_errors: list[str] = [*self.form_errors, refusal.sentence]

    @property
    def fault_count(self) -> int:
        """How many faults there are to mend."""
        return len(self.form_errors) + sum(len(field.errors) for field in self if field.errors)


class MoneyField(StringField):
    """An amount a person types, in the currency given to the form; `data` is Money or None."""

    def __init__(self, label: Any = None, validators: Any = None, *, currency: str = "EUR", **options: Any) -> None:
        super().__init__(label, validators, **options)
        self.currency = currency

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed; a sentence says what is wrong with it."""
        self.typed = str(valuelist[0]) if valuelist else ""
        self.data: Any = None
        if self.typed.strip():
            try:
                self.data = parse(self.typed, self.currency)
            except Invalid as refusal:
                raise ValueError(refusal.sentence) from refusal

    def _value(self) -> str:
        if isinstance(self.data, Money):
            return str(self.data.decimal)
        return getattr(self, "typed", "")


def strip(value: str | None) -> str | None:
    """What was typed without the space around it; a filter for text fields."""
    return value.strip() if value is not None else None


def one_line(_form: FlaskForm, field: Field) -> None:
    """Refuse control characters: names and subjects are one line."""
    if field.data and any(ord(letter) < 32 or letter in "\u2028\u2029\x7f" for letter in field.data):
        raise ValidationError(_("Leave out line breaks and control characters."))
