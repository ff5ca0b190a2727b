"""Money: whole minor units and an ISO 4217 currency; never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency, get_currency_precision, list_currencies

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _

MAX_MINOR = 10**15


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of one currency, e.g. Money(1250, "EUR") is €12.50."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.minor * count, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.minor

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-digits(self.currency))

    def format(self, locale: str = "en") -> str:
        """The amount as people of that locale write it, with its currency."""
        return str(format_currency(self.decimal, self.currency, locale=locale))


def is_currency(code: str) -> bool:
    """Whether the code is an ISO 4217 currency."""
    return code in list_currencies()


def digits(currency: str) -> int:
    """How many decimals a currency has: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217)."""
    return int(get_currency_precision(currency))


def parse(text: str, currency: str) -> Money:
    """What a person typed, as money; raises Invalid for anything but a plain amount the currency can hold."""
    cleaned = re.sub(r"[\s\u00a0\u202f']", "", text)
    if digits(currency) == 3 and re.fullmatch(r"\d{1,3},\d{3}", cleaned):  # thousands to some, a thousandth to others
        whole, dotted = cleaned.replace(",", ""), cleaned.replace(",", ".")
        raise Invalid(_("Write %(whole)s or %(parts)s: %(typed)s could be read as either.", whole=whole, parts=dotted, typed=cleaned))
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", cleaned):
        cleaned = cleaned.replace(",", "")
    cleaned = cleaned.replace(",", ".")
    try:
        amount = Decimal(cleaned) if re.fullmatch(r"\d+(\.\d*)?|\.\d+", cleaned) else None
    except InvalidOperation:
        amount = None
    if amount is None:
        raise Invalid(
            _("Write the amount as a number, for example %(amount)s.", amount=Money(125 * 10 ** digits(currency), currency).decimal)
        )
    minor = amount.scaleb(digits(currency))
    if minor != minor.to_integral_value():
        raise Invalid(_("%(currency)s has %(count)s decimals; this amount has more.", currency=currency, count=digits(currency)))
    if minor > MAX_MINOR:
        raise Invalid(_("That amount is too large."))
    return Money(int(minor), currency)


def split(amount: int, shares: list[int]) -> list[int]:
    """Minor units split by whole-number shares; the parts sum to the amount, remainders go to the largest fractions, earliest first."""
    total = sum(shares)
    if total <= 0 or min(shares) < 0:
        raise ValueError("shares must be whole numbers of 0 or more, and not all 0")
    parts = [amount * share // total for share in shares]
    order = sorted(range(len(shares)), key=lambda i: (-(amount * shares[i] % total), i))
    for i in order[: amount - sum(parts)]:
        parts[i] += 1
    return parts
