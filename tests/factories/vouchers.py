"""Batches with codes one can redeem."""

from typing import Any

from lms.core.decisions import Actor
from lms.vouchers import operations
from lms.vouchers.operations import Issued, NewBatch
from tests.factories.people import root
from tests.factories.wallet import euros


def a_batch(count: int = 3, *, value: int = 10, by: Actor | None = None, seal: str | None = None, **wishes: Any) -> Issued:
    """A batch worth `value` euros a code (nothing for courses and percents), with its plain codes."""
    worth = euros(0 if wishes.get("kind") in ("course", "percent") else value)
    wishes.setdefault("label", "Spring")
    return operations.create_batch(NewBatch(value=worth, count=count, **wishes), seal=seal, by=by or root())
