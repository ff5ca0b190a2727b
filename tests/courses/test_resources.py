"""Files to download beside a lesson: added, offered to those who may open it, counted, taken away; and where a file is used."""

import pytest

from lms.content import operations as content
from lms.content.models import Asset
from lms.content.queries import get_asset
from lms.core import db
from lms.core.storage import storage
from lms.courses import operations, queries
from lms.courses.errors import UnusableAsset
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.enrollments.test_views import enrolled, lesson_path, made
from tests.factories.people import ada, root


def a_paper() -> Asset:
    """A ready document of Ada's."""
    upload = content.start_upload("slides.pdf", 10, "document", by=ada())
    asset = get_asset(upload.asset_id)
    asset.state, asset.file_key = "ready", f"{CHANNEL}/assets/{asset.id}/run/file.pdf"
    storage().put(asset.file_key, b"%PDF")
    db.session().flush()
    return asset


def test_lessons_resources__are_offered_counted_and_taken_away(as_root: Browser, as_sam: Browser, as_eve: Browser) -> None:
    course, (lesson, *_) = made(lessons=2)
    enrolled(as_sam, course)
    with db.unit_of_work(CHANNEL):
        paper = a_paper()
    url = f"/admin/courses/lessons/{lesson.id}/resources"
    assert "Nothing to download" in as_root.get(url, status=200).words
    assert as_root.post(url, {}, check=False, status=422)
    for _twice in range(2):
        assert "slides" in as_root.post(url, {"asset_id": str(paper.id), "title": "The slides"}, htmx=True, status=200).words
    assert as_root.get(f"{url}/list", htmx=True, status=200).words.count("The slides") == 1
    assert "The pier" not in as_root.get(f"/admin/courses/files/{paper.id}/uses", htmx=True, status=200).words
    assert lesson.title in as_root.get(f"/admin/courses/files/{paper.id}/uses", htmx=True, status=200).words
    assert f"/enrollments/lessons/{lesson.id}/resources" in as_sam.get(lesson_path(lesson), status=200).body
    assert "The slides" in as_sam.get(f"/enrollments/lessons/{lesson.id}/resources", htmx=True, status=200).words
    with db.unit_of_work(CHANNEL):
        resource = queries.find_resource(lesson.id, paper.id)
    got = as_sam.post(f"/enrollments/resources/{resource.id}/download", status=303)
    assert as_sam.get(got.location, check=False, status=200).response.data == b"%PDF"
    assert as_eve.post(f"/enrollments/resources/{resource.id}/download", check=False).status in (303, 401, 403)
    assert "1 download" in as_root.get(url, status=200).words
    as_root.post(f"/admin/courses/resources/{resource.id}/remove", status=303)
    with db.unit_of_work(CHANNEL):
        assert queries.resources_of(lesson.id) == [] and queries.get_lesson(lesson.id).resource_count == 0


def test_add_resource__takes_no_video_and_nobody_elses(connection: object) -> None:
    _course, (lesson, *_) = made(lessons=1)
    with db.unit_of_work(CHANNEL):
        held = queries.get_lesson(lesson.id)
        film = content.start_upload("a.mp4", 10, "video", by=ada())
        other = content.start_upload("a.pdf", 10, "document", by=root())
        for asset_id, by in ((film.asset_id, ada()), (other.asset_id, ada())):
            with pytest.raises(UnusableAsset):
                operations.add_resource(held, asset_id, by=by)
