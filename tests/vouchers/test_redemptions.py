"""Money of a voucher that lasts so many days."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.core.clock import now
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.vouchers import operations, queries
from lms.wallet import operations as wallet
from lms.wallet.queries import dated_of, ledger_faults
from tests.factories.people import sam
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros


def test_redeem__of_money_with_a_date_lasts_so_many_days_and_the_batch_says_what_became_of_it(work: Session) -> None:
    until = now() + timedelta(days=3)
    for wish in ({"money_days": 5, "money_until": until}, {"money_until": until}, {"kind": "course", "money_days": 3}, {"money_days": 0}):
        with pytest.raises(Invalid):
            a_batch(1, **wish)  # type: ignore[arg-type]
    issued, student = a_batch(3, money_days=30), sam()
    operations.redeem(issued.codes[0], by=student)
    (dated,) = dated_of(student.user_id)
    assert timedelta(days=30) < dated.until - now() <= timedelta(days=31) and dated.amount == euros(10)
    wallet.debit(student.user_id, euros(4), source="order", reference_id=uuid7(), by=student)
    work.execute(text("UPDATE wallet.lots SET expires_at = now() - interval '1 second'"))
    wallet.expire_money()
    operations.redeem(issued.codes[1], by=student)
    after = queries.reconcile(issued.batch).after
    assert after is not None and (after.came, after.spent, after.expired, after.held) == (euros(20), euros(4), euros(6), euros(10))
    assert queries.reconcile(issued.batch).faults == () and queries.voucher_faults() == [] and ledger_faults() == []
