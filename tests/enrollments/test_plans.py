"""People × courses in bulk: added, ended, opened again, taken back."""

import io

import pytest
import sqlalchemy as sa

from lms.core import db, plans
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.models import Plan, PlanRow
from lms.core.reports import files
from lms.enrollments import operations, queries
from lms.enrollments.reports import Enrollments
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories import courses, people

IMPORT = "enrollments.import_enrollments"
TOUCHED = "SELECT id, user_id, course_id, status, source, note, ended_at, ended_reason, progress FROM enrollments.enrollments ORDER BY id"


@pytest.fixture
def by(work: db.Session) -> Actor:
    return people.root()


def rows_of(plan: Plan) -> list[PlanRow]:
    db.session().flush()
    wanted = sa.select(PlanRow).where(PlanRow.plan_id == plan.id).order_by(PlanRow.number)
    return list(db.session().scalars(wanted.execution_options(populate_existing=True)))


def everything() -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.session().execute(sa.text(TOUCHED))]


def test_import_enrollments__adds_and_removes_mixed_and_takes_it_back(by: Actor) -> None:
    biology, chemistry = courses.a_course("Biology", published=True), courses.a_course("Chemistry", published=True)
    sam, nia, ivo = people.sam(), people.a_student(), people.a_student("Ivo Early")
    begun = operations.enroll_by_hand(sam.user_id, biology, note="x", by=by)
    ended = operations.enroll_by_hand(nia.user_id, chemistry, note="x", by=by)
    operations.end_enrollment(ended, reason="Left", by=by)
    db.session().flush()
    before = everything()
    text = (
        "Do,Course,E-mail\n"
        f"remove,Biology,{sam.email}\n"
        f"add,{chemistry.slug},{sam.email}\n"
        f",chemistry,{nia.email}\n"
        f"add,Biology,{ivo.email}\n"
        f"remove,Chemistry,{ivo.email}\n"
        "add,Biology,nobody@example.org\n"
        f"add,Astrology,{sam.email}\n"
        f"fly,Biology,{nia.email}\n"
        f"add,Biology,{ivo.email}\n"
    )
    plan = plans.make_from_table(IMPORT, text.encode(), by=by, params={"note": "Term two"})
    assert [row.verdict for row in rows_of(plan)] == [
        "changed",
        "new",
        "changed",
        "new",
        "same",
        "refused",
        "refused",
        "refused",
        "refused",
    ]
    assert rows_of(plan)[0].after == {"status": "ended", "ended_reason": "Term two"}
    assert everything() == before
    plans.apply(plan, by=by)
    assert (plan.state, plan.applied_count) == ("applied", 4)
    db.session().expire_all()
    assert not queries.is_enrolled(sam.user_id, biology.id) and queries.is_enrolled(sam.user_id, chemistry.id)
    assert queries.get_enrollment(ended.id).status == "active" and queries.get_enrollment(begun.id).ended_reason == "Term two"
    again = plans.make_from_table(IMPORT, text.encode(), by=by, params={"note": "Term two"})
    assert (again.to_apply, again.same_count) == (0, 5)
    plans.undo(plan, by=by)
    assert (plan.state, plan.undone_count) == ("undone", 4)
    assert everything() == before


def test_import_enrollments__leaves_alone_who_has_begun_meanwhile(by: Actor) -> None:
    biology, sam = courses.a_course("Biology", published=True), people.sam()
    plan = plans.make_from_table(IMPORT, f"email,course\n{sam.email},Biology".encode(), by=by, params={"note": "x"})
    plans.apply(plan, by=by)
    db.session().execute(sa.text("UPDATE enrollments.enrollments SET progress = 10, last_seen_at = now()"))
    plans.undo(plan, by=by)
    assert (plan.undone_count, plan.conflict_count) == (0, 1)
    db.session().expire_all()
    assert queries.is_enrolled(sam.user_id, biology.id)


def test_import_enrollments__wants_a_reason(by: Actor) -> None:
    with pytest.raises(Invalid):
        plans.make_from_table(IMPORT, b"email,course\na@example.org,B", by=by, params={})


def test_end_enrollments__by_choice_touches_the_chosen_alone(by: Actor) -> None:
    biology, sam = courses.a_course("Biology", published=True), people.sam()
    old = operations.enroll_by_hand(sam.user_id, biology, note="x", by=by)
    operations.end_enrollment(old, reason="Left", by=by)
    new = operations.enroll_by_hand(sam.user_id, biology, note="again", by=by)
    db.session().flush()
    plan = plans.make_from_ids("enrollments.end_enrollments", [old.id], by=by, params={"note": "x"})
    assert (plan.same_count, plan.to_apply) == (1, 0)
    plan = plans.make_from_ids("enrollments.end_enrollments", [new.id], by=by, params={"note": "Done"})
    plans.apply(plan, by=by)
    db.session().expire_all()
    assert not queries.is_enrolled(sam.user_id, biology.id)
    plan = plans.make_from_ids("enrollments.restore_enrollments", [new.id], by=by, params={"note": "Back"})
    plans.apply(plan, by=by)
    db.session().expire_all()
    assert queries.get_enrollment(new.id).status == "active"


def test_enroll_people__from_the_list_of_people(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        course, sam, nia = courses.a_course("Biology", published=True), people.sam(), people.a_student()
    form = {"report": "channels.people", "act": "enrollments.enroll_people", "id": [str(sam.user_id), str(nia.user_id)]}
    plan = as_root.post("/admin/plans/start", form, status=303).location
    page = as_root.post(plan, {"course_id": str(course.id), "note": ""}, status=422)
    assert "Say this first." in page.words
    as_root.post(plan, {"course_id": str(course.id), "note": "Term two"}, status=303)
    assert "Apply 2 changes" in as_root.get(plan).words
    as_root.post(f"{plan}/apply", status=303)
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL):
        assert queries.is_enrolled(sam.user_id, course.id)
    out = {**form, "act": "enrollments.unenroll_people"}
    plan = as_root.post("/admin/plans/start", out, status=303).location
    as_root.post(plan, {"course_id": str(course.id), "note": "Over"}, status=303)
    as_root.post(f"{plan}/apply", status=303)
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL):
        assert not queries.is_enrolled(sam.user_id, course.id)


def test_new_import__round_trip_of_the_list_is_no_change(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        root, sam, nia = people.root(), people.sam(), people.a_student()
        for title in ("Biology", '=Maths; "one"'):
            course = courses.a_course(title, published=True)
            for person in (sam, nia):
                operations.enroll_by_hand(person.user_id, course, note="x", by=root)
        gone = operations.enroll_by_hand(people.ada().user_id, course, note="x", by=root)
        operations.end_enrollment(gone, reason="Left", by=root)
        db.session().flush()
        view = Enrollments().read_view({})
        made = {
            "e.csv": "".join(files.csv_lines(Enrollments(), view, root)).encode(),
            "e.xlsx": files.xlsx_file(Enrollments(), view, root).read(),
        }
    assert as_root.get("/admin/enrollments/new/import").text("//h1") == "Import enrolments"
    for name, content in made.items():
        sent = {"file": (io.BytesIO(content), name), "note": "Again"}
        page = as_root.get(as_root.post("/admin/enrollments/new/import", sent, status=303, content_type="multipart/form-data").location)
        assert "0 changes" in page.words and "Same5" in page.words
