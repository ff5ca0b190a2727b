"""People × courses × batches in one list: added, moved, removed and extended, never beyond the seats; exported, read again, undone."""

import pytest
import sqlalchemy as sa

from lms.core import db, plans
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.models import Plan, PlanRow
from lms.core.reports import files
from lms.enrollments import operations, queries
from lms.enrollments.models import Wait
from lms.enrollments.reports import Enrollments
from tests.factories import courses, people
from tests.factories.batches import a_batch

IMPORT = "enrollments.import_enrollments"
TOUCHED = "SELECT user_id, course_id, status, batch_id, opens_at, until_on FROM enrollments.enrollments ORDER BY id"


@pytest.fixture
def by(work: db.Session) -> Actor:
    return people.root()


def verdicts(plan: Plan) -> list[str]:
    db.session().flush()
    wanted = sa.select(PlanRow.verdict).where(PlanRow.plan_id == plan.id).order_by(PlanRow.number)
    return list(db.session().scalars(wanted.execution_options(populate_existing=True)))


def everything() -> list[tuple[object, ...]]:
    db.session().flush()
    assert not queries.batch_faults()
    return [tuple(row) for row in db.session().execute(sa.text(TOUCHED))]


def test_import_enrollments__into_batches_moved_and_taken_back(by: Actor) -> None:
    biology = courses.a_course("Biology", published=True)
    spring, autumn = a_batch(biology, "Spring", seats=1), a_batch(biology, "Autumn", seats=1, ends_on=operations.today())
    sam, nia, ivo = people.sam(), people.a_student(), people.a_student("Ivo Early")
    operations.enroll_by_hand(sam.user_id, biology, note="x", by=by, batch_id=spring.id)  # type: ignore[arg-type]
    before = everything()
    text = (
        "Do,Course,Batch,E-mail\n"
        f"move,Biology,autumn,{sam.email}\n"
        f"add,Biology,AUTUMN,{nia.email}\n"
        f"add,Biology,,{ivo.email}\n"
        f"move,Biology,,{nia.email}\n"
        f"add,Biology,Winter,{nia.email}\n"
    )
    plan = plans.make_from_table(IMPORT, text.encode(), by=by, params={"note": "Term two"})
    assert verdicts(plan) == ["changed", "refused", "new", "refused", "refused"]
    plans.apply(plan, by=by)
    moved = queries.active_enrollment(sam.user_id, biology.id)
    assert moved is not None
    db.session().refresh(moved)
    assert (moved.batch_id, moved.until_on) == (autumn.id, operations.today())
    again = plans.make_from_table(IMPORT, text.encode(), by=by, params={"note": "Term two"})
    assert (again.to_apply, again.same_count) == (0, 2)
    exported = "".join(
        files.csv_lines(Enrollments(), Enrollments().read_view({"columns": ["email", "course", "batch", "status", "until_on"]}), by)
    )
    back = plans.make_from_table(IMPORT, exported.encode(), by=by, params={"note": "As it is"})
    assert (back.to_apply, back.same_count, back.refused_count) == (0, 2, 0)
    plans.undo(plan, by=by)
    assert (plan.undone_count, plan.conflict_count, everything()) == (2, 0, before)


def test_move_enrollments__refuses_at_the_last_moment_what_has_no_seat_any_more(by: Actor) -> None:
    biology, chemistry = courses.a_course("Biology", published=True), courses.a_course("Chemistry", published=True)
    spring = a_batch(biology, "Spring", seats=2)
    chosen = [people.sam(), people.a_student(), people.a_student("Ivo Early")]
    made = [operations.enroll_by_hand(one.user_id, biology, note="x", by=by) for one in chosen[:2]]  # type: ignore[arg-type]
    made.append(operations.enroll_by_hand(chosen[2].user_id, chemistry, note="x", by=by))  # type: ignore[arg-type]
    db.session().flush()
    with pytest.raises(Invalid):
        plans.make_from_ids("enrollments.move_enrollments", [one.id for one in made], by=by, params={"batch": "x", "note": "y"})
    params = {"batch": str(spring.id), "note": "Together"}
    plan = plans.make_from_ids("enrollments.move_enrollments", [one.id for one in made], by=by, params=params)
    assert verdicts(plan) == ["changed", "changed", "refused"]
    operations.enroll_by_hand(people.a_student("Eve Quick").user_id, biology, note="x", by=by, batch_id=spring.id)  # type: ignore[arg-type]
    plans.apply(plan, by=by)
    assert (plan.applied_count, plan.conflict_count) == (1, 1) and everything()
    plans.undo(plan, by=by)
    assert plan.undone_count == 1 and everything()


def test_enroll_people__into_a_batch_takes_the_place_that_is_held(by: Actor) -> None:
    biology = courses.a_course("Biology", published=True)
    spring = a_batch(biology, "Spring", seats=1)
    sam, nia = people.sam(), people.a_student()
    first = operations.enroll_by_hand(sam.user_id, biology, note="x", by=by, batch_id=spring.id)  # type: ignore[arg-type]
    operations.join_waitlist(spring, nia.user_id, by=nia)  # type: ignore[arg-type]
    operations.end_enrollment(first, reason="Left", by=by)
    operations.offer_places(spring.id, by=by)
    params = {"course_id": f"{biology.id}:{spring.id}", "note": "By hand"}
    plan = plans.make_from_ids("enrollments.enroll_people", [sam.user_id, nia.user_id], by=by, params=params)  # type: ignore[list-item]
    assert verdicts(plan) == ["refused", "new"]
    plans.apply(plan, by=by)
    assert everything() and db.session().scalars(sa.select(Wait.state)).all() == ["taken"]
