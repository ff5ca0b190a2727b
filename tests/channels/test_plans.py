"""Importing people and their standing: planned in words, applied once, taken back."""

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.engine import Engine

from lms.channels import operations, queries
from lms.channels.models import Member
from lms.core import db, plans
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Forbidden, Invalid
from lms.core.models import AuditRow, Plan, PlanRow
from tests.factories import people

IMPORT = "channels.import_people"
TOUCHED = "SELECT id, name, email, role, status, title, phone FROM channels.members ORDER BY id"


@pytest.fixture
def by(work: db.Session) -> Actor:
    people.ada(), people.sam()
    return people.root()


def rows_of(plan: Plan) -> list[PlanRow]:
    db.session().flush()
    return list(
        db.session().scalars(
            select(PlanRow).where(PlanRow.plan_id == plan.id).order_by(PlanRow.number).execution_options(populate_existing=True)
        )
    )


def imported(text_: str, by: Actor, **params: object) -> Plan:
    return plans.make_from_table(IMPORT, text_.encode(), by=by, name="people.csv", params={"role": "student", **params})


def test_import_people__plans_each_row_in_words_then_applies_then_undoes(by: Actor) -> None:
    before = db.session().execute(text(TOUCHED)).all()
    plan = imported(
        "email;NAME;Rol;Shoe size\n"
        "new.person@example.org;New Person;;42\n"
        "SAM@example.org;Samuel Student;;\n"
        "ada@example.org;Ada Lovelace;instructor;\n"
        "no address;X;;\n"
        "new.person@example.org;Again;;\n"
        "root@example.org;;student;\n"
        "x@example.org;X;boss;\n"
        "nobody@example.org;;student;\n"
        "ADA@Example.org;;;",
        by,
    )
    assert [(row.verdict, row.number) for row in rows_of(plan)] == [
        ("new", 2), ("changed", 3), ("same", 4), ("refused", 5), ("refused", 6), ("refused", 7), ("refused", 8),
        ("refused", 9), ("refused", 10),
    ]  # fmt: skip
    assert (plan.row_count, plan.new_count, plan.changed_count, plan.same_count, plan.refused_count) == (9, 1, 1, 1, 6)
    reasons = [row.reason for row in rows_of(plan)][3:]
    assert reasons[0].startswith("no address is no e-mail address")
    assert reasons[4].startswith("Nobody here has this address, and the line has no name.")
    assert reasons[5] == "The same address stands in line 4."
    assert reasons[1:3] == ["The same address stands in line 2.", "You cannot change your own role. Ask another admin."]
    assert db.session().execute(text(TOUCHED)).all() == before
    changed = rows_of(plan)[1]
    assert (changed.before, changed.after) == ({"name": "Sam Student"}, {"name": "Samuel Student"})
    plans.apply(plan, by=by)
    assert (plan.state, plan.applied_count, plan.conflict_count) == ("applied", 2, 0)
    db.session().expire_all()
    made = db.session().scalar(select(Member).where(Member.email == "new.person@example.org"))
    assert made is not None and (made.name, made.role, made.status) == ("New Person", "student", "invited")
    assert db.session().scalar(select(Member.name).where(Member.email == "sam@example.org")) == "Samuel Student"
    assert {"channels.take_in", "channels.import", "plans.apply"} <= set(db.session().scalars(select(AuditRow.action)))
    again = imported("email\nnew.person@example.org\nsam@example.org", by)
    assert (again.same_count, again.to_apply) == (2, 0)
    with pytest.raises(Conflict):
        plans.apply(again, by=by)
    plans.undo(plan, by=by)
    assert (plan.state, plan.undone_count, plan.conflict_count) == ("undone", 2, 0)
    assert db.session().execute(text(TOUCHED)).all() == before


def test_import_people__never_changes_a_role_the_list_does_not_name(by: Actor) -> None:
    plan = imported("email,name\nada@example.org,Ada Lovelace\n", by, role="student")
    assert (plan.same_count, plan.to_apply) == (1, 0)


def test_import_people__takes_pasted_lines_and_invites_when_asked(by: Actor) -> None:
    plan = imported("Nia Newcomer <nia@example.org>\nivo@example.org", by, invite=True)
    assert [row.after["name"] for row in rows_of(plan)] == ["Nia Newcomer", "Ivo"]
    plans.apply(plan, by=by)
    assert db.session().scalar(text("SELECT count(*) FROM core.outbox WHERE task LIKE '%send_invitations'")) == 1


def test_import_people__asks_the_database_no_more_for_many_rows_than_for_few(by: Actor) -> None:
    asked: list[str] = []
    event.listen(Engine, "before_cursor_execute", note := lambda _c, _k, statement, *_rest: asked.append(statement))
    try:
        counts = []
        for size in (3, 60):
            asked.clear()
            imported("email,name,phone\n" + "\n".join(f"row{number}@example.org,Row {number},1" for number in range(size)), by)
            counts.append(len(asked))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert counts[0] == counts[1], counts


