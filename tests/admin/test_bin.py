"""The recycle bin: deleting leaves a way back for thirty days, to the page and to machines, and an end after that."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select, text

from lms.admin import operations
from lms.channels.models import Member
from lms.core import db, plans
from lms.core.decisions import the_platform
from lms.core.errors import Conflict
from lms.core.models import BinRow
from lms.courses import operations as courses
from lms.courses import queries
from lms.courses.models import Course, Lesson
from lms.reporting import operations as reporting
from lms.reporting.queries import get_report
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people
from tests.factories.courses import a_course
from tests.machine import Machine


def lying(kind: str) -> BinRow:
    with db.unit_of_work(CHANNEL) as session:
        return session.scalars(select(BinRow).where(BinRow.kind == kind).order_by(BinRow.deleted_at.desc()).limit(1)).one()


def test_bin__holds_a_deleted_course_and_gives_it_back(as_root: Browser, as_sam: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=2, published=True)
    page = as_root.get(as_root.post(f"/admin/courses/{course.id}/delete", status=303).location)
    assert page.all("//form[contains(@action, '/restore')]")
    row = lying("course")
    assert course.title in as_root.get("/admin/bin?kind=course", status=200).words
    about = as_root.get(f"/admin/bin/{row.id}", status=200).words
    assert "Deleted by Root Admin" in about and "Lessons2" in about.replace(" ", "")
    as_sam.get(f"/courses/{course.slug}", status=404, check=False)
    as_ada.get("/admin/bin", status=403, check=False)
    as_ada.post(f"/admin/bin/{row.id}/restore", status=403, check=False)
    as_root.post(f"/admin/bin/{row.id}/restore", status=303)
    as_sam.get(f"/courses/{course.slug}", status=200)
    assert lying("course").outcome == "restored" and "The bin is empty" in as_root.get("/admin/bin", status=200).words


def test_bin_restore__tells_what_stands_in_its_way(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        shelf = courses.create_category("Maths", by=people.root())
    page = as_root.get(as_root.post(f"/admin/courses/categories/{shelf.id}/delete", status=303).location)
    undo = page.all("//form[contains(@action, '/restore')]")[0].get("action")
    with db.unit_of_work(CHANNEL):
        courses.create_category("maths", by=people.root())
    assert "Another category is called Maths" in as_root.post(f"/admin/bin/{lying('category').id}/restore", status=409, check=False).words
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("DELETE FROM courses.categories"))
    as_root.post(str(undo), status=303)
    as_root.post(str(undo), status=303)
    with db.unit_of_work(CHANNEL):
        assert [one.id for one in queries.categories()] == [shelf.id]


def test_bin_purge__deletes_for_good_once_and_keeps_what_money_names(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        course = a_course(lessons=1, published=True)
        lesson = session.scalars(select(Lesson).where(Lesson.course_id == course.id)).one()
        courses.delete_course(course, by=people.root())
    row = lying("course")
    as_root.post(f"/admin/bin/{row.id}/purge", status=303)
    as_root.post(f"/admin/bin/{row.id}/purge", status=303)
    assert "deleted for good" in as_root.get(f"/admin/bin/{row.id}", status=200).words.lower()
    assert as_root.post(f"/admin/bin/{row.id}/restore", status=409, check=False)
    with db.unit_of_work(CHANNEL) as session:
        assert session.get(Course, course.id) is None and session.get(Lesson, lesson.id) is None


def test_purge_bin__ends_what_lay_there_for_thirty_days_and_empties_what_others_name(work: sa.orm.Session) -> None:
    root = people.root()
    course, young = a_course(published=True), a_course(published=True)
    plans.apply(
        plans.make_from_ids(
            "enrollments.enroll_people", [people.sam().user_id], by=root, params={"course_id": str(course.id), "note": "x"}
        ),
        by=root,
    )  # type: ignore[list-item]
    view = reporting.save_view(get_report("channels.people"), "", "Mine", by=root)
    course.description = "Long"
    for one in (course, young):
        courses.delete_course(one, by=root)
    reporting.delete_view(view, by=root)
    work.flush()
    work.execute(text("UPDATE core.bin SET deleted_at = deleted_at - interval '31 days' WHERE target_id <> :young"), {"young": young.id})
    work.expire_all()
    assert operations.purge_bin(by=the_platform(CHANNEL)) == 2
    assert operations.purge_bin(by=the_platform(CHANNEL)) == 0
    work.expire_all()
    assert (course.status, course.description, young.status) == ("deleted", "", "deleted")
    with pytest.raises(Conflict, match="for good"):
        courses.restore_course(course, by=root)
    courses.restore_course(young, by=root)
    assert {row.outcome for row in work.scalars(select(BinRow).execution_options(populate_existing=True))} == {"purged", "restored"}


def test_remove_people__puts_them_into_the_bin_and_the_undo_takes_them_out(work: sa.orm.Session) -> None:
    root, sam = people.root(), people.sam()
    plan = plans.make_from_ids("channels.remove_people", [sam.user_id], by=root)  # type: ignore[list-item]
    plans.apply(plan, by=root)
    row = work.scalars(select(BinRow).where(BinRow.kind == "person")).one()
    assert row.title == sam.name and row.deleted_at > row.deleted_at - timedelta(days=1)
    plans.undo(plan, by=root)
    work.expire_all()
    assert (work.get_one(Member, sam.user_id).status, row.outcome) == ("active", "restored")


def test_bin_list__and_audit_list__are_doors_for_machines_too(api_root: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(published=True)
        courses.delete_course(course, by=people.root())
    for path in ("/bin", "/audit"):
        assert api_ada.get(path, status=403)
    found = api_root.get("/bin")["rows"]
    assert [row["title"] for row in found] == [course.title]
    acts = api_root.get(f"/audit?target={course.id}")["rows"]
    assert acts[0]["what"] == "Deleted the course" and acts[0]["changes"] == "Status: Published → Deleted"
    api_ada.post(f"/bin/{found[0]['id']}/restore", {}, status=403)
    api_root.post(f"/bin/{found[0]['id']}/restore", {}, status=204)
    with db.unit_of_work(CHANNEL):
        found_course = queries.get_course(course.id)
        assert found_course.status == "published"
        courses.archive_course(found_course, by=people.root())
    newest = api_root.get(f"/audit?target={course.id}")["rows"][0]["id"]
    api_root.post(f"/audit/{newest}/revert", {}, status=204)
    with db.unit_of_work(CHANNEL):
        assert queries.get_course(course.id).status == "published"
