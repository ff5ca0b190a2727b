"""10,000 codes with their sheet, against generating the same codes and copying their rows, and against the clock; and the races:
500 people at one code, 200 purchases from one wallet, which come out exactly right each time.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
from sqlalchemy import text

from lms.core import db
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.vouchers import operations as vouchers
from lms.vouchers.operations import NewBatch
from lms.vouchers.operations.codes import digests_of, make_codes, write
from lms.vouchers.operations.qr import Printer
from lms.vouchers.operations.sheets import PART, Words, sheet_pdf
from lms.vouchers.queries import reconcile
from lms.wallet import operations as wallet
from lms.wallet.queries import balance_of
from tests.factories import people
from tests.load.figure import Figure
from tests.load.stage import Stage, work_seconds

HANDS = 10  # at once, each with a connection of its own; the others wait for a hand, as they would for a web process
COLUMNS = "channel_id, id, batch_id, number, digest, last4, value_minor, max_uses"


def codes(stage: Stage, quick: bool) -> list[Figure]:
    """The best of a few runs each, and one sheet of cards."""
    count, runs = (2_000, 2) if quick else (10_000, 5)
    ours, work, batch_id = min((_create(stage, count) for _ in range(runs)), key=lambda found: found[0])
    floor, least = min(_floor(stage, count, batch_id) for _ in range(runs))
    words = Words("Academy", "#4f39f6", "€10.00", "https://learn.example/vouchers/redeem", "", "Scan, or type the code at", "No.")
    written, printer, began = [write(code, "BENCH") for code in make_codes(count)], Printer(), time.perf_counter()
    ink = work_seconds(stage)
    for first in range(0, count, PART):
        sheet_pdf(words, written[first : first + PART], first_number=first + 1, printer=printer)
    paper, ink, limit = time.perf_counter() - began, work_seconds(stage) - ink, 20 * count / 10_000
    ratio = ours / floor
    return [
        Figure(
            "codes",
            f"{count:,} codes",
            f"{ours:.2f} s, {work:.2f} s CPU",
            f"{floor:.2f} s, {least:.2f} s CPU (COPY)",
            f"ratio {ratio:.2f} (≤ 3), ≤ 2 s",
            ratio <= 3 and ours <= 2,
        ),
        Figure(
            "sheet", f"sheet of {count:,} cards with QR codes", f"{paper:.1f} s, {ink:.1f} s CPU", "", f"≤ {limit:.0f} s", paper <= limit
        ),
        *_races(stage, repeats=2 if quick else 20),
    ]


def _races(stage: Stage, repeats: int) -> list[Figure]:
    """Many at once, again and again; a race is won when every repeat came out right to the last unit."""
    crowd = _crowd(stage, 500)
    found = []
    for key, label, race in (
        ("race codes", "500 people at one code", lambda: _one_code(stage, crowd)),
        ("race wallet", "200 purchases from one wallet that holds about 78 of them", lambda: _one_wallet(stage, crowd[0])),
    ):
        began = time.perf_counter()
        right = sum(race() for _ in range(repeats))
        took = (time.perf_counter() - began) / repeats
        found.append(Figure(key, label, f"{right} of {repeats} right, {took:.1f} s each", "", "all", right == repeats))
    return found


def _crowd(stage: Stage, count: int) -> list[Actor]:
    """People of the academy, as many as wanted."""
    with db.unit_of_work(stage.channel_id) as session:
        rows = session.execute(
            text("SELECT id, name, email FROM channels.members WHERE role = 'student' ORDER BY id LIMIT :count"), {"count": count}
        ).all()
    assert len(rows) == count, "the stage has too few people for this race"
    return [Actor(user_id=row.id, name=row.name, email=row.email, role="student", channel_id=stage.channel_id) for row in rows]


def _at_once(acts: list[Callable[[], object]], channel_id: object) -> int:
    """How many of the acts were done, each in a unit of work of its own."""

    def run(act: Callable[[], object]) -> bool:
        try:
            with db.unit_of_work(channel_id):  # type: ignore[arg-type]
                act()
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(HANDS) as pool:
        return sum(pool.map(run, acts))


def _one_code(stage: Stage, crowd: list[Actor]) -> bool:
    with db.unit_of_work(stage.channel_id):
        made = vouchers.create_batch(NewBatch(label="Race", value=Money(100, "EUR"), count=1), by=people.root())
    code = made.codes[0]
    won = _at_once([lambda person=person: vouchers.redeem(code, by=person) for person in crowd], stage.channel_id)  # type: ignore[misc]
    with db.unit_of_work(stage.channel_id):
        return won == 1 and reconcile(made.batch).faults == ()


def _one_wallet(stage: Stage, buyer: Actor) -> bool:
    assert buyer.user_id is not None
    with db.unit_of_work(stage.channel_id):
        held = balance_of(buyer.user_id, "EUR").minor
        wallet.credit(buyer.user_id, Money(7_700 + 100 - held % 100, "EUR"), source="adjustment", reference_id=uuid7(), by=buyer)
        most = balance_of(buyer.user_id, "EUR").minor // 100

    def buy() -> object:
        return wallet.debit(buyer.user_id, Money(100, "EUR"), source="order", reference_id=uuid7(), by=buyer)  # type: ignore[arg-type]

    won = _at_once([buy] * 200, stage.channel_id)
    with db.unit_of_work(stage.channel_id):
        return won == min(200, most) and balance_of(buyer.user_id, "EUR").minor == (most - won) * 100


def _create(stage: Stage, count: int) -> tuple[float, float, UUID]:
    with db.unit_of_work(stage.channel_id):
        admin = people.root()
    began, work = time.perf_counter(), work_seconds(stage)
    with db.unit_of_work(stage.channel_id):
        wish = NewBatch(label="Bench", value=Money(1000, "EUR"), count=count, prefix="BENCH")
        batch_id = vouchers.create_batch(wish, seal=uuid7().hex, by=admin).batch.id
    return time.perf_counter() - began, work_seconds(stage) - work, batch_id


def _floor(stage: Stage, count: int, batch_id: UUID) -> tuple[float, float]:
    """The same codes made, and the same rows copied into a table with the same keys and no row-level security, which refuses COPY."""
    with psycopg.connect(stage.config.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS public.codes_floor (LIKE vouchers.codes INCLUDING ALL)")
        connection.commit()
        began, work = time.perf_counter(), work_seconds(stage)
        made = make_codes(count)
        with cursor.copy(f"COPY public.codes_floor ({COLUMNS}) FROM STDIN") as copy:
            for number, (code, digest) in enumerate(zip(made, digests_of(made), strict=True), 1):
                copy.write_row((stage.channel_id, uuid7(), batch_id, number, digest, code[-4:], 1000, 1))
        connection.commit()
        took = time.perf_counter() - began, work_seconds(stage) - work
        cursor.execute("DROP TABLE public.codes_floor")
        connection.commit()
    return took
