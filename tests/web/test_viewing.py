"""Looking at the pages as somebody else: what is seen, what stays shut, how it ends, and that nothing at all can be changed."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from lms.channels import jobs
from lms.channels.models import Member, Viewing
from lms.core import db
from lms.core.clock import now
from lms.core.models import AuditRow
from lms.courses.models import Lesson
from lms.enrollments.models import LessonProgress
from tests.architecture.test_matrix import doors
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment

REASON = {"reason": "Sam asks why lesson 2 is closed."}


def deeds(action: str) -> list[AuditRow]:
    with db.unit_of_work(CHANNEL) as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.at)))


def test_people_view_as__and_viewing_stop_show_the_pages_of_another_and_move_nothing_of_theirs(as_root: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        course = a_course("Algebra", lessons=2, published=True)
        an_enrollment(as_sam.person, course)
        lesson = session.scalars(select(Lesson).where(Lesson.course_id == course.id)).first()
        seen_at = session.scalars(select(Member.seen_at).where(Member.id == as_sam.person.user_id)).one()
        assert lesson
    here = f"/admin/channels/people/{as_sam.person.user_id}"
    assert "View as" in as_root.get(here, status=200).words
    as_root.get(f"{here}/view-as", status=200)
    assert "Say why" in as_root.post(f"{here}/view-as", {"reason": " "}, status=422).words
    assert as_root.post(f"{here}/view-as", REASON, status=303).location == "/enrollments/"
    pages = ("/enrollments/", f"/enrollments/courses/{course.id}/lessons/{lesson.id}", "/wallet/", "/notifications/", "/channels/profile")
    for path in pages:
        page = as_root.get(path, status=200)
        assert "You see this page as Sam Student" in page.words and "Stop viewing" in page.words, path
        assert "Root Admin" not in page.words and "data-tickets" not in page.body, path
    assert "You see this page as Sam Student" in as_root.get("/admin/", status=403).words
    for path in ("/auth/sessions", "/auth/second-factor", "/vouchers/redeem?code=X"):
        assert "only the person may see" in as_root.get(path, status=403).words, path
    refused = as_root.post(f"/enrollments/lessons/{lesson.id}/done", status=403)
    assert "nothing was changed" in refused.words and "Stop viewing" in refused.words
    assert as_root.post("/channels/viewing/stop", status=303).location == here
    assert "You see this page as" not in as_root.get(here, status=200).words
    (began,), (ended,) = deeds("channels.view_as"), deeds("channels.view_as_ended")
    assert began.actor_name == ended.actor_name == "Root Admin" and began.target_id == ended.target_id == as_sam.person.user_id
    assert began.after and began.after["reason"] == REASON["reason"] and ended.after and ended.after["pages"] == len(pages)
    with db.unit_of_work(CHANNEL) as session:
        assert not session.scalars(select(LessonProgress)).all()
        assert session.scalars(select(Member.seen_at).where(Member.id == as_sam.person.user_id)).one() == seen_at
    assert as_root.post("/channels/viewing/stop", status=303).location == "/"


def test_people_view_as__is_never_of_ones_own_rank_or_above_and_needs_who_may_come_in(
    as_root: Browser, as_sam: Browser, as_ada: Browser
) -> None:
    with db.unit_of_work(CHANNEL):
        boss, peer = people.a_person("Olga Owner", "owner"), people.a_person("Pia Peer", "admin")
    for person, words in ((boss, "students and instructors"), (peer, "students and instructors"), (as_root.person, "your own pages")):
        page = as_root.post(f"/admin/channels/people/{person.user_id}/view-as", REASON, status=403)
        assert words in page.words
    here = f"/admin/channels/people/{as_sam.person.user_id}"
    as_ada.post(f"{here}/view-as", REASON, status=403)
    assert as_root.post(f"/admin/channels/people/{as_ada.person.user_id}/view-as", REASON, status=303).location == "/admin/"
    assert "as Ada Lovelace" in as_root.get("/admin/courses/", status=200).words
    as_root.get("/admin/channels/people", status=403)
    as_root.post("/channels/viewing/stop", status=303)
    as_root.post(f"{here}/suspend", status=303)
    assert "is suspended" in as_root.post(f"{here}/view-as", REASON, status=403).words


def test_end_viewings__closes_what_ran_out_and_a_change_of_rank_ends_the_view_at_once(as_root: Browser, as_sam: Browser) -> None:
    here = f"/admin/channels/people/{as_sam.person.user_id}"
    as_root.post(f"{here}/view-as", REASON, status=303)
    with db.unit_of_work(CHANNEL) as session:
        running = session.scalars(select(Viewing)).one()
        running.started_at, running.ends_at = now() - timedelta(minutes=31), now() - timedelta(minutes=1)
    assert "You see this page as" not in as_root.get(here, status=200).words
    with db.unit_of_work(CHANNEL):
        jobs.end_viewings.run()
        jobs.end_viewings.run()
    (ended,) = deeds("channels.view_as_ended")
    assert ended.actor_kind == "job"
    as_root.post(f"{here}/view-as", REASON, status=303)
    with db.unit_of_work(CHANNEL) as session:
        session.scalars(select(Member).where(Member.id == as_sam.person.user_id)).one().role = "admin"
    assert "You see this page as" not in as_root.get("/admin/", status=200).words


def test_guard__lets_no_door_write_while_somebody_is_viewed(app: Flask, as_root: Browser, as_ada: Browser) -> None:
    token = as_root.form_token()
    as_root.post(f"/admin/channels/people/{as_ada.person.user_id}/view-as", REASON, status=303)
    tried = 0
    for endpoint, method, path in doors(app):
        if method == "GET" or path.startswith(("/api/", "/streaming/rtmp/")) or endpoint == "channels.viewing_stop":
            continue
        answer = as_root._send(method, path, False, False, None, False, headers={"X-CSRFToken": token})
        assert answer.status == 403 and "nothing was changed" in answer.body, f"{method} {path}: {answer.status}"
        tried += 1
    assert tried > 100
    assert as_root.raw.get("/ws/chat/rooms/0190a000-0000-7000-8000-00000000dead", headers={"Upgrade": "websocket"}).status_code in (
        403,
        404,
    )
    as_root.post("/channels/viewing/stop", headers={"X-CSRFToken": token}, token=False, status=303)
