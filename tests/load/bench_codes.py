"""10,000 codes with their sheet: against generating the same codes and copying their rows, and against the clock."""

import time
from uuid import UUID

import psycopg

from lms.core import db
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.vouchers import operations as vouchers
from lms.vouchers.operations import NewBatch
from lms.vouchers.operations.codes import digests_of, make_codes, write
from lms.vouchers.operations.qr import Printer
from lms.vouchers.operations.sheets import PART, Words, sheet_pdf
from tests.factories import people
from tests.load.figure import Figure
from tests.load.stage import Stage

COLUMNS = "channel_id, id, batch_id, number, digest, last4, value_minor, max_uses"


def codes(stage: Stage, quick: bool) -> list[Figure]:
    """The best of a few runs each, and one sheet of cards."""
    count, runs = (2_000, 2) if quick else (10_000, 5)
    ours, batch_id = min((_create(stage, count) for _ in range(runs)), key=lambda found: found[0])
    floor = min(_floor(stage, count, batch_id) for _ in range(runs))
    words = Words("Academy", "#4f39f6", "€10.00", "https://learn.example/vouchers/redeem", "", "Scan, or type the code at", "No.")
    written, printer, began = [write(code, "BENCH") for code in make_codes(count)], Printer(), time.perf_counter()
    for first in range(0, count, PART):
        sheet_pdf(words, written[first : first + PART], first_number=first + 1, printer=printer)
    paper, limit = time.perf_counter() - began, 20 * count / 10_000
    ratio = ours / floor
    return [
        Figure(
            "codes",
            f"{count:,} codes",
            f"{ours:.2f} s",
            f"{floor:.2f} s (COPY)",
            f"ratio {ratio:.2f} (≤ 3), ≤ 2 s",
            ratio <= 3 and ours <= 2,
        ),
        Figure("sheet", f"sheet of {count:,} cards with QR codes", f"{paper:.1f} s", "", f"≤ {limit:.0f} s", paper <= limit),
    ]


def _create(stage: Stage, count: int) -> tuple[float, UUID]:
    with db.unit_of_work(stage.channel_id):
        admin = people.root()
    began = time.perf_counter()
    with db.unit_of_work(stage.channel_id):
        wish = NewBatch(label="Bench", value=Money(1000, "EUR"), count=count, prefix="BENCH")
        batch_id = vouchers.create_batch(wish, seal=uuid7().hex, by=admin).batch.id
    return time.perf_counter() - began, batch_id


def _floor(stage: Stage, count: int, batch_id: UUID) -> float:
    """The same codes made, and the same rows copied into a table with the same keys and no row-level security, which refuses COPY."""
    with psycopg.connect(stage.config.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS public.codes_floor (LIKE vouchers.codes INCLUDING ALL)")
        connection.commit()
        began = time.perf_counter()
        made = make_codes(count)
        with cursor.copy(f"COPY public.codes_floor ({COLUMNS}) FROM STDIN") as copy:
            for number, (code, digest) in enumerate(zip(made, digests_of(made), strict=True), 1):
                copy.write_row((stage.channel_id, uuid7(), batch_id, number, digest, code[-4:], 1000, 1))
        connection.commit()
        took = time.perf_counter() - began
        cursor.execute("DROP TABLE public.codes_floor")
        connection.commit()
    return took
