"""The audit log: in words, filtered, taken back by one click, and its chain read from the first entry to the last."""

import csv
import io
import re

import pytest
from sqlalchemy import select, text

from lms.channels import operations as channels
from lms.channels.models import Member
from lms.core import db, seals
from lms.core.models import AuditCheck, AuditRow
from lms.courses import operations as courses
from lms.courses import queries
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories import people
from tests.factories.courses import a_course


def newest(action: str) -> AuditRow:
    with db.unit_of_work(CHANNEL) as session:
        return session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.at.desc()).limit(1)).one()


def tamper(statement: str) -> None:
    """Change the database as its owner may, past every guard."""
    with db.unit_of_work(platform=True) as session:
        for one in ("RESET ROLE", "SET LOCAL session_replication_role = replica", statement, "SET LOCAL session_replication_role = origin"):
            session.execute(text(one))


def test_audit__speaks_in_words_filters_and_comes_as_a_file(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        courses.edit_course(course, version=course.version, by=people.root(), title="Algebra II", level="beginner")
        member = people.ada().user_id
        field = channels.add_field("Shirt", "choice", choices=["S", "M"], by=people.root())
        channels.retire_field(field, by=people.root())
        field.retired_at = None
        db.session().flush()
        channels.edit_field(field, {"label": "Shirt", "choices": ["S", "M", "L"]}, by=people.root())
    words = as_root.get(f"/admin/audit?target={field.id}", status=200).words
    assert "x_shirt" not in words and re.search(r"Retired: – → \d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d", words) and "S, M → S, M, L" in words
    page = as_root.get(f"/admin/audit?target={course.id}&what=courses.edit", status=200)
    assert "Changed the course" in page.words and "courses.edit" not in page.words
    assert "Level: Any → Beginner" in page.words and "Title: " in page.words
    assert page.all(f"//tbody//a[@href='/admin/courses/{course.id}']")
    assert "Nothing fits" in as_root.get(f"/admin/audit?who={member}&module=wallet", status=200).words
    as_root.get("/admin/audit?who=nobody", status=422, check=False)
    file = as_root.get(f"/admin/audit?target={course.id}&format=csv", check=False).body
    lines = list(csv.reader(io.StringIO(file)))
    assert any("Changed the course" in line for line in lines)


def test_audit_revert__puts_a_field_back_once_and_refuses_what_changed_since(as_root: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        title = course.title
        courses.edit_course(course, version=course.version, by=people.root(), title="Another title")
        courses.archive_course(course, by=people.root())
    row, moved = newest("courses.edit"), newest("courses.archive")
    assert "Take this back" in as_root.get(f"/admin/audit/{moved.id}", status=200).words
    as_sam.post(f"/admin/audit/{row.id}/revert", status=403, check=False)
    as_root.post(f"/admin/audit/{moved.id}/revert", status=303)
    as_root.post(f"/admin/audit/{row.id}/revert?back=/admin/courses/{course.id}", status=303)
    assert "Taken back" in as_root.get(f"/admin/courses/{course.id}", status=200).words
    with db.unit_of_work(CHANNEL):
        found = queries.get_course(course.id)
        assert (found.title, found.status) == (title, "published")
        courses.edit_course(found, version=found.version, by=people.root(), title="A third one")
    page = as_root.get(f"/admin/audit/{row.id}", status=200)
    assert "Take this back" not in page.words and "changed again since" in page.words
    as_root.post(f"/admin/audit/{row.id}/revert", status=303)
    assert "nothing was taken back" in as_root.get(f"/admin/audit/{row.id}", status=200).words


def test_audit__what_cannot_be_noted_does_not_happen(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        member, course = people.a_student("Nia"), a_course(published=True)
    tamper("CREATE FUNCTION core.full_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$")
    tamper("CREATE TRIGGER full_log BEFORE INSERT ON core.audit FOR EACH ROW EXECUTE FUNCTION core.full_log()")
    stands = "SELECT status, role, name FROM channels.members UNION ALL SELECT status, title, '' FROM courses.courses UNION ALL"
    stands += " SELECT task, queue, '' FROM core.outbox UNION ALL SELECT source, note, '' FROM wallet.transactions ORDER BY 1, 2, 3"
    with db.unit_of_work(CHANNEL) as session:
        before = session.execute(text(stands)).all()
    person = f"/admin/channels/people/{member.user_id}"
    acts: list[tuple[str, dict[str, str]]] = [
        (f"{person}/suspend", {}),
        (f"{person}/role", {"role": "instructor"}),
        (f"{person}/edit", {"name": "Nina"}),
        (f"/admin/wallet/people/{member.user_id}/adjust", {"once": "0" * 32, "way": "in", "amount": "5", "reason": "A gift"}),
        ("/admin/enrollments/new", {"email": member.email, "course_id": str(course.id), "note": "Asked"}),
        (f"/admin/courses/{course.id}/unpublish", {}),
    ]
    for path, data in acts:
        as_root.post(path, data, status=500, check=False)
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text(stands)).all() == before


def test_audit_chain__is_read_when_asked_and_a_change_behind_our_back_waits_in_the_inbox(
    as_root: Browser, as_ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ada.get("/admin/audit/chain", status=403, check=False)
    assert "It was not checked yet" in as_root.get("/admin/audit", status=200).words
    tamper("UPDATE core.audit SET at = at - interval '1 minute'")
    with monkeypatch.context() as before:  # as seals were made before they covered names: they hold as they are
        before.setattr(seals, "COVERS", 1)
        seals.seal_audit()
    as_root.post("/admin/audit/chain", status=303)
    run_jobs()
    assert "The chain of hashes is whole" in as_root.get("/admin/audit", status=200).words
    with db.unit_of_work(CHANNEL):
        people.a_student()
    tamper(
        "UPDATE core.audit SET at = at - interval '1 minute' WHERE NOT EXISTS (SELECT 1 FROM core.audit_seals WHERE audit_id = audit.id)"
    )
    assert seals.seal_audit()
    as_root.post("/admin/audit/chain", status=303)
    run_jobs()
    assert "The chain of hashes is whole" in as_root.get("/admin/audit", status=200).words
    tamper(
        "UPDATE core.audit SET actor_name = 'Somebody Else' WHERE id = (SELECT audit_id FROM core.audit_seals ORDER BY seq DESC LIMIT 1)"
    )
    as_root.post("/admin/audit/chain", status=303)
    run_jobs()
    assert "is not what was sealed" in as_root.get("/admin/inbox", status=200).words
    with db.unit_of_work(CHANNEL) as session:
        assert session.scalars(select(AuditCheck).order_by(AuditCheck.asked_at.desc()).limit(1)).one().faults


def test_histories__speak_in_words(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        sam = people.sam().user_id
        session.get_one(Member, sam)
    as_root.post(f"/admin/channels/people/{sam}/suspend", status=303)
    page = as_root.get(f"/admin/channels/people/{sam}/history", status=200)
    assert "suspended the person" in page.words and "channels.suspend" not in page.words and "Status: Active → Suspended" in page.words
