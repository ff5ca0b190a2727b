"""Batches with codes one can redeem."""

from typing import Any

from lms.core.decisions import Actor
from lms.vouchers import operations
from lms.vouchers.operations import Issued, NewBatch
from tests.factories.people import root
from tests.factories.wallet import euros


def a_batch(count: int = 3, *, value: int = 10, by: Actor | None = None, seal: str | None = None, **wishes: Any) -> Issued:
    """A batch worth `value` euros a code, with its plain codes."""
    return operations.create_batch(NewBatch(label="Spring", value=euros(value), count=count, **wishes), seal=seal, by=by or root())
