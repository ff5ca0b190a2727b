"""Filling the read model: each function re-reads the thing and writes what stands now, so that repeating is harmless.

The read model holds no fact of its own, so nothing here is audited.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from lms.channels.models import Member
from lms.channels.queries import find_member
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import STAFF
from lms.core.ids import uuid7
from lms.core.markdown import plain
from lms.core.tenancy import current_channel
from lms.courses.models import Course, Lesson
from lms.courses.queries import get_course, lessons_of
from lms.search.models import Document
from lms.vouchers.models import Batch
from lms.vouchers.queries import get_batch

BATCH = 500


def index_course(course_id: UUID) -> None:
    """Make a course and its lessons findable as they stand now; a deleted course is found by nobody."""
    one_at_a_time(course_id)
    course = get_course(course_id)
    forget(parent_id=course_id)
    if course.is_deleted:
        return
    lessons = lessons_of(course_id, published_only=False)
    write([_course(course), *(_lesson(lesson, course) for lesson in lessons)])


def index_person(user_id: UUID) -> None:
    """Make a person findable by the admins, and an instructor by everybody; who left is found by nobody."""
    one_at_a_time(user_id)
    forget(parent_id=user_id)
    member = find_member(user_id)
    if member is not None and member.is_active:
        write(_person(member))


def index_batch(batch_id: UUID) -> None:
    """Make a voucher batch findable by the admins, by its label, its purpose and the beginning of its codes."""
    write([_batch(get_batch(batch_id))])


def one_at_a_time(parent_id: UUID) -> None:
    """Wait for whoever indexes the same thing right now, so that what was read last is also written last."""
    db.session().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"search:{parent_id}", 0))))


def rebuild() -> int:
    """Throw the channel's read model away and make it again; how many documents it has now."""
    session = db.session()
    session.execute(delete(Document))
    for course_id in session.scalars(select(Course.id).where(Course.status != "deleted")).all():
        index_course(course_id)
    write([_batch(batch) for batch in session.scalars(select(Batch))])
    people = session.scalars(select(Member).where(Member.status.in_(("active", "invited"))).execution_options(yield_per=BATCH))
    for batch in people.partitions():
        write([document for member in batch for document in _person(member)])
    return session.scalar(select(func.count()).select_from(Document)) or 0


def forget(*, parent_id: UUID) -> None:
    """Take everything out of the read model that belongs to a course or a person."""
    db.session().execute(delete(Document).where(Document.parent_id == parent_id))


def write(documents: list[dict[str, Any]]) -> None:
    """Put documents into the read model; one that is there already is replaced."""
    if not documents:
        return
    moment, channel_id = now(), current_channel()
    rows = [{"id": uuid7(), "channel_id": channel_id, "indexed_at": moment, "slug": "", "note": "", "body": "", **row} for row in documents]
    statement = insert(Document).values(rows)
    names = ("parent_id", "title", "note", "body", "slug", "audience", "owner_id", "indexed_at")
    db.session().execute(
        statement.on_conflict_do_update(
            index_elements=["channel_id", "kind", "ref_id"], set_={name: statement.excluded[name] for name in names}
        )
    )


def _course(course: Course) -> dict[str, Any]:
    return {
        "kind": "course",
        "ref_id": course.id,
        "parent_id": course.id,
        "title": course.title,
        "note": course.instructor.name,
        "body": f"{course.summary}\n{course.category.name if course.category else ''}\n{plain(course.description)}",
        "slug": course.slug,
        "audience": "public" if course.is_published else "staff",
        "owner_id": course.instructor_id,
    }


def _lesson(lesson: Lesson, course: Course) -> dict[str, Any]:
    return {
        "kind": "lesson",
        "ref_id": lesson.id,
        "parent_id": course.id,
        "title": lesson.title,
        "note": course.title,
        "body": "",
        "slug": "",
        "audience": "staff",
        "owner_id": course.instructor_id,
    }


def _person(member: Member) -> list[dict[str, Any]]:
    """An admin finds everybody by name and address; everybody finds those who teach, by name and what they say about themselves."""
    shared = {"ref_id": member.id, "parent_id": member.id, "title": member.name, "slug": "", "owner_id": member.id}
    found = [{**shared, "kind": "person", "note": member.email, "body": member.phone, "audience": "admin"}]
    if member.role in STAFF and member.status == "active":
        found.append({**shared, "kind": "instructor", "note": member.title, "body": plain(member.bio), "audience": "public"})
    return found


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "kind": "batch",
        "ref_id": batch.id,
        "parent_id": batch.id,
        "title": batch.label,
        "note": batch.prefix,
        "body": batch.purpose,
        "slug": "",
        "audience": "admin",
        "owner_id": batch.owner_id,
    }
