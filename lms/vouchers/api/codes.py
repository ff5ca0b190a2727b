"""Codes with their trail, redemptions, and redeeming."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import request
from pydantic import Field

from lms.core.clock import now
from lms.vouchers import operations, policies, queries
from lms.vouchers.api.door import bp
from lms.vouchers.models import Batch
from lms.vouchers.reports import Codes, Redemptions
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Rows, answer_rows, endpoint


class StepAnswer(Answer):
    """One step in a code's life."""

    state: str
    at: datetime
    actor_id: UUID | None
    actor_name: str
    note: str


class CodeAnswer(Answer):
    """One code by its last four symbols, with its trail."""

    id: UUID
    batch_id: UUID
    number: int
    last4: str
    state: str
    uses: int
    max_uses: int
    expires_at: datetime | None
    steps: list[StepAnswer]


class RedeemRequest(Body):
    """A code as it was typed or scanned."""

    code: Annotated[str, Field(min_length=1, max_length=120)]


class RedemptionAnswer(Answer):
    """What a code gave: an amount in the wallet, or the courses that are opened to me now."""

    id: UUID
    amount: Amount
    course_ids: list[UUID]
    at: datetime


@bp.get("/redemptions")
@endpoint(lists=Redemptions)
def redemptions() -> Rows:
    """Who used which code."""
    allow(policies.can_manage(actor()))
    return answer_rows(Redemptions())


@bp.get("/batches/<uuid:batch_id>/codes")
@endpoint(lists=Codes)
def batches_codes(batch_id: UUID) -> Rows:
    """The codes of a batch by their last four symbols."""
    batch: Batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    return answer_rows(Codes(batch))


@bp.get("/codes")
@endpoint(lists=Codes)
def codes() -> Rows:
    """Every code of every batch."""
    allow(policies.can_manage(actor()))
    return answer_rows(Codes())


@bp.get("/codes/<uuid:code_id>")
@endpoint()
def codes_show(code_id: UUID) -> CodeAnswer:
    """The trail of one code."""
    code = queries.get_code(code_id)
    allow(policies.can_manage(actor()))
    return CodeAnswer(
        id=code.id,
        batch_id=code.batch_id,
        number=code.number,
        last4=code.last4,
        state=code.state_on(now()),
        uses=code.uses,
        max_uses=code.max_uses,
        expires_at=code.expires_at,
        steps=[StepAnswer.model_validate(step) for step in queries.trail_of(code.id)],
    )


@bp.post("/redeem")
@endpoint(money=True)
def redeem(body: RedeemRequest) -> RedemptionAnswer:
    """Put a code's value into my wallet, or open its courses to me."""
    allow(policies.can_redeem(actor()))
    made = operations.redeem(body.code, by=actor(), address=request.remote_addr or "")
    amount = Amount(minor=made.amount_minor, currency=made.currency)
    return RedemptionAnswer(id=made.id, amount=amount, course_ids=queries.course_ids_of(made.batch_id), at=made.at)
