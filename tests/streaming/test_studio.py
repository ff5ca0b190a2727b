"""Pages of a class held in the browser: the studio of the host, and the picture for those in the course alone."""

from pathlib import Path

import pytest

from lms.core import db
from lms.enrollments import operations as enrollments
from lms.enrollments.queries import active_enrollment
from lms.streaming import gateways, operations, queries
from lms.streaming.models import Session
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import ada, root, sam
from tests.factories.streaming import a_session, enrol


@pytest.fixture
def held(tmp_path: Path, as_sam: Browser) -> Session:
    """A running class of Ada's with a picture, and Sam in its course."""
    gateways.use_folder(tmp_path)
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live", provider="browser")
        enrol(sam(), session)
    hls = gateways.folder_of(CHANNEL, session.id) / "hls"
    hls.mkdir(parents=True)
    (hls / "index.m3u8").write_text("#EXTM3U\n")
    (hls / "seg_00000.ts").write_bytes(b"\x47" * 188)
    return session


def picture(browser: Browser, session: Session) -> str:
    """Where this browser finds the picture."""
    page = browser.get(f"/streaming/sessions/{session.id}/stage", htmx=True, status=200)
    return str(page.all("//*[@data-stream]/@data-stream")[0])


def test_sessions_stage__shows_the_picture_to_the_viewer_it_was_opened_for_alone(held: Session, as_sam: Browser, as_ada: Browser) -> None:
    playlist = picture(as_sam, held)
    segment = playlist.replace("index.m3u8", "seg_00000.ts")
    assert as_sam.get(playlist, status=200).body.startswith("#EXTM3U")
    as_sam.get(segment, status=200)
    for path in (playlist, segment):
        as_ada.get(path, status=403)
    as_sam.get(playlist.replace("index.m3u8", "packaged.json"), status=404)
    as_sam.get(playlist.replace("index.m3u8", "../take-001.data"), status=404)


def test_live_show__ends_at_once_for_who_leaves_the_course(held: Session, as_sam: Browser) -> None:
    playlist = picture(as_sam, held)
    with db.unit_of_work(CHANNEL):
        found = active_enrollment(sam().user_id, held.course_id)
        assert found is not None
        enrollments.end_enrollment(found, reason="asked", by=root())
    run_jobs()
    as_sam.get(playlist, status=403)
    as_sam.get(f"/streaming/sessions/{held.id}/stage", status=403)


def test_sessions_studio__is_for_the_host_of_a_class_held_here(held: Session, as_ada: Browser, as_sam: Browser) -> None:
    path = f"/admin/streaming/sessions/{held.id}"
    assert "Recording is on" in as_ada.get(f"{path}/studio", status=200).words
    as_sam.get(f"{path}/studio", status=403)
    assert "/ws/streaming/sessions/" in as_ada.post(f"{path}/tickets", status=200, check=False).body
    as_sam.post(f"{path}/tickets", status=403, check=False)
    with db.unit_of_work(CHANNEL):
        link = a_session(state="live")
    assert "not held in the browser" in as_ada.get(f"/admin/streaming/sessions/{link.id}/studio", status=403).words


def test_sessions_moments__are_marked_while_live_and_taken_away(held: Session, as_ada: Browser) -> None:
    path = f"/admin/streaming/sessions/{held.id}/moments"
    assert "The second law" in as_ada.post(path, {"title": " The second  law "}, htmx=True, status=200).words
    as_ada.post(path, {"title": ""}, status=303)
    with db.unit_of_work(CHANNEL):
        first, second = queries.moments_of(held.id)
        assert (first.title, second.title) == ("The second law", "Moment 2")
    as_ada.post(path, {"remove": "nonsense"}, status=404)
    as_ada.post(path, {"remove": str(first.id)}, status=303)
    assert "The second law" not in as_ada.get(path, htmx=True, status=200).words
    with db.unit_of_work(CHANNEL):
        operations.end_session(queries.get_session(held.id), by=ada())
    as_ada.post(path, {"title": "Too late"}, status=409, check=False)
