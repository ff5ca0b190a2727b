"""What courses do when something happens elsewhere."""

from uuid import UUID

from lms.content.events import AssetPlayable, AssetReady
from lms.core.decisions import the_platform
from lms.core.events import on
from lms.courses import operations, queries


@on(AssetPlayable)
def publish_what_plays(fact: AssetPlayable) -> None:
    """The lessons of a video that can be watched already learn its length, and those that waited are published."""
    _take_over(fact.asset_id)


@on(AssetReady)
def take_over_videos(fact: AssetReady) -> None:
    """The lessons of a video that has become ready learn its length, and those that waited are published."""
    _take_over(fact.asset_id)


def _take_over(asset_id: UUID) -> None:
    lessons = queries.lessons_using(asset_id)
    asset = queries.assets_of(lessons).get(asset_id)
    if asset is None:
        return
    for lesson in lessons:
        operations.take_over_video(lesson, asset, by=the_platform())
