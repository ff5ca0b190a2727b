"""The base of every form: shape of input only, never permissions; with the form token, and translated messages."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField, ValidationError
from wtforms.fields import Field

from lms.core.errors import Invalid, Refusal
from lms.core.money import Money, parse


class Form(FlaskForm):
    """A form; `refuse(refusal)` puts a refusal of the domain beside its fields."""

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
        raise ValidationError("Leave out line breaks and control characters.")