@pytest.mark.parametrize("text_", ["", "colour,size\nred,4", "email,name"])
def test_import_people__refuses_a_list_without_people(by: Actor, text_: str) -> None:
    with pytest.raises(Invalid):
        imported(text_, by)


def test_import_people__is_for_admins(by: Actor) -> None:
    with pytest.raises(Forbidden):
        imported("email\na@example.org", people.ada())


def test_import_people__lets_no_admin_make_or_change_owners(by: Actor) -> None:
    owner = people.a_person("Olga Owner", "owner")
    plan = imported(f"email,name,role\n{owner.email},Olga O.,\nz@example.org,Z,owner\n", by)
    assert (plan.refused_count, plan.to_apply) == (2, 0)


def test_apply__refuses_a_plan_older_than_the_data_and_plans_again(by: Actor) -> None:
    plan = imported("email,name\nsam@example.org,Samuel\nada@example.org,Ada L.\n", by)
    db.session().execute(text("UPDATE channels.members SET name = 'Sammy' WHERE email = 'sam@example.org'"))
    plans.apply(plan, by=by)
    assert (plan.state, plan.conflict_count, plan.applied_count) == ("stale", 1, 0)
    assert [row.result for row in rows_of(plan)] == ["conflict", ""]
    plans.replan(plan, by=by)
    assert (plan.state, plan.changed_count) == ("planned", 2)
    plans.apply(plan, by=by)
    assert (plan.state, plan.applied_count) == ("applied", 2)


def test_undo__leaves_alone_what_changed_since(by: Actor) -> None:
    plan = imported("email,name\nsam@example.org,Samuel\nnew@example.org,New\nada@example.org,Ada L.\n", by)
    plans.apply(plan, by=by)
    db.session().execute(text("UPDATE channels.members SET name = 'Sammy' WHERE email = 'sam@example.org'"))
    new_id = db.session().execute(text("SELECT id FROM channels.members WHERE email = 'new@example.org'")).scalar_one()
    operations.prefer(new_id, "x", {})
    plans.undo(plan, by=by)
    assert (plan.state, plan.undone_count, plan.conflict_count) == ("undone", 1, 2)
    assert [row.result for row in rows_of(plan)] == ["conflict", "conflict", "undone"]
    assert "1 preferences" in rows_of(plan)[1].reason
    names = dict(db.session().execute(text("SELECT email, name FROM channels.members")).all())
    assert (names["sam@example.org"], names["ada@example.org"], names["new@example.org"]) == ("Sammy", "Ada Lovelace", "New")


def test_suspend_people__ends_sign_ins_and_restores_by_undo(by: Actor) -> None:
    sam, ada = people.sam(), people.ada()
    plan = plans.make_from_ids("channels.suspend_people", [sam.user_id, ada.user_id, by.user_id], by=by)
    assert (plan.changed_count, plan.refused_count) == (2, 1)
    plans.apply(plan, by=by)
    db.session().expire_all()
    assert queries.role_of(sam.user_id) == ""
    plans.undo(plan, by=by)
    db.session().expire_all()
    assert queries.role_of(sam.user_id) == "student"


def test_restore_people__lets_suspended_people_in(by: Actor) -> None:
    sam = people.sam()
    done = plans.do_now("channels.suspend_people", sam.user_id, by=by)
    assert done is not None and done.is_single and done.applied_count == 1
    assert plans.do_now("channels.suspend_people", sam.user_id, by=by) is None
    restored = plans.do_now("channels.restore_people", sam.user_id, by=by)
    assert restored is not None and queries.role_of(sam.user_id) == "student"


def test_change_role__asks_for_the_role_and_keeps_an_admin(by: Actor) -> None:
    sam = people.sam()
    plan = plans.make_from_ids("channels.change_role", [sam.user_id], by=by)
    assert plan.state == "asking"
    plans.replan(plan, by=by, params={"role": "instructor"})
    assert (plan.state, plan.changed_count) == ("planned", 1)
    plans.apply(plan, by=by)
    assert queries.role_of(sam.user_id) == "instructor"
    with pytest.raises(Conflict, match="own role"):
        plans.do_now("channels.change_role", by.user_id, by=by, params={"role": "student"})


def test_add_people__tells_search_in_batches(by: Actor) -> None:
    plan = imported("email\n" + "\n".join(f"p{number}@example.org" for number in range(450)), by)
    plans.apply(plan, by=by)
    assert plan.applied_count == 450
    tasks = db.session().execute(text("SELECT count(*) FROM core.outbox WHERE task LIKE '%index_new_member' AND payload ? 'facts'"))
    assert tasks.scalar_one() == 3
