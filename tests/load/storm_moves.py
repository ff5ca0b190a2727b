"""A process that moves money, for the storm of the ledger: `python -m tests.load.storm_moves` reads what it is to do as JSON.

It makes visits: some acts of one person in one transaction, by the product's own operations; or, because a million is many, some hundred
moves by the one statement with which all of them move money. After the commit of a visit its line goes into a journal. Who takes the place of a killed process begins with the first visit that has no line, and does it again with the same references.
"""

import json
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError  # fmt: skip
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lms.app import connect
from lms.channels.queries import actor_of_user
from lms.config import Config
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.payments import operations as payments
from lms.payments.models import Order, Refund
from lms.payments.queries import get_order
from lms.vouchers import operations as vouchers
from lms.wallet import operations as wallet
from lms.wallet.models import account_id_of
from lms.wallet.operations import moving

ACTS = 16  # of one visit
OWN = {"top_up": 30, "take": 22, "pay": 16, "refund": 10, "undo": 6, "adjust": 6, "redeem": 8, "expire": 2}
COMMON = {"top_up": 50, "take": 48, "expire": 2}
GATHERED = 12  # multi-leg moves of one visit
QUICK = 400  # moves of one visit that are made by the ledger's own statement alone, many at a time
STATEMENT = re.sub(r"(?<!:):(\w+)", r"%(\1)s", moving.POST.text)
MADE = """
    SELECT count(*), coalesce(-sum(e.amount_minor), 0) FROM wallet.transactions t
    JOIN wallet.entries e ON e.channel_id = t.channel_id AND e.transaction_id = t.id AND e.account_id = %s
    WHERE t.channel_id = %s AND t.source = 'card' AND t.reference_id = ANY(%s)
"""
NOTE = "storm {place} {visit}"


