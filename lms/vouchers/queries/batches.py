"""Batches with the courses they open, and the receipts of their changes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select

from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow
from lms.courses.models import Course
from lms.vouchers.models import Batch, BatchCourse, Code


def get_batch(batch_id: UUID) -> Batch:
    """One batch of this channel."""
    found = db.session().scalars(select(Batch).where(Batch.id == batch_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such batch of vouchers here."))
    return found


def lock_batch(batch_id: UUID) -> Batch:
    """The same, locked until the end of the transaction and as it is now."""
    query = select(Batch).where(Batch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no such batch of vouchers here."))
    return found


def find_batch_by_request(request_digest: bytes) -> Batch | None:
    """The batch a form made, if it made one."""
    return db.session().scalars(select(Batch).where(Batch.request_digest == request_digest)).one_or_none()


def replacement_of(batch_id: UUID) -> Batch | None:
    """The newest batch that took the place of this one's codes."""
    return db.session().scalars(select(Batch).where(Batch.replaces_id == batch_id).order_by(Batch.created_at.desc()).limit(1)).one_or_none()


def changes_of(batch_id: UUID, most: int = 20) -> list[AuditRow]:
    """The receipts of a batch's edits and voids, newest first."""
    kinds = ("vouchers.edit_batch", "vouchers.void")
    of_batch = and_(AuditRow.target_kind == "batches", AuditRow.target_id == batch_id, AuditRow.action.in_(kinds))
    return list(db.session().scalars(select(AuditRow).where(of_batch).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(most)))


def voided_after(batch_id: UUID, moment: datetime) -> datetime | None:
    """When the codes of a batch became void that did so first since a moment."""
    query = select(func.min(Code.state_at)).where(Code.batch_id == batch_id, Code.state == "void", Code.state_at >= moment)
    return db.session().scalar(query)


def get_change(batch_id: UUID, change_id: UUID) -> AuditRow:
    """One receipt of a batch."""
    found = db.session().scalars(select(AuditRow).where(AuditRow.id == change_id, AuditRow.target_id == batch_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such change of this batch."))
    return found


def get_batch_by_request(request_digest: bytes) -> Batch:
    """The batch a form made."""
    return db.session().scalars(select(Batch).where(Batch.request_digest == request_digest)).one()


def course_ids_of(batch_id: UUID) -> list[UUID]:
    """The courses a batch opens or is bound to."""
    return list(db.session().scalars(select(BatchCourse.course_id).where(BatchCourse.batch_id == batch_id).order_by(BatchCourse.course_id)))


def courses_by_id(course_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The titles of those courses of this channel, deleted ones aside, by title."""
    query = select(Course.id, Course.title).where(Course.id.in_(set(course_ids)), Course.status != "deleted").order_by(Course.title)
    return {row.id: row.title for row in db.session().execute(query)} if course_ids else {}


def courses_to_choose() -> list[tuple[str, str]]:
    """Every course a code can open or be bound to, by title."""
    query = select(Course.id, Course.title).where(Course.status.in_(("draft", "submitted", "published"))).order_by(Course.title)
    return [(str(course_id), title) for course_id, title in db.session().execute(query)]


def courses_of(batch_id: UUID) -> dict[UUID, str]:
    """The titles of the courses a batch opens or is bound to, by title."""
    query = select(Course.id, Course.title).join(BatchCourse, BatchCourse.course_id == Course.id).where(BatchCourse.batch_id == batch_id)
    return {row.id: row.title for row in db.session().execute(query.order_by(Course.title))}
