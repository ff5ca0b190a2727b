"""What search does by itself."""

from lms.core.jobs import Every, job
from lms.search import operations


@job(queue="bulk", lease_seconds=600, every=Every(at="03:40"))
def rebuild() -> None:
    """Make the read model again each night, so that a name or word that changed without a fact is found too."""
    operations.rebuild()
