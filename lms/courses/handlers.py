"""What courses do when something happens elsewhere."""

from lms.content.events import AssetReady
from lms.core.decisions import the_platform
from lms.core.events import on
from lms.courses import operations, queries


@on(AssetReady)
def take_over_videos(fact: AssetReady) -> None:
    """The lessons of a video that has become ready learn its length, and those that waited are published."""
    lessons = queries.lessons_using(fact.asset_id)
    asset = queries.assets_of(lessons).get(fact.asset_id)
    if asset is None:
        return
    for lesson in lessons:
        operations.take_over_video(lesson, asset, by=the_platform())
