"""Background work of auth."""

from lms.auth import operations
from lms.core.jobs import Every, job


@job(queue="bulk", every=Every(at="03:40"))
def forget_tokens() -> None:
    """Delete refresh tokens long past their time."""
    operations.forget_tokens()
