"""What a batch is asked to be, and whether it can be that."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.core.money import MAX_MINOR, Money
from lms.vouchers.models import COUPONS, KINDS
from lms.vouchers.operations.codes import GROUPINGS

MOST_CODES = 10_000
MOST_USES = 100_000
MOST_DOMAINS = 20
MOST_DAYS = 3650
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBatch:
    """A batch as it is asked for; `per_person` None is no limit, no `domains` is everybody, and a coupon without courses is for all.

    `value` carries the currency for every kind; courses and percents are worth nothing in money. A `word` is what people type
    for a coupon with one code: it is chosen, not drawn, and so it only ever takes money off a price.
    Money that came into a wallet lasts `money_days` days from redeeming, or until `money_until`; without either it has no end.
    """

    label: str
    value: Money
    count: int
    kind: str = "value"
    percent: int | None = None
    course_ids: Sequence[UUID] = ()
    word: str = ""
    purpose: str = ""
    prefix: str = ""
    grouping: int = 4
    owner_id: UUID | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    per_person: int | None = None
    domains: Sequence[str] = field(default=())
    uses_per_code: int = 1
    sold_for_minor: int | None = None
    money_days: int | None = None
    money_until: datetime | None = None
    replaces_id: UUID | None = None
    is_gift: bool = False

    @property
    def worth(self) -> Money:
        """What all codes are worth together."""
        return self.value * (self.count * self.uses_per_code)

    def faults(self) -> dict[str, str]:
        """What is wrong with the wish, field by field."""
        rules = {**self._terms(), **self._gift(), **self._money(), **self._writing()}
        found = {name: sentence for name, (fits, sentence) in rules.items() if not fits}
        if not found and self.worth.minor > MAX_MINOR:
            found["count"] = _("Together these codes are worth more than an academy can book.")
        return found

    def _terms(self) -> dict[str, tuple[bool, str]]:
        """How many, for whom, until when."""
        return {
            "label": (1 <= len(self.label.strip()) <= 120, _("Give the batch a name of up to 120 letters.")),
            "count": (1 <= self.count <= MOST_CODES, _("A batch has 1 to 10,000 codes.")),
            "uses_per_code": (1 <= self.uses_per_code <= MOST_USES, _("A code can be used 1 to 100,000 times.")),
            "per_person": (
                self.per_person is None or self.per_person >= 1,
                _("The limit per person is 1 or more; leave it empty for none."),
            ),
            "expires_at": (
                self.expires_at is None or (self.expires_at > now() and (self.starts_at is None or self.expires_at > self.starts_at)),
                _("The last day must lie ahead, and after the first."),
            ),
            "sold_for_minor": (self.sold_for_minor is None or self.sold_for_minor >= 0, _("The price cannot be below zero.")),
            "domains": (are_domains(self.domains), _("Write domains like school.example, at most %(most)s.", most=MOST_DOMAINS)),
        }

    def _gift(self) -> dict[str, tuple[bool, str]]:
        """What a code gives."""
        has_value = self.kind in ("value", "amount")
        return {
            "kind": (self.kind in KINDS, _("Choose what a code gives.")),
            "value": (
                (0 < self.value.minor <= MAX_MINOR) if has_value else self.value.minor == 0,
                _("The value must be more than zero.") if has_value else _("This kind of code has no value in money."),
            ),
            "percent": (
                (self.percent is not None and 1 <= self.percent <= 100) if self.kind == "percent" else self.percent is None,
                _("Say how many percent, from 1 to 100.") if self.kind == "percent" else _("Only a coupon in percent has percents."),
            ),
            "course_ids": (
                bool(self.course_ids) if self.kind == "course" else self.kind in COUPONS or self.is_gift or not self.course_ids,
                _("Choose the courses a code opens.") if self.kind == "course" else _("Money is not bound to courses."),
            ),
        }

    def _money(self) -> dict[str, tuple[bool, str]]:
        """Until when the money lasts that a code gives."""
        is_money = self.kind == "value"
        ends, until = self.expires_at, self.money_until
        return {
            "money_days": (
                self.money_days is None or (is_money and 1 <= self.money_days <= MOST_DAYS and until is None),
                _("Money lasts 1 to 3,650 days, or until a day; not both.") if is_money else _("Only money can expire after redeeming."),
            ),
            "money_until": (
                until is None or (is_money and ends is not None and ends <= until),
                _("Say until when codes are redeemed, and choose that day or a later one."),
            ),
        }

    def _writing(self) -> dict[str, tuple[bool, str]]:
        """What a code looks like."""
        return {
            "prefix": (
                re.fullmatch(r"[A-Z0-9]{0,12}", self.prefix) is not None and not (self.word and self.prefix),
                _("A prefix has up to 12 letters A–Z and digits, and a chosen word has none."),
            ),
            "grouping": (self.grouping in GROUPINGS, _("Choose how the symbols are grouped.")),
            "word": (
                not self.word or (self.kind in COUPONS and self.count == 1 and re.fullmatch(r"[A-Z0-9]{4,20}", self.word) is not None),
                _("A word has 4 to 20 letters A–Z and digits, and belongs to a coupon with one code."),
            ),
        }


def are_domains(domains: Sequence[str]) -> bool:
    """Whether these are a few host names that mail addresses can end in."""
    return len(domains) <= MOST_DOMAINS and all(DOMAIN.fullmatch(domain) for domain in domains)
