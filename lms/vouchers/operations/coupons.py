"""Coupons: what one takes off a course's price, and its use in the moment of enrolling.

The rules, as the page says them: one coupon for one enrolment, once for one person; it takes off what it says of the price as it
stands, never more than the price; and the order keeps what was used.
"""

from dataclasses import dataclass
from uuid import UUID

from lms.core.clock import local_day
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.i18n import percent
from lms.core.money import Money
from lms.vouchers import queries
from lms.vouchers.errors import CodeRefused
from lms.vouchers.models import Batch, Redemption
from lms.vouchers.operations.taking import Priced, again, look_up, refusal_of, take, until_taken
from lms.vouchers.queries import Found


@dataclass(frozen=True, slots=True)
class Discount:
    """What a coupon takes off a price: by which code, in words for the order; `redemption_id` once it is used."""

    code_id: UUID
    price: Money
    off: Money
    words: str
    redemption_id: UUID | None = None

    @property
    def left(self) -> Money:
        """What is still to be paid."""
        return self.price - self.off


def try_coupon(code_text: str, course_id: UUID, price: Money, *, by: Actor, address: str = "") -> Discount:
    """What a typed coupon would take off; uses nothing. Raises UnknownCode, CodeRefused or TooMany, and guesses count."""
    if by.user_id is None:
        raise Forbidden(_("Sign in to use a coupon."), rule="sign_in")
    return _judged(look_up(code_text, by=by, address=address), course_id, price, by)


def price_with(code_id: UUID, course_id: UUID, price: Money, *, by: Actor) -> Discount:
    """What a coupon found before takes off now; raises CodeRefused when it does not any more."""
    return _judged(again(code_id, by), course_id, price, by)


def use_coupon(code_id: UUID, course_id: UUID, price: Money, *, by: Actor) -> Discount:
    """Use a coupon for an enrolment that is made in this transaction; the discount names the redemption."""
    used: list[Discount] = []

    def attempt() -> Redemption:
        found = again(code_id, by)
        used[:] = [_judged(found, course_id, price, by)]
        return take(found, by=by, amount=used[0].off, priced=Priced(course_id, price))

    redemption = until_taken(attempt)
    return Discount(code_id, price, used[0].off, used[0].words, redemption.id)


def _judged(found: Found, course_id: UUID, price: Money, by: Actor) -> Discount:
    batch = found.batch
    why_not = _misplaced(batch) or _used_by_me(found, by) or refusal_of(found.code, batch, by=by) or _not_for(batch, course_id, price)
    if why_not is not None:
        raise why_not
    return Discount(found.code.id, price, batch.takes_off(price, found.value), _words(found, by))


def _misplaced(batch: Batch) -> CodeRefused | None:
    if batch.kind == "value":
        return CodeRefused(_("This code puts money into your wallet. Redeem it there first, then enrol."), rule="voucher")
    if batch.kind == "course":
        return CodeRefused(_("This code opens courses by itself. Redeem it on the page of vouchers."), rule="voucher")
    return None


def _used_by_me(found: Found, by: Actor) -> CodeRefused | None:
    if found.mine is None:
        return None
    day = local_day(found.mine.at, by.zone).isoformat()
    return CodeRefused(_("You used this coupon on %(day)s. One person can use it once.", day=day), rule="mine")


def _not_for(batch: Batch, course_id: UUID, price: Money) -> CodeRefused | None:
    bound = queries.course_ids_of(batch.id)
    if bound and course_id not in bound:
        names = ", ".join(queries.courses_by_id(bound).values())
        return CodeRefused(_("This coupon is for %(courses)s only.", courses=names), rule="course")
    if not price.minor:
        return CodeRefused(_("This course is free already. Keep the coupon for another."), rule="free")
    if price.currency != batch.currency:
        return CodeRefused(_("This coupon is in another currency than the course."), rule="currency")
    return None


def _words(found: Found, by: Actor) -> str:
    what = percent(found.batch.percent) if found.batch.percent is not None else found.value.format(by.locale)
    return f"{found.batch.label} ····{found.code.last4} · {what}"
