"""Enrolments with a last day: said in a list with adding and removing mixed, extended for many, kept by the clock, taken back."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from lms.core import db, plans
from lms.core.decisions import Actor, the_platform
from lms.core.models import Plan, PlanRow
from lms.enrollments import operations
from lms.enrollments.jobs import end_overdue
from lms.enrollments.models import Enrollment
from tests.conftest import CHANNEL
from tests.factories import courses, people

IMPORT = "enrollments.import_enrollments"
STANDS = "SELECT user_id, course_id, status, until_on FROM enrollments.enrollments WHERE status <> 'ended' ORDER BY 1, 2"
DAY, OTHER = "2031-05-01", "2032-05-01"


def stands() -> list[tuple[object, ...]]:
    db.session().flush()
    return [tuple(row) for row in db.session().execute(sa.text(STANDS))]


def imported(lines: str, by: Actor) -> Plan:
    return plans.make_from_table(IMPORT, f"email,course,do,open until\n{lines}".encode(), by=by, params={"note": "Autumn"})


def test_import_enrollments__extends_adds_and_removes_mixed_and_takes_it_back(work: db.Session) -> None:
    by = people.root()
    courses.a_course("Biology", published=True), courses.a_course("Chemistry", published=True)
    sam, nia = people.sam(), people.a_student()
    plan = imported(f"{sam.email},Biology,add,\n{nia.email},Biology,add,{DAY}\n{sam.email},Chemistry,add,", by)
    plans.apply(plan, by=by)
    before = stands()
    assert [str(row[3]) for row in before if row[3]] == [DAY]
    again = imported(f"{nia.email},Biology,,{DAY}\n{sam.email},Biology,,", by)
    assert (again.same_count, again.to_apply) == (2, 0)
    mixed = imported(
        f"{sam.email},Biology,extend,{DAY}\n{nia.email},Biology,extend,{OTHER}\n{sam.email},Chemistry,remove,\n"
        f"{nia.email},Chemistry,extend,{DAY}\n{by.email},Biology,extend,\n{by.email},Chemistry,add,2001-01-01\n",
        by,
    )
    work.flush()
    rows = work.scalars(sa.select(PlanRow).where(PlanRow.plan_id == mixed.id).order_by(PlanRow.number)).all()
    assert [row.verdict for row in rows] == ["changed", "changed", "changed", "new", "refused", "refused"]
    assert rows[1].before == {"until": DAY} and rows[1].after == {"until": OTHER}
    plans.apply(mixed, by=by)
    assert sorted(str(row[3]) for row in stands()) == [DAY, DAY, OTHER]
    plans.undo(mixed, by=by)
    assert (mixed.undone_count, mixed.conflict_count, stands()) == (4, 0, before)


def test_extend_enrollments__for_chosen_ones_and_end_overdue__keeps_the_day(work: db.Session) -> None:
    by, course = people.root(), courses.a_course("Biology", published=True)
    sam, nia = people.sam(), people.a_student()
    made = [operations.enroll_by_hand(one.user_id, course, note="x", by=by) for one in (sam, nia)]  # type: ignore[arg-type]
    work.flush()
    plan = plans.make_from_ids("enrollments.extend_enrollments", [one.id for one in made], by=by, params={"until": DAY, "note": "Longer"})
    plans.apply(plan, by=by)
    assert [str(row[3]) for row in stands()] == [DAY, DAY]
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date()
    work.execute(sa.text("UPDATE enrollments.enrollments SET until_on = :day WHERE id = :id"), {"day": yesterday, "id": made[0].id})
    work.expire_all()
    end_overdue()
    assert operations.end_overdue(by=the_platform(CHANNEL)) == 0
    ended, kept = (work.get_one(Enrollment, one.id) for one in made)
    assert (ended.status, ended.ended_reason, kept.status) == ("ended", "Its last day is over.", "active")
    restored = operations.restore_enrollment(ended, by=by)
    assert (restored.status, restored.until_on) == ("active", None)
