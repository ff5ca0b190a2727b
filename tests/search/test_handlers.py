"""Facts become documents, after the commit."""

from sqlalchemy import select

from lms.channels import operations as channels
from lms.channels.queries import get_member
from lms.core import db
from lms.courses import operations as courses
from lms.courses import queries as course_queries
from lms.search import jobs, operations, queries
from lms.search.models import Document
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course
from tests.factories.people import ada, root, sam
from tests.factories.vouchers import a_batch


def found(kind: str) -> list[tuple[str, str]]:
    """Title and audience of what is indexed."""
    with db.unit_of_work(CHANNEL) as session:
        return [
            (title, audience) for title, audience in session.execute(select(Document.title, Document.audience).where(Document.kind == kind))
        ]


def test_index_published_course__and_withdrawn_and_deleted(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=1, published=True)
    run_jobs()
    assert found("course") == [("Algebra", "public")] and found("lesson") == [("Lesson 1", "staff")]
    with db.unit_of_work(CHANNEL):
        courses.archive_course(course_queries.get_course(course.id), by=root())
    run_jobs()
    assert found("course") == [("Algebra", "staff")]
    with db.unit_of_work(CHANNEL):
        courses.delete_course(course_queries.get_course(course.id), by=root())
    run_jobs()
    assert found("course") == [] and outbox_errors() == []


def test_index_edited_course__and_its_lessons(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=1)
        lesson = course_queries.lessons_of(course.id, published_only=False)[0]
        courses.edit_course(course, version=course.version, by=root(), title="Geometry")
        courses.edit_lesson(lesson, version=lesson.version, by=root(), title="Circles", kind="text", body="x", is_preview=False)
    run_jobs()
    assert found("course") == [("Geometry", "staff")] and found("lesson") == [("Circles", "staff")]


def test_index_edited_member__finds_the_new_name(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        person = sam()
        assert person.user_id is not None
        channels.edit_person(get_member(person.user_id), {"name": "Samuel Newname"}, by=root())
    run_jobs()
    assert ("Samuel Newname", "admin") in found("person")


def test_index_new_member__changed_role_and_suspended(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        person = sam()
    run_jobs()
    assert ("Sam Student", "admin") in found("person") and found("instructor") == []
    assert person.user_id is not None
    with db.unit_of_work(CHANNEL):
        channels.change_role(get_member(person.user_id), "instructor", by=root())
    run_jobs()
    assert ("Sam Student", "public") in found("instructor")
    with db.unit_of_work(CHANNEL):
        channels.suspend(get_member(person.user_id), by=root())
    run_jobs()
    assert ("Sam Student", "public") not in found("instructor") and ("Sam Student", "admin") not in found("person")


def test_rebuild__as_a_job(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Algebra")
        operations.rebuild()
        jobs.rebuild.later()
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert queries.newest_document() is not None
    assert outbox_errors() == []


def test_index_new_batch__is_found_by_admins_alone(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        a_batch(purpose="Spring campaign")
    run_jobs()
    assert found("batch") == [("Spring", "admin")]
    with db.unit_of_work(CHANNEL):
        assert [hit.title for hit in queries.find("campaign", by=root(), kinds=("batch",)).hits] == ["Spring"]
        assert queries.find("campaign", by=ada(), kinds=("batch",)).hits == []
