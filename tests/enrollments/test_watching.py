"""Watching: ranges unite, seeking adds nothing, the clock cannot be tricked, completion never goes back."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.models import EventRow
from lms.courses.models import Lesson
from lms.courses.operations import set_video
from lms.enrollments import operations, queries
from lms.enrollments.errors import BadBeat, EnrollmentIsOver
from lms.enrollments.models import Enrollment, LessonProgress, WatchDay
from lms.enrollments.operations import Beat, Played
from lms.enrollments.operations.watching import FASTEST, SLACK, Pass, read_pass
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment
from tests.factories.people import root, sam

MINUTE = 60_000
START = now() - timedelta(hours=3)


class Watcher:
    """Sam with a two-minute video, at a time that the test moves."""

    def __init__(self, *, minutes: float = 2) -> None:
        self.course = a_course(lessons=0, published=False)
        self.lesson: Lesson = a_lesson(self.course, title="Film", kind="video")
        self.sam: Actor = sam()
        self.enrollment: Enrollment = an_enrollment(self.sam, self.course)
        self.duration_ms = round(minutes * MINUTE)
        self.at: datetime = START

    def open(self) -> Pass:
        """Open the lesson's page: another tab."""
        return read_pass(operations.begin_watching(self.enrollment, self.lesson, duration_ms=self.duration_ms, at=self.at))

    def beat(self, tab: Pass, *parts: tuple[float, float], rate: float = 1.0, position: float | None = None, late: bool = False) -> Beat:
        """Report ranges in seconds."""
        played = [Played(round(start * 1000), round(end * 1000), rate) for start, end in parts]
        place = None if position is None else round(position * 1000)
        return operations.record_beat(tab, played, position_ms=place, by=self.sam, late=late, at=self.at)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)

    def progress(self) -> LessonProgress:
        """What is kept."""
        db.session().expire_all()
        found = queries.get_progress(self.enrollment.id, self.lesson.id)
        assert found is not None
        return found


def events_of(name: str) -> int:
    return len([row for row in db.session().query(EventRow) if row.name == name])


def test_begin_watching__names_person_lesson_and_file_and_cannot_be_changed(work: Session) -> None:
    watcher = Watcher()
    signed = operations.begin_watching(watcher.enrollment, watcher.lesson, duration_ms=5000, at=watcher.at)
    told = read_pass(signed)
    assert (told.user_id, told.lesson_id, told.asset_id, told.duration_ms) == (
        watcher.sam.user_id,
        watcher.lesson.id,
        watcher.lesson.asset_id,
        5000,
    )
    with pytest.raises(Forbidden):
        read_pass("x" + signed[1:])


