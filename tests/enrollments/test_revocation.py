"""Rights end at once: page, report, media of this browser and of another; and the page stays light."""

import gzip
import io
import re
from uuid import UUID

from lms.config import ROOT
from lms.core import db
from lms.core.storage import storage
from lms.courses import queries as courses
from lms.courses.models import Lesson
from lms.enrollments import operations, queries
from lms.enrollments.events import EnrollmentEnded
from lms.enrollments.handlers import shut_the_media
from lms.web.assets import manifest
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.courses import a_course, a_file, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, root

LIGHT = 60_000


def a_stored_film(browser: Browser) -> tuple[Lesson, UUID]:
    """A film whose file is in the store, and the browser's person's enrolment in its course."""
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=3, published=True)
        asset = a_file()
        folder = f"{asset.folder}/{asset.id.hex}"
        storage().put(f"{folder}/video.mp4", io.BytesIO(b"\0" * 5000), "video/mp4")
        asset.folder, asset.mp4_key, asset.poster_key = folder, f"{folder}/video.mp4", None
        lesson = a_lesson(course, title="A film", kind="video", asset=asset)
        return lesson, an_enrollment(browser.person, courses.get_course(course.id)).id


def page_of(lesson: Lesson) -> str:
    return f"/enrollments/courses/{lesson.course_id}/lessons/{lesson.id}"


def media_of(body: str) -> str:
    found = re.search(r'<source src="([^"]+)"', body)
    assert found, body
    return found[1]


def end(enrollment_id: UUID) -> None:
    with db.unit_of_work(CHANNEL):
        operations.end_enrollment(queries.get_enrollment(enrollment_id), reason="Refunded.", by=root())


def test_end_enrollment__shuts_the_page_the_report_and_the_media_at_once(as_sam: Browser) -> None:
    lesson, enrollment_id = a_stored_film(as_sam)
    body = as_sam.get(page_of(lesson), status=200).body
    media = media_of(body)
    as_sam.get(media, status=200, check=False)
    end(enrollment_id)
    as_sam.get(media, status=403, check=False)
    as_sam.get(page_of(lesson), status=403)
    as_sam.get(media, status=403, check=False)
    as_sam.get(f"/enrollments/courses/{lesson.course_id}/outline?lesson={lesson.id}", htmx=True, status=403, check=False)


def test_courses_lessons_show__gives_media_to_its_own_viewer_alone(as_sam: Browser, as_eve: Browser, as_root: Browser) -> None:
    lesson, _enrollment_id = a_stored_film(as_sam)
    media = media_of(as_sam.get(page_of(lesson), status=200).body)
    for other in (as_eve, as_root):
        assert other.get(media, check=False).status in (303, 401, 403)
    as_sam.get(media, status=200, check=False)


def test_end_enrollment__leaves_the_media_of_others_open(as_sam: Browser) -> None:
    lesson, _enrollment_id = a_stored_film(as_sam)
    media = media_of(as_sam.get(page_of(lesson), status=200).body)
    with db.unit_of_work(CHANNEL):
        other = an_enrollment(a_student(), courses.get_course(lesson.course_id)).id
    end(other)
    as_sam.get(media, status=200, check=False)


def test_shut_the_media__spares_who_is_enrolled_again(as_sam: Browser) -> None:
    lesson, enrollment_id = a_stored_film(as_sam)
    end(enrollment_id)
    with db.unit_of_work(CHANNEL):
        ended = queries.get_enrollment(enrollment_id)
        operations.restore_enrollment(ended, by=root())
    media = media_of(as_sam.get(page_of(lesson), status=200).body)
    with db.unit_of_work(CHANNEL):
        shut_the_media(EnrollmentEnded(enrollment_id=enrollment_id, user_id=ended.user_id, course_id=ended.course_id))
    as_sam.get(media, status=200, check=False)


def test_courses_lessons_show__weighs_little_before_the_video(as_sam: Browser) -> None:
    lesson, _enrollment_id = a_stored_film(as_sam)
    body = as_sam.get(page_of(lesson), status=200).body
    files = set(re.findall(r'(?:href|src|data-load)="/static/dist/([^"#]+)', body)) - {manifest()["player.js"], manifest()["player.css"]}
    weights = {name: len(gzip.compress((ROOT / "static" / "dist" / name).read_bytes(), 6)) for name in files}
    weights["page"] = len(gzip.compress(body.encode(), 6))
    assert manifest()["watch.js"] in files and manifest()["site.css"] in files
    assert sum(weights.values()) <= LIGHT, weights
