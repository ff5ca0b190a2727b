"""Money with a date: listed, and given another last day."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from lms.wallet import operations, policies, queries
from lms.wallet.api.door import bp
from lms.wallet.models import Lot
from lms.wallet.reports import Lots
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, Moment, Rows, answer_rows, endpoint


class LotAnswer(Answer):
    """Money of one wallet that lasts until a moment: what came in, and what is left of it."""

    id: UUID
    account_id: UUID
    transaction_id: UUID
    amount: Amount
    left: Amount
    expires_at: datetime
    reason: str


class DateRequest(Body):
    """Until when the money lasts from now on, and why."""

    until: Moment
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@bp.get("/lots")
@endpoint(lists=Lots)
def lots() -> Rows:
    """Money with a date, wallet by wallet."""
    allow(policies.can_see_ledger(actor()))
    return answer_rows(Lots())


@bp.get("/lots/<uuid:lot_id>")
@endpoint()
def lots_show(lot_id: UUID) -> LotAnswer:
    """Money of one wallet with one last day."""
    lot = queries.get_lot(lot_id)
    allow(policies.can_see_ledger(actor()))
    return _answer(lot)


@bp.post("/lots/<uuid:lot_id>/date")
@endpoint(money=True)
def lots_date(lot_id: UUID, body: DateRequest) -> LotAnswer:
    """Give money another last day, for a reason the audit log keeps; there it can be taken back."""
    lot = queries.get_lot(lot_id)
    allow(policies.can_adjust(actor()))
    operations.change_date(lot, body.until, body.reason, by=actor())
    return _answer(queries.get_lot(lot_id))


def _answer(lot: Lot) -> LotAnswer:
    currency = queries.get_account(lot.account_id).currency
    return LotAnswer(
        id=lot.id,
        account_id=lot.account_id,
        transaction_id=lot.transaction_id,
        amount=Amount(minor=lot.amount_minor, currency=currency),
        left=Amount(minor=lot.left_minor, currency=currency),
        expires_at=lot.expires_at,
        reason=lot.reason,
    )
