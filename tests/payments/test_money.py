"""The whole of money at once: whatever people do in whatever order, the books and the batches stay right (I1–I4, I6)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor, the_platform
from lms.core.errors import Refusal
from lms.core.money import Money
from lms.core.redis import redis
from lms.payments import operations as payments
from lms.payments.models import Refund
from lms.payments.queries import get_order, live_order
from lms.vouchers import operations as vouchers
from lms.vouchers import queries
from lms.vouchers.operations import NewBatch
from lms.wallet import operations as wallet
from lms.wallet.models import Adjustment
from lms.wallet.queries import balance_of, book_faults, house_balance
from tests.conftest import CHANNEL
from tests.factories.people import a_person, a_student, root

ACTS = st.one_of(
    st.tuples(st.just("create"), st.integers(1, 4), st.integers(1, 5000), st.integers(1, 3), st.none() | st.integers(1, 2)),
    st.tuples(st.just("redeem"), st.integers(0, 2), st.integers(0, 20)),
    st.tuples(st.just("pay"), st.integers(0, 2), st.integers(0, 4), st.integers(0, 9000)),
    st.tuples(st.just("refund"), st.integers(0, 20), st.integers(0, 9000)),
    st.tuples(st.just("undo"), st.integers(0, 20)),
    st.tuples(st.just("adjust"), st.integers(0, 2), st.integers(-3000, 12000)),
    st.tuples(st.just("decide"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("expire"), st.integers(0, 20)),
    st.tuples(st.just("void"), st.integers(0, 20)),
    st.tuples(st.just("hand_out"), st.integers(0, 20)),
    st.tuples(st.just("sweep")),
)
COURSES = [UUID(int=number + 1) for number in range(5)]


class World:
    """What has happened so far, and what people should hold."""

    def __init__(self) -> None:
        self.admin = root()
        self.second = a_person("Ruth Second", "admin", "ruth@example.org")
        self.orders: list[tuple[int, UUID]] = []
        self.refunds: list[tuple[int, Refund]] = []
        self.adjustments: list[tuple[int, Adjustment]] = []
        self.people: list[Actor] = [a_student(f"Person {number}") for number in range(3)]
        self.codes: list[str] = []
        self.batches: list[Any] = []
        self.held = [0, 0, 0]

    def do(self, act: str, *how: Any) -> None:
        """Try one act; a refusal leaves everything as it was."""
        try:
            with db.session().begin_nested():
                getattr(self, act)(*how)
        except Refusal:
            pass
        redis().flushdb()

    def create(self, count: int, minor: int, uses: int, limit: int | None) -> None:
        wish = NewBatch(
            label="B", value=Money(minor, "EUR"), count=count, uses_per_code=uses, per_person=limit, expires_at=now() + timedelta(days=9)
        )
        made = vouchers.create_batch(wish, by=self.admin)
        self.batches.append(made.batch)
        self.codes += made.codes

    def redeem(self, who: int, which: int) -> None:
        if self.codes:
            before = self._redemptions(who)
            redemption = vouchers.redeem(self.codes[which % len(self.codes)], by=self.people[who])
            if self._redemptions(who) > before:
                self.held[who] += redemption.amount_minor

    def _redemptions(self, who: int) -> int:
        count = text("SELECT count(*) FROM vouchers.redemptions WHERE user_id = :id")
        return int(db.session().execute(count, {"id": self.people[who].user_id}).scalar_one())

    def pay(self, who: int, course: int, minor: int) -> None:
        had = live_order(self.people[who].user_id, COURSES[course])
        order = payments.pay_from_wallet(self.people[who].user_id, COURSES[course], Money(minor, "EUR"), by=self.people[who])
        if had is None:
            self.orders.append((who, order.id))
            self.held[who] -= minor

    def refund(self, which: int, minor: int) -> None:
        if self.orders:
            who, order_id = self.orders[which % len(self.orders)]
            order = get_order(order_id)
            amount = Money(minor or order.refundable.minor, "EUR")
            self.refunds.append((who, payments.refund_order(order, amount, "Wrong course", by=self.admin)))
            self.held[who] += amount.minor

    def undo(self, which: int) -> None:
        if self.refunds:
            who, refund = self.refunds[which % len(self.refunds)]
            payments.undo_refund(refund, by=self.admin)
            self.held[who] -= refund.amount_minor

    def adjust(self, who: int, minor: int) -> None:
        made = wallet.request_adjustment(self.people[who].user_id, Money(minor, "EUR"), "By hand", by=self.admin)
        self.adjustments.append((who, made))
        self.held[who] += 0 if made.is_waiting else minor

    def decide(self, which: int, approves: bool) -> None:
        if self.adjustments:
            who, made = self.adjustments[which % len(self.adjustments)]
            if approves:
                wallet.approve_adjustment(made, by=self.second)
                self.held[who] += made.amount_minor
            else:
                wallet.refuse_adjustment(made, word="No", by=self.second)

    def expire(self, which: int) -> None:
        if self.batches:
            past = text("UPDATE vouchers.codes SET expires_at = now() - interval '1 second' WHERE batch_id = :id")
            db.session().execute(past, {"id": self.batches[which % len(self.batches)].id})

    def void(self, which: int) -> None:
        if self.batches:
            vouchers.void_codes(self.batches[which % len(self.batches)], reason="x", by=self.admin)

    def hand_out(self, which: int) -> None:
        if self.batches:
            vouchers.mark_handed_out(self.batches[which % len(self.batches)], "printed", by=self.admin)

    def sweep(self) -> None:
        vouchers.expire_codes(by=the_platform(CHANNEL))

    def check(self) -> None:
        """Every equation holds, and people hold what they should."""
        assert book_faults() == []
        for batch in self.batches:
            assert queries.reconcile(batch).faults == ()
        assert [balance_of(person.user_id).minor for person in self.people] == self.held
        outside = sum(house_balance(kind, "EUR").minor for kind in ("vouchers", "revenue", "adjustments"))
        assert sum(self.held) + outside == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=25))
def test_money__is_right_after_any_sequence_of_acts(acts: list[tuple[Any, ...]], connection: sa.Connection) -> None:
    outer = connection.begin_nested()
    try:
        with db.unit_of_work(CHANNEL) as session:
            world = World()
            for act in acts:
                world.do(*act)
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            world.check()
    finally:
        outer.rollback()
