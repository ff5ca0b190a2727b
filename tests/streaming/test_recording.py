"""A class that was becomes a lesson: takes joined, the draft made once, the chat at its second, another try, the academy's rule."""

import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as Work

from lms.chat import operations as chat
from lms.chat import queries as chat_queries
from lms.core import clock, db, sandbox
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Conflict
from lms.core.models import EventRow
from lms.core.storage import LocalStorage, use_storage
from lms.courses import operations as courses
from lms.courses.models import Lesson
from lms.streaming import gateways, jobs, operations, queries
from lms.streaming.gateways import Tape
from lms.streaming.models import Recording, Session, Take
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.people import ada, root, sam
from tests.factories.streaming import a_session, enrol
from tests.streaming.test_gateways import MKV, a_film


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of this test alone, and no waiting for last chunks."""
    gateways.use_folder(tmp_path / "live")
    sandbox.use_scratch(tmp_path / "scratch")
    use_storage(LocalStorage(tmp_path / "storage"))
    monkeypatch.setattr(jobs, "QUIET_SECONDS", 0.0)
    return tmp_path


def a_take(session: Session, film: bytes) -> Take:
    """One take of a class, as the door of hosts writes it."""
    take = operations.begin_take(session, uuid4(), MKV, age_ms=0, by=ada())
    tape = Tape(CHANNEL, session.id, take.number, MKV)
    tape.append(0, film)
    tape.close()
    tape.reel.end()
    return take


def until_ready(session: Session) -> Recording:
    """Let the workers work until the recording is there."""
    end = time.monotonic() + 120
    while True:
        run_jobs()
        with db.unit_of_work(CHANNEL):
            found = queries.find_recording(session.id)
        assert found is not None
        if found.state not in ("waiting", "processing"):
            return found
        assert time.monotonic() < end, (found.state, outbox_errors())


def test_keep_recording__joins_the_takes_into_one_draft_lesson_with_the_chat_at_its_second(studio: Path, as_sam: Browser) -> None:
    film = a_film(studio / "film.mkv", 4)
    with db.unit_of_work(CHANNEL):
        session = a_session(state="open", provider="browser")
        enrol(sam(), session)
        a_take(session, film)
        second = a_take(session, film)
        first = queries.takes_of(session.id)[0]
        first.begun_at, second.begun_at = now() - timedelta(seconds=60), now() - timedelta(seconds=30)
        for seconds, words in ((58, "in the first"), (40, "in the break"), (28, "in the second")):
            with clock.at(now() - timedelta(seconds=seconds)):
                chat.post_message(session.id, words, client_id=uuid4(), by=sam())
        with clock.at(now() - timedelta(seconds=27)):
            for words, answer in (("Why is it so?", "By the second law."), ("Is it in the exam?", ""), ("Is this open?", None)):
                asked = chat.post_message(session.id, words, client_id=uuid4(), by=sam(), is_question=True)
                if answer is not None:
                    chat.answer_question(*chat_queries.get_question(session.id, asked.line.seq), text=answer, by=ada())
        with clock.at(now() - timedelta(seconds=57)):
            operations.mark_moment(session, "The fold", by=ada())
        operations.end_session(session, by=ada())
    assert until_ready(session).state == "ready", outbox_errors()
    with db.unit_of_work(CHANNEL) as work:
        card = queries.card_of(session.id)
        assert card is not None and card.asset is not None and card.lesson is not None
        assert (card.lesson.title, card.lesson.status, card.lesson.session_id) == (session.title, "draft", session.id)
        assert card.asset.duration_seconds == pytest.approx(8, abs=0.6) and card.asset.poster_key
        assert queries.get_session(session.id).state == "recorded"
        replay = [(one.line.text, round(one.second)) for one in chat_queries.replay_of(session.id) if not one.line.is_question]
        assert replay == [("in the first", 2), ("in the break", 4), ("in the second", 6)]
        answered = [(one.question, one.answer, round(one.second)) for one in chat_queries.answers_of(session.id)]
        assert answered == [("Why is it so?", "By the second law.", 7), ("Is it in the exam?", "", 7)]
        assert [(round(at), title) for at, title in chat_queries.chapters_of(session.id)] == [(3, "The fold")]
        assert [row.payload["lesson_id"] for row in work.scalars(select(EventRow).where(EventRow.name == "RecordingReady"))] == [
            str(card.lesson.id)
        ]
        jobs.keep_recording.put({"session_id": session.id})
        operations.finish_recording(card.asset.id, by=root())
        courses.publish_lesson(work.get_one(Lesson, card.lesson.id), by=ada())
        lesson = card.lesson
    run_jobs()
    assert not gateways.folder_of(CHANNEL, session.id).exists()
    with db.unit_of_work(CHANNEL) as work:
        assert len(work.scalars(select(Lesson).where(Lesson.session_id == session.id)).all()) == 1
    replay_page = as_sam.get(f"/chat/lessons/{lesson.id}/replay", htmx=True, status=200).words
    assert "in the break" in replay_page and "The fold" in replay_page
    assert "Asked and answered" in replay_page and "Answered in the class, at this moment" in replay_page
    assert "Watch the recording" in as_sam.get(f"/streaming/sessions/{session.id}", status=200).words


def test_lessons_replay__is_closed_to_those_outside_the_course(as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL) as work:
        session = a_session(state="ended")
        lesson = work.scalars(select(Lesson).where(Lesson.course_id == session.course_id)).first()
        assert lesson is not None
        lesson.session_id = session.id
    as_sam.get(f"/chat/lessons/{lesson.id}/replay", status=403)


def test_keep_recording__of_nothing_says_what_is_missing_and_tries_again(studio: Path, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live", provider="browser")
        operations.end_session(session, by=ada())
    assert until_ready(session).state == "missing"
    path = f"/admin/streaming/sessions/{session.id}"
    assert "No picture came in" in as_ada.get(path, status=200).words
    as_ada.post(f"{path}/recording", status=409, check=False)


def test_retry_recording__begins_anew_from_what_came_in(studio: Path, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="open", provider="browser")
        a_take(session, b"\x1aE\xdf\xa3 no film at all")
        operations.end_session(session, by=ada())
    assert until_ready(session).state == "missing"
    (reel,) = gateways.reels(gateways.folder_of(CHANNEL, session.id))
    reel.data.write_bytes(a_film(studio / "film.mkv", 3))
    reel.index.write_bytes(reel.data.stat().st_size.to_bytes(8))
    as_ada.post(f"/admin/streaming/sessions/{session.id}/recording", status=303)
    assert until_ready(session).state == "ready", outbox_errors()
    with db.unit_of_work(CHANNEL), pytest.raises(Conflict):
        operations.retry_recording(queries.get_session(session.id), by=ada())


def test_forget_old__bins_old_recordings_but_no_published_lesson(work: Work, studio: Path) -> None:
    kept = []
    for days, published in ((40, False), (40, True), (10, False)):
        session = a_session(state="recorded", provider="browser")
        session.ended_at = now() - timedelta(days=days)
        film = studio / "film.mkv"
        film.write_bytes(a_film(film, 1))
        recording = operations.keep_film(session, film, "film.mkv", {})
        recording.state = "ready"
        lesson = work.get_one(Lesson, recording.lesson_id)
        lesson.status = "published" if published else "draft"
        kept.append(recording)
    work.flush()
    machine = the_platform(CHANNEL)
    assert operations.forget_old(by=machine) == 0
    operations.keep_rule(30, by=root())
    assert operations.forget_old(by=machine) == 1
    assert [one.state for one in kept] == ["gone", "ready", "ready"]


def test_settings__are_the_admins(as_root: Browser, as_ada: Browser) -> None:
    as_root.post("/admin/streaming/settings", {"keep_days": "30"}, status=303)
    assert 'value="30"' in as_root.get("/admin/streaming/settings", status=200).body
    as_root.post("/admin/streaming/settings", {"keep_days": "3"}, status=422)
    as_ada.get("/admin/streaming/settings", status=403)
