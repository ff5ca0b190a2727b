"""Places that a voucher gave and that were gone: what becomes of their people."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from lms.core.money import Money
from lms.enrollments import operations, policies, queries
from lms.enrollments.api.door import bp
from lms.enrollments.operations import Settlement
from lms.wallet.policies import can_adjust
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Body, endpoint


class PlaceAnswer(Answer):
    """Somebody whose code gave a place that was gone; `settled_as` is "" while it waits, then moved, kept or paid."""

    id: UUID
    enrollment_id: UUID
    batch_id: UUID
    noted_at: datetime
    settled_at: datetime | None
    settled_by: UUID | None
    settled_as: str


class SettleRequest(Body):
    """What becomes of it: another `batch` (with `batch_id`), `without` any, or `money` back (with an `amount` and a
    `reason`, which the person reads), which ends the access.
    """

    act: Annotated[Literal["batch", "without", "money"], Field(examples=["batch"])]
    batch_id: Annotated[UUID | None, Field(examples=["019395f0-1c00-7000-8000-000000000001"])] = None
    amount: Amount | None = None
    reason: Annotated[str, Field(max_length=500, examples=["Your batch was full when the code was used."])] = ""


@bp.get("/places/<uuid:place_id>")
@endpoint()
def places_show(place_id: UUID) -> PlaceAnswer:
    """One missed place."""
    missed = queries.get_missed_place(place_id)
    allow(policies.can_manage(actor()))
    return PlaceAnswer.model_validate(missed)


@bp.post("/places/<uuid:place_id>/settle")
@endpoint(money=True)
def places_settle(place_id: UUID, body: SettleRequest) -> PlaceAnswer:
    """Settle a missed place one way of three; the same way twice is once."""
    missed = queries.get_missed_place(place_id)
    allow(policies.can_manage(actor()))
    if body.act == "money":
        allow(can_adjust(actor()))
    operations.settle_missed_place(missed, _wish(body), by=actor())
    return PlaceAnswer.model_validate(queries.get_missed_place(place_id))


def _wish(body: SettleRequest) -> Settlement:
    amount = Money(body.amount.minor, body.amount.currency) if body.amount else None
    return Settlement(body.act, body.batch_id, amount, body.reason)
