"""Gifts: bought from my wallet for somebody, looked at, taken back; every one for admins. The code itself is in no answer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from lms.core.money import Money
from lms.vouchers import operations, policies, queries
from lms.vouchers.api.door import bp
from lms.vouchers.operations import GiftWish
from lms.vouchers.queries import Given
from lms.vouchers.reports import Gifts
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Moment, Rows, answer_rows, endpoint, located


class GiftRequest(Body):
    """What is given to whom; `price` is one of the amounts, or what the course of `course_id` costs now. `id` makes it safe to repeat."""

    id: UUID | None = None
    price: Amount
    course_id: UUID | None = None
    email: Annotated[str, Field(min_length=3, max_length=254)]
    name: Annotated[str, Field(max_length=120)] = ""
    message: Annotated[str, Field(max_length=2000)] = ""
    send_at: Moment | None = None


class GiftAnswer(Answer):
    """A gift: `waiting`, `sent`, `withheld`, `redeemed` or `cancelled`."""

    id: UUID
    number: str
    giver_id: UUID
    course_id: UUID | None
    label: str
    amount: Amount
    email: str
    name: str
    state: str
    made_at: datetime
    send_at: datetime
    sent_at: datetime | None
    cancelled_at: datetime | None


class GiftRulesAnswer(Answer):
    """Whether vouchers may be given here, of which amounts, and whether courses, too."""

    is_on: bool
    courses: bool
    amounts: list[Amount]


class GiftRulesRequest(Body):
    """What may be given here from now on."""

    is_on: bool
    courses: bool = False
    amounts: Annotated[list[Amount], Field(max_length=12)] = []


@bp.get("/gifts")
@endpoint(lists=Gifts)
def gifts() -> Rows:
    """Every gift, with what became of it."""
    allow(policies.can_manage(actor()))
    return answer_rows(Gifts())


@bp.post("/gifts")
@endpoint(status=201, money=True)
def gifts_create(body: GiftRequest) -> GiftAnswer:
    """Buy a voucher for somebody from my wallet, mailed to them at its moment."""
    allow(policies.can_give(actor(), queries.gift_rules()))
    wish = GiftWish(
        price=Money(body.price.minor, body.price.currency),
        course_id=body.course_id,
        email=body.email,
        name=body.name,
        message=body.message,
        send_at=body.send_at,
    )
    gift = operations.give(wish, gift_id=body.id, by=actor())
    located(url_for(".gifts_show", gift_id=gift.id))
    return _answer(queries.get_given(gift.id))


@bp.get("/gifts/rules")
@endpoint()
def gifts_rules() -> GiftRulesAnswer:
    """What may be given here."""
    allow(policies.can_redeem(actor()))
    return GiftRulesAnswer.model_validate(queries.gift_rules())


@bp.post("/gifts/rules")
@endpoint()
def gifts_rules_create(body: GiftRulesRequest) -> GiftRulesAnswer:
    """Say what may be given here."""
    allow(policies.can_manage(actor()))
    amounts = [Money(one.minor, one.currency) for one in body.amounts]
    operations.set_gift_rules(amounts, is_on=body.is_on, courses=body.courses, by=actor())
    return GiftRulesAnswer.model_validate(queries.gift_rules())


@bp.get("/gifts/<uuid:gift_id>")
@endpoint()
def gifts_show(gift_id: UUID) -> GiftAnswer:
    """One gift, for its giver and for admins."""
    one = queries.get_given(gift_id)
    allow(policies.can_see_gift(actor(), one.gift))
    return _answer(one)


@bp.post("/gifts/<uuid:gift_id>/cancel")
@endpoint(money=True)
def gifts_cancel(gift_id: UUID) -> GiftAnswer:
    """Take a gift back, as long as its code is not used; the money returns to the wallet it came from."""
    one = queries.get_given(gift_id)
    allow(policies.can_see_gift(actor(), one.gift))
    operations.cancel_gift(one.gift, by=actor())
    return _answer(queries.get_given(gift_id))


def _answer(one: Given) -> GiftAnswer:
    return GiftAnswer(
        id=one.gift.id,
        number=one.gift.number,
        giver_id=one.gift.giver_id,
        course_id=one.gift.course_id,
        label=one.label,
        amount=Amount(minor=one.gift.amount_minor, currency=one.gift.currency),
        email=one.letter.email,
        name=one.letter.name,
        state=one.state,
        made_at=one.gift.made_at,
        send_at=one.letter.send_at,
        sent_at=one.letter.sent_at,
        cancelled_at=one.gift.cancelled_at,
    )