def test_record_beat__keeps_ranges_position_and_time(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(20)
    watcher.beat(tab, (0, 15), position=15)
    watcher.wait(15)
    beat = watcher.beat(tab, (15, 30), position=30)
    kept = watcher.progress()
    assert (beat.watched_ms, kept.watched_seconds, kept.watch_seconds, kept.position_seconds) == (30_000, 30, 30, 30)
    enrollment = queries.get_enrollment(watcher.enrollment.id)
    assert enrollment.last_lesson_id == watcher.lesson.id and enrollment.last_seen_at == watcher.at
    assert sum(work.scalars(select(WatchDay.watch_ms))) == 30_000, "the day knows as much as the lesson"


def test_record_beat__counts_a_position_alone_as_nothing_watched(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(60)
    assert watcher.beat(tab, position=100).watched_ms == 0
    assert watcher.progress().position_seconds == 100


def test_record_beat__does_not_count_two_tabs_twice(work: Session) -> None:
    watcher = Watcher()
    one, two = watcher.open(), watcher.open()
    for second in range(15, 61, 15):
        watcher.wait(15)
        watcher.beat(one, (second - 15, second))
        watcher.beat(two, (second - 15, second))
    kept = watcher.progress()
    assert (kept.watched_seconds, kept.watch_seconds) == (60, 60)


def test_record_beat__lets_no_two_tabs_share_out_a_video(work: Session) -> None:
    watcher = Watcher()
    one, two = watcher.open(), watcher.open()
    watcher.wait(60)
    watcher.beat(one, (0, 60))
    watcher.beat(two, (60, 120))
    assert watcher.progress().watched_seconds == 60
    assert watcher.progress().completed_at is None


def test_record_beat__does_not_believe_more_than_the_clock_allows(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(5)
    assert watcher.beat(tab, (0, 110)).watched_ms == 0
    watcher.wait(10)
    assert watcher.beat(tab, (0, 110)).watched_ms == 0
    assert watcher.beat(tab, (0, 15)).watched_ms == 15_000
    for _ in range(50):
        watcher.beat(tab, (15, 17))
        watcher.beat(tab, (17, 19))
    assert watcher.progress().watched_seconds <= 17


def test_record_beat__believes_double_speed_and_no_more(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(30)
    assert watcher.beat(tab, (0, 60), rate=2).watched_ms == 60_000
    with pytest.raises(BadBeat):
        watcher.beat(tab, (60, 120), rate=16)


def test_record_beat__refuses_what_no_player_plays(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(60)
    for start, end in ((-5, 3), (9, 3)):
        with pytest.raises(BadBeat):
            watcher.beat(tab, (start, end))
    with pytest.raises(BadBeat):
        watcher.beat(tab, *[(0, 1)] * 201)
    assert watcher.beat(tab, (0, 1), (500, 560)).watched_ms == 1000


def test_record_beat__takes_what_was_kept_while_offline_and_takes_it_once(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(15)
    watcher.beat(tab, (0, 15))
    watcher.wait(60)
    for _ in range(3):
        watcher.beat(tab, (15, 40), (40, 75), late=True)
        watcher.wait(100)
    kept = watcher.progress()
    assert (kept.watched_seconds, kept.watch_seconds) == (75, 75)


def test_record_beat__completes_the_lesson_at_nine_tenths_once_and_for_ever(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(120)
    assert watcher.beat(tab, (0, 60)).completed_at is None
    assert watcher.beat(tab, (66, 113)).completed_at is None
    beat = watcher.beat(tab, (60, 61.1))
    assert beat.just_completed and beat.completed_at == watcher.at
    watcher.wait(60)
    again = watcher.beat(tab, (61, 66), position=3)
    assert not again.just_completed and again.completed_at == beat.completed_at
    enrollment = queries.get_enrollment(watcher.enrollment.id)
    assert (enrollment.status, enrollment.progress) == ("completed", 100)
    assert (events_of("LessonCompleted"), events_of("CourseCompleted")) == (1, 1)


def test_record_beat__keeps_nothing_after_the_enrolment_ended(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(30)
    watcher.beat(tab, (0, 10))
    operations.end_enrollment(watcher.enrollment, reason="Refunded", by=root())
    with pytest.raises(EnrollmentIsOver):
        watcher.beat(tab, (10, 20))
    assert watcher.progress().watched_seconds == 10


def test_record_beat__is_one_statement(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(30)
    seen: list[str] = []
    connection = db.session().connection()
    event.listen(connection, "before_cursor_execute", lambda _c, _cur, statement, *_rest: seen.append(statement))
    watcher.beat(tab, (0, 10), position=10)
    watcher.beat(tab, (10, 20), position=20)
    assert len(seen) == 2


def test_lesson_progress__never_goes_back_even_by_hand(work: Session) -> None:
    watcher = Watcher()
    tab = watcher.open()
    watcher.wait(120)
    watcher.beat(tab, (0, 120))
    for change in ("completed_at = NULL", "watched = '{}'", "watch_ms = 0"):
        with pytest.raises(IntegrityError), work.begin_nested():
            work.execute(text(f"UPDATE enrollments.lesson_progress SET {change}"))


part = st.tuples(st.integers(0, 130), st.integers(0, 40), st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0]))
move = st.tuples(st.integers(0, 1), st.lists(part, max_size=4), st.integers(0, 30), st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(move, min_size=1, max_size=12))
def test_record_beat__never_inflates_and_never_goes_back(
    work: Session, moves: list[tuple[int, list[tuple[int, int, float]], int, bool]]
) -> None:
    with work.begin_nested() as savepoint:
        watcher = Watcher()
        tabs = [watcher.open(), watcher.open()]
        claimed: set[int] = set()
        before, before_time, completed = 0, 0, None
        for tab, parts, seconds, late in moves:
            watcher.wait(seconds)
            played = [Played(start * 1000, (start + length) * 1000, rate) for start, length, rate in parts]
            claimed |= {second for start, length, _rate in parts for second in range(start, start + length)}
            beat = operations.record_beat(tabs[tab], played, position_ms=None, by=watcher.sam, late=late, at=watcher.at)
            real_ms = (watcher.at - START) / timedelta(milliseconds=1)
            assert before <= beat.watched_ms <= len([second for second in claimed if second < 120]) * 1000
            assert beat.watched_ms <= (real_ms + SLACK / timedelta(milliseconds=1)) * FASTEST
            assert before_time <= beat.watch_ms <= real_ms
            assert completed is None or beat.completed_at == completed
            before, before_time, completed = (beat.watched_ms, beat.watch_ms, beat.completed_at)
        kept = watcher.progress()
        assert all(second in claimed for piece in kept.watched for second in range(piece.lower // 1000, piece.upper // 1000))
        savepoint.rollback()


def test_set_video__of_a_better_file_keeps_what_was_watched(work: Session) -> None:
    sam_watches = Watcher()
    tab = sam_watches.open()
    sam_watches.wait(125)
    assert sam_watches.beat(tab, (0, 115)).just_completed
    before = sam_watches.progress().completed_at
    better = a_lesson(sam_watches.course, title="Better", kind="video").asset_id
    set_video(sam_watches.lesson, better, by=root())
    work.flush()
    after = sam_watches.progress()
    assert sam_watches.lesson.asset_id == better and (after.completed_at, after.watched_seconds) == (before, 115)
