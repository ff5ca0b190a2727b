"""Every change to live classes: each legal move, every illegal one, running twice, two at once; attendance."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as Work

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Refusal
from lms.core.models import AuditRow, EventRow
from lms.streaming import operations, queries
from lms.streaming.errors import BadLink, BadTimes, IllegalMove
from lms.streaming.models import MOVES, STATES, Session, Visit
from lms.streaming.reports import Sheet
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import a_student, ada, root, sam
from tests.factories.streaming import a_session, enrol

STEPS = {
    "open": operations.open_session,
    "live": operations.start_session,
    "ended": operations.end_session,
    "recorded": operations.record_session,
    "cancelled": operations.cancel_session,
}
LEGAL = [(before, after) for before in STATES for after in MOVES[before]]
ILLEGAL = [(before, after) for before in STATES for after in STEPS if after != before and after not in MOVES[before]]


def facts(name: str) -> int:
    return len(db.session().scalars(select(EventRow).where(EventRow.name == name)).all())


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_moves__every_legal_one_is_taken_audited_and_repeatable(work: Work, before: str, after: str) -> None:
    session = a_session(state=before)
    STEPS[after](session, by=ada())
    assert session.state == after
    STEPS[after](session, by=ada())
    rows = work.scalars(select(AuditRow).where(AuditRow.action == f"streaming.{after}")).all()
    assert [(row.before, row.after) for row in rows] == [({"state": before}, {"state": after})]


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_moves__every_illegal_one_is_refused_and_changes_nothing(work: Work, before: str, after: str) -> None:
    session = a_session(state=before)
    version = session.version
    with pytest.raises(IllegalMove) as refusal:
        STEPS[after](session, by=root())
    assert refusal.value.sentence.endswith(".")
    fresh = work.execute(select(Session.state, Session.version).where(Session.id == session.id)).one()
    assert (fresh.state, fresh.version) == (before, version)


def test_moves__cover_every_pair_of_states() -> None:
    assert len(LEGAL) + len(ILLEGAL) == len(STATES) * len(STEPS) - len(STEPS)
    assert len(LEGAL) == 6 and len(ILLEGAL) == 19


def test_schedule_session__announces_it_once(work: Work) -> None:
    session = a_session(join_url=" https://meet.example/abc ")
    assert (session.state, session.join_url, session.host_id) == ("scheduled", "https://meet.example/abc", ada().user_id)
    assert facts("SessionScheduled") == 1


@pytest.mark.parametrize(
    ("starts", "ends", "field"), [(60, 30, "ends_at"), (60, 60, "ends_at"), (60, 60 * 14, "ends_at"), (-120, -60, "starts_at")]
)
def test_schedule_session__refuses_times_that_do_not_fit(work: Work, starts: int, ends: int, field: str) -> None:
    moment = now()
    with pytest.raises(BadTimes) as refusal:
        operations.schedule_session(
            a_course(), title="X", starts_at=moment + timedelta(minutes=starts), ends_at=moment + timedelta(minutes=ends), by=ada()
        )
    assert field in refusal.value.fields


@pytest.mark.parametrize(
    "link", ["http://meet.example/x", "javascript:alert(1)", "https://", "https://a@b.example/", "https://x.example/a b"]
)
def test_schedule_session__refuses_a_link_that_is_no_room(work: Work, link: str) -> None:
    with pytest.raises(BadLink):
        a_session(join_url=link)


def test_edit_session__moves_a_scheduled_one_and_says_so(work: Work) -> None:
    session = a_session()
    later = session.starts_at + timedelta(days=1)
    change = {"title": "New title", "starts_at": later, "ends_at": later + timedelta(hours=1), "description": "", "join_url": ""}
    operations.edit_session(session, **change, by=ada())
    operations.edit_session(session, **change, by=ada())
    assert (session.title, session.starts_at) == ("New title", later)
    assert facts("SessionMoved") == 1


def test_edit_session__keeps_the_times_of_an_open_one(work: Work) -> None:
    session = a_session(state="open")
    change = {"title": "Other", "ends_at": session.ends_at, "description": "", "join_url": ""}
    operations.edit_session(session, **change, starts_at=session.starts_at, by=ada())
    with pytest.raises(Refusal):
        operations.edit_session(session, **change, starts_at=session.starts_at + timedelta(minutes=5), by=ada())


def test_edit_session__leaves_a_finished_one_alone(work: Work) -> None:
    session = a_session(state="ended")
    with pytest.raises(IllegalMove):
        operations.edit_session(
            session, title="Other", starts_at=session.starts_at, ends_at=session.ends_at, description="", join_url="", by=ada()
        )


def test_start_session__by_two_at_once_happens_once(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        session_id = a_session(state="open").id
    gate = threading.Barrier(6)

    def press() -> None:
        with db.unit_of_work(CHANNEL):
            session = queries.get_session(session_id)
            gate.wait()
            operations.start_session(session, by=the_platform(CHANNEL))

    threads = [threading.Thread(target=press) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with db.unit_of_work(CHANNEL):
        assert queries.get_session(session_id).state == "live"
        assert facts("SessionStarted") == 1


def test_keep_time__opens_what_is_due_and_ends_what_was_forgotten(work: Work) -> None:
    moment = now()
    soon = a_session(starts_at=moment + timedelta(minutes=10))
    far = a_session(starts_at=moment + timedelta(minutes=20))
    forgotten, never = a_session(state="live"), a_session(state="open")
    for session in (forgotten, never):
        session.starts_at, session.ends_at = moment - timedelta(hours=5), moment - timedelta(hours=4)
    work.flush()
    assert operations.keep_time(by=the_platform(CHANNEL)) == 3
    for session in (soon, far, forgotten, never):
        work.refresh(session)
    assert (soon.state, far.state, forgotten.state, never.state) == ("open", "scheduled", "ended", "cancelled")
    assert operations.keep_time(by=the_platform(CHANNEL)) == 0


def test_note_page__lengthens_one_visit(work: Work) -> None:
    session, person = a_session(state="live"), sam()
    for _ in range(3):
        operations.note_page(session.id, person.user_id)
    assert len(work.scalars(select(Visit)).all()) == 1
    visit = work.scalars(select(Visit)).one()
    visit.seen_at = visit.joined_at = now() - timedelta(minutes=10)
    work.flush()
    operations.note_page(session.id, person.user_id)
    assert len(work.scalars(select(Visit)).all()) == 2


def test_note_leave__twice_keeps_the_first(work: Work) -> None:
    session = a_session(state="live")
    visit_id = operations.note_join(session.id, sam().user_id, source="chat")
    operations.note_leave([visit_id])
    first = work.get_one(Visit, visit_id, populate_existing=True).left_at
    operations.note_leave([visit_id])
    operations.note_alive([visit_id])
    assert work.get_one(Visit, visit_id, populate_existing=True).left_at == first is not None


def test_attendance_of__merges_what_overlaps(work: Work) -> None:
    session, person = a_session(state="live"), sam()
    start = now() - timedelta(hours=1)
    session.opened_at = start
    for begin, end, source in ((0, 10, "chat"), (5, 20, "page"), (20, 25, "chat"), (40, 45, "provider")):
        work.add(
            Visit(
                session_id=session.id,
                user_id=person.user_id,
                source=source,
                joined_at=start + timedelta(minutes=begin),
                seen_at=start + timedelta(minutes=end),
                left_at=start + timedelta(minutes=end) if source == "chat" else None,
            )
        )
    work.flush()
    (found,) = queries.attendance_of(session.id)
    assert (found.name, found.seconds, len(found.stays)) == ("Sam Student", 30 * 60, 2)


def test_attendance_of__counts_only_while_the_room_stood_open(work: Work) -> None:
    session, person = a_session(state="ended"), sam()
    enrol(person, session), enrol(a_student("Nora Nowhere"), session)
    session.ended_at = now()
    session.opened_at = session.started_at = session.ended_at - timedelta(minutes=30)
    work.add(
        Visit(
            session_id=session.id,
            user_id=person.user_id,
            source="chat",
            joined_at=now() - timedelta(minutes=90),
            seen_at=now() + timedelta(minutes=9),
        )
    )
    work.flush()
    (found,) = queries.attendance_of(session.id)
    assert found.seconds == 30 * 60
    assert [name for _user_id, name in queries.absentees_of(session)] == ["Nora Nowhere"]
    report = Sheet()
    rows = {row["person"]: (row["came"], row["stayed"], row["share"]) for row in report.page(report.read_view({}), root()).rows}
    assert rows == {"Sam Student": (True, 1800, 100), "Nora Nowhere": (False, 0, 0)}
    assert report.count(report.read_view({"absent": ["1"]}), ada()) == 1


def test_end_session__closes_the_visits(work: Work) -> None:
    session = a_session(state="live")
    here, gone = (operations.note_join(session.id, one.user_id, source="page") for one in (sam(), root()))
    work.execute(
        update(Visit).where(Visit.id == here).values(joined_at=now() - timedelta(minutes=9), seen_at=now() - timedelta(seconds=50))
    )
    work.execute(update(Visit).where(Visit.id == gone).values(joined_at=now() - timedelta(minutes=9), seen_at=now() - timedelta(minutes=5)))
    operations.end_session(session, by=ada())
    left = {one.id: one.left_at for one in work.scalars(select(Visit).execution_options(populate_existing=True))}
    assert now() - left[here] < timedelta(seconds=30)  # still there when it ended
    assert timedelta(minutes=4) < now() - left[gone]
