"""What content does when facts happen."""

from lms.content import jobs, operations
from lms.content.events import AssetDeleted, AssetReceived, PosterWanted
from lms.core.events import on


@on(AssetReceived)
def process_it(fact: AssetReceived) -> None:
    """Hand the file to the media workers, once."""
    jobs.process.put({"asset_id": fact.asset_id}, key=f"asset:{fact.asset_id}")


@on(PosterWanted)
def draw_its_poster(fact: PosterWanted) -> None:
    """Have the picture drawn."""
    jobs.draw_poster.put({"asset_id": fact.asset_id, "seconds": fact.seconds})


@on(AssetDeleted, queue="bulk")
def purge_its_files(fact: AssetDeleted) -> None:
    """Take away what is stored of it."""
    operations.purge_files(fact.asset_id)
