"""Prices and publication in bulk: by a list, by choice, and back."""

import io

import pytest
import sqlalchemy as sa

from lms.core import db, plans
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.models import Plan, PlanRow
from lms.core.money import Money
from lms.core.reports import files
from lms.courses.reports import Courses
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories import courses, people

TOUCHED = "SELECT id, title, status, price_minor, currency, published_at, submitted_at, status_before, sent_back_reason FROM courses.courses ORDER BY id"


@pytest.fixture
def by(work: db.Session) -> Actor:
    return people.root()


def rows_of(plan: Plan) -> list[PlanRow]:
    db.session().flush()
    wanted = sa.select(PlanRow).where(PlanRow.plan_id == plan.id).order_by(PlanRow.number)
    return list(db.session().scalars(wanted.execution_options(populate_existing=True)))


def everything() -> list[tuple[object, ...]]:
    db.session().flush()
    return [tuple(row) for row in db.session().execute(sa.text(TOUCHED))]


def test_import_courses__changes_prices_and_status_and_puts_them_back(by: Actor) -> None:
    for title, published in (("Biology", True), ("Chemistry", True), ("Physics", False), ("Physics", False)):
        courses.a_course(title, published=published, price=Money(1000, "EUR"))
    courses.a_course("Empty", lessons=0)
    before = everything()
    text = "Course,Price,Status\nBiology,49.50,\nchemistry,,archived\nPhysics,1,\nEmpty,,Published\nMaths,1,\n"
    text += "biology,12,\n"
    plan = plans.make_from_table("courses.import_courses", text.encode(), by=by)
    assert [row.verdict for row in rows_of(plan)] == ["changed", "changed", "refused", "refused", "refused", "refused"]
    assert rows_of(plan)[3].reason.startswith("Publish at least one lesson")
    assert everything() == before
    plans.apply(plan, by=by)
    assert (plan.state, plan.applied_count) == ("applied", 2)
    now = {row[1]: (row[2], row[3]) for row in everything()}
    assert (now["Biology"], now["Chemistry"]) == (("published", 4950), ("archived", 1000))
    assert plans.make_from_table("courses.import_courses", text.encode(), by=by).to_apply == 0
    plans.undo(plan, by=by)
    assert (plan.undone_count, plan.conflict_count) == (2, 0)
    assert everything() == before


@pytest.mark.parametrize("act", ["publish", "withdraw", "archive", "delete"])
def test_publish_courses__and_its_sisters_restore_every_field(by: Actor, act: str) -> None:
    made = [courses.a_course("Biology", published=True), courses.a_course("Chemistry"), courses.a_course("Empty", lessons=0)]
    db.session().flush()
    db.session().execute(sa.text("UPDATE courses.lessons SET status = 'published', published_at = now()"))
    before = everything()
    plan = plans.make_from_ids(f"courses.{act}_courses", [course.id for course in made], by=by)
    plans.apply(plan, by=by)
    assert plan.state == "applied" and everything() != before
    plans.undo(plan, by=by)
    assert everything() == before


def test_price_courses__asks_for_the_price(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        made = [courses.a_course(title, published=True) for title in ("Biology", "Chemistry")]
    assert "Set the price" in as_root.get("/admin/courses/").words
    chosen = {"report": "courses.courses", "act": "courses.price_courses", "all": "1"}
    plan = as_root.post("/admin/plans/start", chosen, status=303).location
    assert as_root.post(plan, {"price": "cheap"}, status=422).status == 422
    as_root.post(plan, {"price": "12.50"}, status=303)
    page = as_root.get(plan)
    assert "0.00 EUR → 12.50 EUR" in page.words and "Apply 2 changes" in page.words
    as_root.post(f"{plan}/apply", status=303)
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL):
        assert {row[3] for row in everything() if row[0] in {course.id for course in made}} == {1250}


def test_import_courses__is_for_admins(by: Actor) -> None:
    with pytest.raises(Forbidden):
        plans.make_from_table("courses.import_courses", b"title,price\nBiology,1", by=people.ada())


def test_new_import__round_trip_of_the_list_is_no_change(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        root = people.root()
        courses.a_course('=Maths; "one"', published=True, price=Money(123456, "EUR"))
        courses.a_course("Biology")
        db.session().flush()
        view = Courses().read_view({})
        made = {"c.csv": "".join(files.csv_lines(Courses(), view, root)).encode(), "c.xlsx": files.xlsx_file(Courses(), view, root).read()}
    assert as_root.get("/admin/courses/new/import").text("//h1") == "Change courses by a list"
    for name, content in made.items():
        sent = {"file": (io.BytesIO(content), name)}
        page = as_root.get(as_root.post("/admin/courses/new/import", sent, status=303, content_type="multipart/form-data").location)
        assert "0 changes" in page.words and "Same2" in page.words
