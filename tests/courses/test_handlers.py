"""What courses do when a video has become ready."""

from lms.content.events import AssetReady
from lms.content.models import Asset
from lms.core import db
from lms.core.events import emit
from lms.core.ids import uuid7
from lms.courses import operations, queries
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course, a_file, a_lesson
from tests.factories.people import ada


def test_take_over_videos__sets_the_length_and_publishes_what_waited(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=0)
        asset = a_file(state="processing")
        waiting = a_lesson(course, kind="video", asset=asset, published=False)
        draft = a_lesson(course, kind="video", asset=asset, published=False)
        operations.publish_lesson(waiting, by=ada(), when_ready=True)
    with db.unit_of_work(CHANNEL) as session:
        ready = session.get_one(Asset, asset.id)
        ready.state, ready.duration_seconds = "ready", 12.6
        emit(AssetReady(asset_id=asset.id, kind="video"))
        emit(AssetReady(asset_id=asset.id, kind="video"))
        emit(AssetReady(asset_id=uuid7(), kind="video"))
    run_jobs()
    assert outbox_errors() == []
    with db.unit_of_work(CHANNEL):
        assert queries.get_lesson(waiting.id).is_published and queries.get_lesson(waiting.id).duration_seconds == 13
        assert queries.get_lesson(draft.id).status == "draft" and queries.get_lesson(draft.id).duration_seconds == 13
