"""The read model: what is written for each kind of thing, and writing it twice."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.channels.models import Member
from lms.core import db
from lms.core.ids import uuid7
from lms.courses import operations as courses
from lms.search import operations
from lms.search.models import Document
from tests.factories.courses import a_course
from tests.factories.people import ada, root, sam


def documents(kind: str) -> list[tuple[str, str]]:
    """Title and audience of every document of a kind."""
    rows = db.session().execute(select(Document.title, Document.audience).where(Document.kind == kind).order_by(Document.title))
    return [(title, audience) for title, audience in rows]


def test_index_course__writes_course_and_lessons_once(work: Session) -> None:
    course = a_course("Algebra", lessons=2)
    operations.index_course(course.id)
    operations.index_course(course.id)
    assert documents("course") == [("Algebra", "staff")]
    assert documents("lesson") == [("Lesson 1", "staff"), ("Lesson 2", "staff")]
    courses.publish_ready_lessons(course, by=ada())
    courses.publish_course(course, by=root())
    operations.index_course(course.id)
    assert documents("course") == [("Algebra", "public")]


def test_index_course__forgets_what_was_deleted(work: Session) -> None:
    course = a_course("Algebra")
    operations.index_course(course.id)
    courses.delete_course(course, by=root())
    operations.index_course(course.id)
    assert documents("course") == documents("lesson") == []


def test_index_person__shows_teachers_to_everybody_and_students_to_admins(work: Session) -> None:
    for person in (ada(), sam()):
        assert person.user_id is not None
        operations.index_person(person.user_id)
        operations.index_person(person.user_id)
    assert documents("instructor") == [("Ada Lovelace", "public")]
    assert documents("person") == [("Ada Lovelace", "admin"), ("Sam Student", "admin")]
    member = work.scalars(select(Member).where(Member.id == sam().user_id)).one()
    member.status = "suspended"
    operations.index_person(member.id)
    assert documents("person") == [("Ada Lovelace", "admin")]


def test_rebuild__makes_the_same_again(work: Session) -> None:
    a_course("Algebra", lessons=2)
    sam()
    assert operations.rebuild() == operations.rebuild() == 3 + 5  # a course, two lessons; Ada and Root as people and teachers, Sam as one
    assert [title for title, _audience in documents("person")] == ["Ada Lovelace", "Root Admin", "Sam Student"]


def test_forget__takes_all_of_one_thing(work: Session) -> None:
    course = a_course("Algebra")
    operations.index_course(course.id)
    operations.forget(parent_id=uuid7())
    assert documents("course")
    operations.forget(parent_id=course.id)
    assert not documents("course")


def test_write__replaces_what_is_there(work: Session) -> None:
    ref_id = uuid7()
    row = {"kind": "course", "ref_id": ref_id, "parent_id": ref_id, "title": "One", "audience": "public", "owner_id": None}
    operations.write([row])
    operations.write([{**row, "title": "Two"}])
    operations.write([])
    assert documents("course") == [("Two", "public")]