@dataclass(slots=True)
class Mover:
    """One process: its place among them, whom it serves alone, and what all share."""

    place: int
    seed: int
    channel_id: UUID
    people: list[UUID]
    mine: list[UUID]
    courses: list[UUID]
    codes: list[str]
    admin: UUID
    visit: int = 0

    def make(self) -> tuple[int, int]:
        """One visit; how many moves of a card it made (again), and what they came to."""
        dice = random.Random(f"{self.seed}:{self.place}:{self.visit}")
        kind = dice.choices(("quick", "own", "common", "gathering", "sweep"), (48, 26, 22, 3.9, 0.1))[0]
        with db.unit_of_work(self.channel_id):
            if kind == "sweep":
                wallet.expire_money()
                return 0, 0
            if kind == "quick":
                return self.move_many(self._somebody(dice, self.people), dice)
            if kind == "gathering":
                return self._several([lambda turn=turn: self.gather(self._dice(turn), self._reference(turn)) for turn in range(GATHERED)])
            person = actor_of_user(self._somebody(dice, self.mine if kind == "own" else self.people))
            odds = OWN if kind == "own" else COMMON
            names = dice.choices(list(odds), list(odds.values()), k=ACTS)
            acts = [
                lambda turn=turn, name=name: getattr(self, name)(person, self._dice(turn), self._reference(turn))
                for turn, name in enumerate(names)
            ]
            return self._several(acts)

    def _several(self, acts: list[Any]) -> tuple[int, int]:
        """Acts one after the other; one that is refused leaves everything as it was."""
        count = total = 0
        for act in acts:
            try:
                with db.session().begin_nested():
                    moved = act()
            except Refusal:
                continue
            count, total = count + bool(moved), total + (moved or 0)
        return count, total

    def move_many(self, user_id: UUID, dice: random.Random) -> tuple[int, int]:
        """Many moves of one wallet and a card, by the statement all operations move money with; how many there are, and what they came to."""
        wallet_id, card = (account_id_of(self.channel_id, kind, who, "EUR") for kind, who in (("student", user_id), ("clearing", None)))
        fixed = {
            "channel": self.channel_id,
            "currency": "EUR",
            "source": "card",
            "note": self.note,
            "actor": user_id,
            "actor_kind": "person",
        }
        moves = []
        for turn in range(QUICK):
            amount, until = dice.choice((1, 1, -1)) * dice.randint(1, 900), now() + timedelta(days=40) if dice.random() < 0.1 else None
            moves.append(
                {
                    **fixed,
                    "id": uuid7(),
                    "ids": [uuid7(), uuid7()],
                    "accounts": [wallet_id, card],
                    "amounts": [amount, -amount],
                    "reference": self._reference(turn),
                    "at": now(),
                    "mirrors": None,
                    "until": until if amount > 0 else None,
                }
            )
        with db.work().driver.cursor() as cursor:
            cursor.executemany(STATEMENT, moves)
            count, total = cursor.execute(MADE, (card, self.channel_id, [one["reference"] for one in moves])).fetchone()  # type: ignore[misc]
        return int(count), int(total)

    def _somebody(self, dice: random.Random, people: list[UUID]) -> UUID:
        """A person; one in five visits is to one of five, so that many meet in few wallets."""
        return dice.choice(people[:5] if dice.random() < 0.2 else people)

    def _dice(self, turn: int) -> random.Random:
        return random.Random(f"{self.seed}:{self.place}:{self.visit}:{turn}")

    def _reference(self, turn: int) -> UUID:
        return uuid5(self.channel_id, f"{self.seed}:{self.place}:{self.visit}:{turn}")

    @property
    def note(self) -> str:
        """What the moves of a card are called, so that they can be counted."""
        return NOTE.format(place=self.place, visit=self.visit)

    def top_up(self, person: Actor, dice: random.Random, reference: UUID) -> int:
        """Money comes in by card, some of it for some seconds, some for some days."""
        amount, lasts = (
            dice.randint(1, 4000),
            dice.choice((None, None, None, None, timedelta(seconds=dice.randint(1, 90)), timedelta(days=30))),
        )
        dating = wallet.Dating(until=now() + lasts if lasts else None)
        wallet.credit(_id(person), Money(amount, "EUR"), source="card", reference_id=reference, note=self.note, by=person, dating=dating)
        return amount

    def take(self, person: Actor, dice: random.Random, reference: UUID) -> int:
        """Money goes back to the card."""
        amount = dice.randint(1, 4500)
        wallet.debit(_id(person), Money(amount, "EUR"), source="card", reference_id=reference, note=self.note, by=person)
        return -amount

    def gather(self, dice: random.Random, reference: UUID) -> int:
        """One transaction over four wallets, of which two give; the rest comes by card."""
        chosen = dice.sample(self.people, 4)
        amounts = [dice.randint(1, 900), dice.randint(1, 900), -dice.randint(1, 900), -dice.randint(1, 900)]
        outside = -sum(amounts)
        if outside == 0:
            return 0
        legs = [wallet.Leg("student", amount, who) for who, amount in zip(chosen, amounts, strict=True)]
        legs.append(wallet.Leg("clearing", outside))
        by = actor_of_user(self.admin)
        wallet.post(legs, "EUR", source="card", reference_id=reference, note=self.note, by=by)
        return -outside

    def pay(self, person: Actor, dice: random.Random, _reference: UUID) -> None:
        """A course out of the wallet; one that is paid already is not paid twice."""
        payments.pay_from_wallet(_id(person), dice.choice(self.courses), Money(dice.randint(1, 3000), "EUR"), by=person)

    def refund(self, person: Actor, dice: random.Random, reference: UUID) -> None:
        """An order of theirs, or a part of it, comes back; some of what expired gets a new day."""
        orders = select(Order.id).where(Order.user_id == person.user_id, Order.status == "paid", Order.closed_at.is_(None)).limit(5)
        found = db.session().scalars(orders).all()
        if found:
            order = get_order(dice.choice(found))
            left = order.refundable.minor
            amount = Money(left if dice.random() < 0.6 or left < 2 else dice.randint(1, left), "EUR")
            until = now() + timedelta(days=9) if dice.random() < 0.3 else None
            payments.refund_order(order, amount, "Wrong course", money_until=until, refund_id=reference, by=actor_of_user(self.admin))

    def undo(self, person: Actor, dice: random.Random, _reference: UUID) -> None:
        """A refund of theirs is taken back."""
        refunds = select(Refund).where(Refund.user_id == person.user_id, Refund.undone_at.is_(None)).order_by(Refund.id.desc()).limit(3)
        found = db.session().scalars(refunds).all()
        if found:
            payments.undo_refund(dice.choice(found), by=actor_of_user(self.admin))

    def adjust(self, person: Actor, dice: random.Random, reference: UUID) -> None:
        """An admin puts something in, or takes it out."""
        amount = Money(dice.choice((1, -1)) * dice.randint(1, 2000), "EUR")
        wallet.request_adjustment(_id(person), amount, "By hand", adjustment_id=reference, by=actor_of_user(self.admin))

    def redeem(self, person: Actor, dice: random.Random, _reference: UUID) -> None:
        """A voucher; the same one again gives nothing."""
        vouchers.redeem(dice.choice(self.codes), by=person)

    def expire(self, person: Actor, _dice: random.Random, _reference: UUID) -> None:
        """What has expired in the wallet is booked away."""
        wallet.expire_money([account_id_of(self.channel_id, "student", _id(person), "EUR")])


def _id(person: Actor) -> UUID:
    assert person.user_id is not None
    return person.user_id


def main() -> None:
    """Visit after visit until the process is ended; a visit that met a dead server or a deadlock is made again."""
    plan = json.load(sys.stdin)
    connect(Config.load())
    ids = {name: [UUID(one) for one in plan[name]] for name in ("people", "mine", "courses")}
    mover = Mover(
        plan["place"], plan["seed"], UUID(plan["channel"]), **ids, codes=plan["codes"], admin=UUID(plan["admin"]), visit=plan["visit"]
    )
    journal = os.open(plan["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    again = 0
    while True:
        try:
            count, total = mover.make()
        except (DBAPIError, PoolTimeout, psycopg.Error):
            again += 1
            time.sleep(0.1)
            continue
        os.write(journal, f"{mover.visit} {count} {total} {again}\n".encode())
        mover.visit, again = mover.visit + 1, 0


if __name__ == "__main__":
    main()
