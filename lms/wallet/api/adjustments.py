"""Adjustments: asked for, approved, refused, taken back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from lms.core.money import Money
from lms.wallet import operations, policies, queries
from lms.wallet.api.door import bp
from lms.wallet.reports import Adjustments
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Moment, Rows, answer_rows, endpoint, located


class NewAdjustment(Body):
    """Whose wallet, how much (below zero: take out), until when it lasts, and why; `id` makes sending it twice harmless."""

    id: UUID | None = None
    user_id: UUID
    amount: Amount
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    money_until: Moment | None = None


class Word(Body):
    """A word on a decision; whoever asked reads it."""

    word: Annotated[str, Field(max_length=500)] = ""


class AdjustmentAnswer(Answer):
    """An adjustment: `waiting` for another admin, `booked`, `refused` or `withdrawn`."""

    id: UUID
    user_id: UUID
    amount: Amount
    reason: str
    money_until: datetime | None
    state: str
    needs_second: bool
    requested_by: UUID | None
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    word: str


@bp.get("/adjustments")
@endpoint(lists=Adjustments)
def adjustments() -> Rows:
    """What was put in and taken out by hand, and what waits."""
    allow(policies.can_adjust(actor()))
    return answer_rows(Adjustments())


@bp.post("/adjustments")
@endpoint(status=201, money=True)
def adjustments_create(body: NewAdjustment) -> AdjustmentAnswer:
    """Adjust a wallet: booked at once, or waiting for another admin above the limit."""
    allow(policies.can_adjust(actor()))
    amount = Money(body.amount.minor, body.amount.currency)
    made = operations.request_adjustment(body.user_id, amount, body.reason, until=body.money_until, adjustment_id=body.id, by=actor())
    located(url_for(".adjustments_show", adjustment_id=made.id))
    return AdjustmentAnswer.model_validate(made)


@bp.get("/adjustments/<uuid:adjustment_id>")
@endpoint()
def adjustments_show(adjustment_id: UUID) -> AdjustmentAnswer:
    """One adjustment."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_adjust(actor()))
    return AdjustmentAnswer.model_validate(adjustment)


@bp.post("/adjustments/<uuid:adjustment_id>/approve")
@endpoint(money=True)
def adjustments_approve(adjustment_id: UUID, body: Word) -> AdjustmentAnswer:
    """Book a waiting adjustment, as the second person."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_decide(actor(), adjustment.requested_by))
    operations.approve_adjustment(adjustment, word=body.word, by=actor())
    return AdjustmentAnswer.model_validate(adjustment)


@bp.post("/adjustments/<uuid:adjustment_id>/refuse")
@endpoint(money=True)
def adjustments_refuse(adjustment_id: UUID, body: Word) -> AdjustmentAnswer:
    """Refuse a waiting adjustment, with a word to who asked."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_decide(actor(), adjustment.requested_by))
    operations.refuse_adjustment(adjustment, word=body.word, by=actor())
    return AdjustmentAnswer.model_validate(adjustment)


@bp.post("/adjustments/<uuid:adjustment_id>/withdraw")
@endpoint(money=True)
def adjustments_withdraw(adjustment_id: UUID) -> AdjustmentAnswer:
    """Take back what one asked for oneself."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_withdraw(actor(), adjustment.requested_by))
    operations.withdraw_adjustment(adjustment, by=actor())
    return AdjustmentAnswer.model_validate(adjustment)
