"""How a lesson's video is watched: parts, stops, and its weight."""

from datetime import timedelta

from sqlalchemy.dialects.postgresql import Range

from lms.content.operations import set_prices
from lms.content.queries import get_asset
from lms.core import db
from lms.core.clock import now
from lms.enrollments import operations, queries
from lms.enrollments.models import LessonProgress
from lms.enrollments.operations.watching import Pass, Played
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.enrollments.test_beside import film
from tests.factories.people import root


def test_lessons_watching__shows_parts_stops_and_weight(as_sam: Browser, as_ada: Browser) -> None:
    lesson = film(as_sam)
    url = f"/admin/enrollments/lessons/{lesson.id}/watching"
    assert "Nobody has watched" in as_ada.get(url, status=200).words
    with db.unit_of_work(CHANNEL) as session:
        enrollment = queries.active_enrollment(as_sam.person.user_id, lesson.course_id)
        assert enrollment is not None
        row = LessonProgress(enrollment_id=enrollment.id, user_id=enrollment.user_id, lesson_id=lesson.id)
        row.watched, row.position_ms, row.watch_ms = [Range(0, 31_000), Range(60_000, 75_000)], 70_000, 92_000
        session.add(row)
        asset = get_asset(lesson.asset_id)  # type: ignore[arg-type]
        asset.made = {**asset.made, "sizes": [{"name": "240p", "bits": 400_000}, {"name": "sound", "bits": 128_000}]}
        session.flush()
        heat = queries.heat_of(lesson.id, 900.0)
        assert (heat.seconds, heat.watched[:6], heat.people, round(heat.again, 1)) == (15.0, [1, 1, 1, 0, 1, 0], 1, 2.0)
        assert [part for part, count in enumerate(heat.stopped) if count] == [4]
        began = now() - timedelta(minutes=5)
        watch = Pass(enrollment.id, enrollment.user_id, lesson.course_id, lesson.id, None, 900_000, began)
        for late in (False, True):  # seconds 25 to 31 were seen before; a report kept back is not believed to be another viewing
            operations.record_beat(watch, [Played(25_000, 40_000)], position_ms=40_000, by=as_sam.person, late=late)
        heat = queries.heat_of(lesson.id, 900.0)
        assert [round(one) for one in heat.again_seconds[:4]] == [0, 5, 1, 0]
    words = as_ada.get(url, status=200).words
    assert "What was watched again" in words and "2.0 times" in words and "240p" in words and "Sound only" in words
    with db.unit_of_work(CHANNEL):
        set_prices({"price_given": 90_000}, by=root())
    assert "0.54 for 100 viewings" in as_ada.get(url, status=200).words
    assert as_sam.get(url, check=False).status == 403
