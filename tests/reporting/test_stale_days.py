"""Figures of days that were counted stay those of their rows, whatever is taken out, brought back or undone afterwards."""

import random
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from lms.admin.queries import month_figures
from lms.channels.models import Member
from lms.core import db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.enrollments.models import Enrollment
from lms.enrollments.reports import Enrollments
from lms.reporting import jobs, operations, queries
from lms.reporting.models import StaleDay
from lms.reporting.queries import patience
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment


def test_dashboard__counts_its_rows_after_every_deed_in_any_order(work: Session) -> None:
    dice, by, ada = random.Random(7), people.root(), people.ada()
    courses = [a_course(f"Course {name}", published=True, lessons=1) for name in ("A", "B")]
    place, made = zone(queries.standing().zone), iter(range(1000))

    def pick() -> Enrollment | None:
        found = work.scalars(select(Enrollment).order_by(Enrollment.id)).all()
        return dice.choice(found) if found else None

    def enrol() -> None:
        enrollment = an_enrollment(people.a_student(f"Nia {next(made)}"), dice.choice(courses))
        if dice.random() < 0.4:
            enrollment.status, enrollment.completed_at = "completed", now()

    def take_out() -> None:
        if (one := pick()) is not None:
            work.expunge(one)
            work.execute(delete(Enrollment).where(Enrollment.id == one.id))

    def take_out_and_back() -> None:
        savepoint = work.begin_nested()
        take_out()
        savepoint.rollback()
        work.expire_all()

    def remove_or_bring_back() -> None:
        one = dice.choice(work.scalars(select(Member).where(Member.role == "student").order_by(Member.id)).all())
        one.status = "active" if one.status == "deleted" else "deleted"

    for _turn in range(12):
        enrol()
    days = [queries.standing().today - timedelta(days=number) for number in range(1, 20)]
    for one in work.scalars(select(Enrollment)):  # they came on days that are over by now
        one.enrolled_at = datetime.combine(dice.choice(days), time(23, 50), place)
        one.completed_at = one.completed_at and one.enrolled_at + timedelta(hours=dice.randrange(48))
    work.flush()
    operations.recount(days[-1], days[0])
    operations.count_today()
    for _turn in range(40):
        dice.choice((enrol, take_out, take_out_and_back, remove_or_bring_back, jobs.count_stale_days, operations.count_today))()
        work.flush()
        for reader in (by, ada):
            _agree(reader)
    _joined_agree()
    jobs.count_stale_days()
    assert work.scalar(select(StaleDay.id).limit(1)) is None and queries.standing().stale == ()
    _agree(by)
    _joined_agree()


def _agree(by: Actor) -> None:
    """Each figure of the dashboard is the number of rows of the list that it opens."""
    figures, report = month_figures(by, currency="EUR"), Enrollments()

    def rows(**filters: str) -> int:
        return report.count(report.read_view({key: [value] for key, value in filters.items()}), by)

    assert figures.month["enrolments"].total == rows(enrolled=figures.period)
    assert figures.ever == rows(enrolled=figures.ever_period)
    assert figures.completed == rows(completed=figures.ever_period)


def _joined_agree() -> None:
    known = queries.standing()
    joined = queries.day_series(known.today - timedelta(days=30), known.today, currency="EUR", metrics=("joined",), known=known)["joined"]
    assert joined.total == db.session().scalar(select(func.count()).select_from(Member).where(Member.status != "deleted"))


def test_as_far_as_counted__leaves_out_what_nobody_would_wait_for_and_says_from_when(
    work: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, today = a_course("Filled", published=True), queries.standing().today
    for days in (40, 20):
        an_enrollment(people.a_student(f"Nia {days}"), course).enrolled_at = now() - timedelta(days=days)
    work.flush()
    operations.recount(today - timedelta(days=41), today - timedelta(days=30))
    monkeypatch.setattr(patience, "is_small", lambda: False)
    monkeypatch.setattr(patience, "BE_QUICK", text("SET LOCAL statement_timeout = 100"))

    def ever(known: queries.Standing) -> int:
        return queries.sums_ever(("enrolments",), known=known)["enrolments"]

    def slowly(known: queries.Standing) -> int:
        if known.uncounted <= known.today:
            work.execute(text("SELECT pg_sleep(20)"))
        return ever(known)

    before = work.scalar(text("SHOW statement_timeout"))
    assert queries.as_far_as_counted(queries.standing(), ever) == (2, None)
    assert queries.as_far_as_counted(queries.standing(), slowly) == (1, today - timedelta(days=29))
    assert work.scalar(text("SHOW statement_timeout")) == before


def test_daily_faults__finds_a_kept_figure_that_is_not_its_rows(work: Session) -> None:
    course, today = a_course("Sold", published=True), queries.standing().today
    for days in (50, 3):
        an_enrollment(people.a_student(f"Nia {days}"), course).enrolled_at = now() - timedelta(days=days)
    work.flush()
    operations.recount(today - timedelta(days=50), today - timedelta(days=1))
    assert queries.daily_faults() == []
    work.execute(text("UPDATE reporting.daily SET value = value + 4 WHERE metric = 'enrolments' AND day < current_date - 40"))
    (fault,) = queries.daily_faults()
    assert "5 is kept for enrolments, and its rows come to 1" in fault
    operations.recount(today - timedelta(days=50), today - timedelta(days=1))
    assert queries.daily_faults() == []
