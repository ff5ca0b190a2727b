"""Codes with their trail: who used them, and what voiding would touch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, text

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.vouchers.models import OPEN_STATES, Batch, Code, Redemption, Step
from lms.wallet.models import Transaction
from lms.wallet.queries import causes_are_called

REDEEMED = select(Batch.label).join(Redemption, Redemption.batch_id == Batch.id).where(Redemption.id == Transaction.reference_id)
causes_are_called("voucher", REDEEMED.correlate(Transaction).scalar_subquery())


@dataclass(slots=True)
class Found:
    """A code with its batch, and the redemption of the person who asks, if there is one."""

    code: Code
    batch: Batch
    mine: Redemption | None

    @property
    def value(self) -> Money:
        """What one use of this very code is worth."""
        return Money(self.code.value_minor, self.batch.currency)


@dataclass(frozen=True, slots=True)
class Use:
    """One redemption with the ledger's transaction."""

    redemption: Redemption
    transaction_id: UUID | None


def get_code(code_id: UUID) -> Code:
    """One code of this channel, as it is now."""
    found = db.session().scalars(select(Code).where(Code.id == code_id).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such code here."))
    return found


def lock_code(code_id: UUID) -> Code:
    """The same, locked until the end of the transaction."""
    query = select(Code).where(Code.id == code_id).with_for_update().execution_options(populate_existing=True)
    return db.session().scalars(query).one()


def find_code(digest: bytes, user_id: UUID) -> Found | None:
    """The code of a digest as it is now, with its batch and this person's redemption of it."""
    return _find(Code.digest == digest, user_id)


def find_code_by_id(code_id: UUID, user_id: UUID) -> Found | None:
    """The same by the code's id."""
    return _find(Code.id == code_id, user_id)


def _find(which: Any, user_id: UUID) -> Found | None:
    query = (
        select(Code, Batch, Redemption)
        .join(Batch, Batch.id == Code.batch_id)
        .outerjoin(Redemption, and_(Redemption.code_id == Code.id, Redemption.user_id == user_id))
        .where(which)
        .execution_options(populate_existing=True)
    )
    row = db.session().execute(query).one_or_none()
    return Found(*row) if row else None


def get_redemption(redemption_id: UUID) -> Redemption:
    """One redemption."""
    found = db.session().scalars(select(Redemption).where(Redemption.id == redemption_id)).one_or_none()
    if found is None:
        raise NotFound(_("Nothing was redeemed under this address."))
    return found


def times_redeemed(batch_id: UUID, user_id: UUID) -> int:
    """How often a person has redeemed codes of a batch."""
    query = select(func.count()).where(Redemption.batch_id == batch_id, Redemption.user_id == user_id)
    return db.session().scalar(query.select_from(Redemption)) or 0


def trail_of(code_id: UUID) -> list[Step]:
    """The steps of a code after its making, oldest first."""
    return list(db.session().scalars(select(Step).where(Step.code_id == code_id).order_by(Step.at, Step.id)))


def uses_of(code_id: UUID, most: int = 50) -> list[Use]:
    """Who used a code, the newest first, each with the id of the ledger's transaction."""
    rows = (
        db.session()
        .execute(
            text(
                "SELECT r.id, t.id AS transaction_id FROM vouchers.redemptions r LEFT JOIN wallet.transactions t"
                " ON t.channel_id = r.channel_id AND t.source = 'voucher' AND t.reference_id = r.id WHERE r.code_id = :code"
            ),
            {"code": code_id},
        )
        .all()
    )
    booked = {row.id: row.transaction_id for row in rows}
    found = db.session().scalars(
        select(Redemption).where(Redemption.code_id == code_id).order_by(Redemption.at.desc(), Redemption.id).limit(most)
    )
    return [Use(redemption, booked.get(redemption.id)) for redemption in found]


def find_code_id(batch_id: UUID, number: int) -> UUID:
    """The id of the code with that number in its batch."""
    return db.session().scalars(select(Code.id).where(Code.batch_id == batch_id, Code.number == number)).one()


@dataclass(frozen=True, slots=True)
class Touched:
    """What voiding would touch: open codes, and the minor units that are still on them."""

    count: int
    minor: int


def unused_of(batch_id: UUID) -> Touched:
    """How many codes nobody has used yet can still be redeemed, and what they are worth."""
    return open_among(batch_id, unused=True)


def open_among(batch_id: UUID, code_ids: Sequence[UUID] | None = None, *, unused: bool = False) -> Touched:
    """How many codes of a batch (or of those named) are still to be redeemed, and what they are worth."""
    query = select(func.count(), func.coalesce(func.sum((Code.max_uses - Code.uses) * Code.value_minor), 0)).where(
        Code.batch_id == batch_id, Code.state.in_(OPEN_STATES)
    )
    if code_ids is not None:
        query = query.where(Code.id.in_(code_ids))
    if unused:
        query = query.where(Code.uses == 0)
    count, minor = db.session().execute(query).one()
    return Touched(count, int(minor))
