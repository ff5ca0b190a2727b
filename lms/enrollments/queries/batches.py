"""Every question about batches of courses: their seats, their people, those who teach them and those who wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import exists, func, or_, select, text

from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.models import AuditRow
from lms.courses.models import Course
from lms.enrollments.errors import NoBatch, NotOnTheList
from lms.enrollments.models import BatchInstructor, CourseBatch, Enrollment, VoucherPlace, Wait
from lms.enrollments.queries.requests import lets_in
from lms.vouchers.models import Batch as VoucherBatch
from lms.vouchers.models import BatchCourse as VoucherCourse

STANDING = ("waiting", "offered")


def get_batch(batch_id: UUID) -> CourseBatch:
    """One batch, deleted ones too; raises NoBatch."""
    found = db.session().scalars(select(CourseBatch).where(CourseBatch.id == batch_id)).one_or_none()
    if found is None:
        raise NoBatch(_("There is no such batch here."))
    return found


def find_batch(batch_id: UUID | None) -> CourseBatch | None:
    """One batch, or nothing."""
    return db.session().scalars(select(CourseBatch).where(CourseBatch.id == batch_id)).one_or_none() if batch_id else None


def standing_batch(batch_id: UUID) -> CourseBatch:
    """One batch that does not lie in the bin; raises NoBatch."""
    found = get_batch(batch_id)
    if found.deleted_at is not None:
        raise NoBatch(_("This batch was deleted. An admin finds it in the bin."))
    return found


def lock_batch(batch_id: UUID) -> CourseBatch:
    """One batch, fresh and locked until the transaction ends; raises NoBatch. Batches are locked before enrolments."""
    db.session().flush()
    wanted = select(CourseBatch).where(CourseBatch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    found = db.session().scalars(wanted).one_or_none()
    if found is None:
        raise NoBatch(_("There is no such batch here."))
    return found


def lock_names(course_id: UUID) -> None:
    """Let nobody else name a batch of this course until the transaction ends."""
    db.session().execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True))


def batch_by_name(course_id: UUID, name: str) -> CourseBatch | None:
    """The batch of a course with that name, in any case of letters."""
    wanted = select(CourseBatch).where(
        CourseBatch.course_id == course_id, func.lower(CourseBatch.name) == name.strip().lower(), CourseBatch.deleted_at.is_(None)
    )
    return db.session().scalars(wanted).one_or_none()


def batches_of(course_id: UUID) -> Sequence[CourseBatch]:
    """The batches of a course, the next to begin first; those without a day last."""
    wanted = select(CourseBatch).where(CourseBatch.course_id == course_id, CourseBatch.deleted_at.is_(None))
    return db.session().scalars(wanted.order_by(CourseBatch.starts_on.asc().nulls_last(), CourseBatch.id)).all()


@dataclass(frozen=True, slots=True)
class Choice:
    """One batch as somebody choosing sees it, with their place on its list if they wait."""

    batch: CourseBatch
    wait: Wait | None
    ahead: int
    somebody_waits: bool

    @property
    def has_place(self) -> bool:
        """Whether this person can have a place now: one held for them, or a free one nobody waits for."""
        if self.wait is not None:
            return self.wait.state == "offered"
        return self.batch.seats is None or not (self.batch.is_full or self.somebody_waits)


def choices_of(course_id: UUID, user_id: UUID | None, day: date) -> list[Choice]:
    """The batches of a course that take people on that day, with where this person stands on their lists. Two queries."""
    found = [batch for batch in batches_of(course_id) if batch.takes_on(day)]
    if not found:
        return []
    wanted = select(Wait).where(Wait.batch_id.in_([batch.id for batch in found]), Wait.state.in_(STANDING)).order_by(Wait.place, Wait.id)
    lists: dict[UUID, list[Wait]] = {}
    for wait in db.session().scalars(wanted):
        lists.setdefault(wait.batch_id, []).append(wait)
    return [_choice(batch, lists.get(batch.id, []), user_id) for batch in found]


def _choice(batch: CourseBatch, waits: Sequence[Wait], user_id: UUID | None) -> Choice:
    own = next((wait for wait in waits if wait.user_id == user_id), None)
    waiting = [wait for wait in waits if wait.state == "waiting"]
    ahead = waiting.index(own) if own in waiting else 0
    return Choice(batch, own, ahead, bool(waiting))


def runs_in_batches(course_id: UUID) -> bool:
    """Whether people enrol themselves in a batch of this course, not in the course alone."""
    there = exists().where(CourseBatch.course_id == course_id, CourseBatch.deleted_at.is_(None), CourseBatch.cancelled_at.is_(None))
    return bool(db.session().scalar(select(there)))


def instructor_ids_of(batch_id: UUID) -> Sequence[UUID]:
    """Who teaches the batch beside the course's own instructor."""
    return db.session().scalars(select(BatchInstructor.user_id).where(BatchInstructor.batch_id == batch_id)).all()


def user_ids_in_batch(batch_id: UUID) -> Sequence[UUID]:
    """Everybody who is in a batch now."""
    wanted = select(Enrollment.user_id).where(Enrollment.batch_id == batch_id, Enrollment.status != "ended")
    return db.session().scalars(wanted.order_by(Enrollment.user_id)).all()


def teaches_batch_of(person: Actor, course_id: UUID) -> bool:
    """Whether this person teaches a batch of the course; asks for staff alone."""
    if not person.is_staff:
        return False
    there = (
        select(BatchInstructor.id)
        .join(CourseBatch, CourseBatch.id == BatchInstructor.batch_id)
        .where(BatchInstructor.user_id == person.user_id, CourseBatch.course_id == course_id, CourseBatch.deleted_at.is_(None))
    )
    return bool(db.session().scalar(select(there.exists())))


def teaches_batch(person: Actor, batch_id: UUID | None) -> bool:
    """Whether this person teaches this batch; asks for staff alone."""
    return person.is_staff and batch_id is not None and person.user_id in instructor_ids_of(batch_id)


def vouchers_for(batch: CourseBatch) -> Sequence[VoucherBatch]:
    """The voucher batches whose codes open the batch's course, newest first."""
    opening = select(VoucherCourse.batch_id).where(VoucherCourse.course_id == batch.course_id)
    wanted = select(VoucherBatch).where(VoucherBatch.id.in_(opening), VoucherBatch.kind == "course")
    return db.session().scalars(wanted.order_by(VoucherBatch.created_at.desc(), VoucherBatch.id).limit(200)).all()


def voucher_batch_ids_of(batch_id: UUID) -> Sequence[UUID]:
    """The voucher batches whose codes give a place in this batch."""
    return db.session().scalars(select(VoucherPlace.voucher_batch_id).where(VoucherPlace.batch_id == batch_id)).all()


def voucher_place(voucher_batch_id: UUID, course_id: UUID) -> CourseBatch | None:
    """The batch of a course that the codes of a voucher batch give a place in; None for the course alone."""
    wanted = select(CourseBatch).join(VoucherPlace, VoucherPlace.batch_id == CourseBatch.id)
    wanted = wanted.where(VoucherPlace.voucher_batch_id == voucher_batch_id, VoucherPlace.course_id == course_id)
    return db.session().scalars(wanted.execution_options(populate_existing=True)).one_or_none()


# --- the waitlist ------------------------------------------------------------------------------------------------------


def get_wait(wait_id: UUID) -> Wait:
    """One entry of a waitlist, over ones too; raises NotOnTheList."""
    found = db.session().scalars(select(Wait).where(Wait.id == wait_id)).one_or_none()
    if found is None:
        raise NotOnTheList(_("Nobody waits here under this address."))
    return found


def wait_of(batch_id: UUID, user_id: UUID | None) -> Wait | None:
    """Where somebody stands on a list, or nothing."""
    wanted = select(Wait).where(Wait.batch_id == batch_id, Wait.user_id == user_id, Wait.state.in_(STANDING))
    return db.session().scalars(wanted).one_or_none()


def lets_in_batch(user_id: UUID | None, course: Course, batch_id: UUID) -> bool:
    """Whether a request that was granted, or a place that is held, opens the batch to somebody."""
    wait = wait_of(batch_id, user_id)
    return lets_in(user_id, course) or (wait is not None and wait.state == "offered")


def waiting_in(batch_id: UUID) -> Sequence[Wait]:
    """Everybody on the list of a batch, those with an offer among them, in order."""
    wanted = select(Wait).where(Wait.batch_id == batch_id, Wait.state.in_(STANDING)).order_by(Wait.place, Wait.id)
    return db.session().scalars(wanted).all()


def waits_of_enrolled() -> Sequence[Wait]:
    """Who waits for a batch of a course they are in by now, batch by batch."""
    is_in = exists().where(Enrollment.user_id == Wait.user_id, Enrollment.course_id == CourseBatch.course_id, Enrollment.status != "ended")
    wanted = select(Wait).join(CourseBatch, CourseBatch.id == Wait.batch_id).where(Wait.state.in_(STANDING), is_in)
    return db.session().scalars(wanted.order_by(Wait.batch_id, Wait.place).limit(500)).all()


def batches_with_free_places() -> Sequence[UUID]:
    """The batches with somebody waiting and a place that is free."""
    waiting = exists().where(Wait.batch_id == CourseBatch.id, Wait.state == "waiting")
    is_free = or_(CourseBatch.seats.is_(None), CourseBatch.taken + CourseBatch.held < CourseBatch.seats)
    wanted = select(CourseBatch.id).where(waiting, is_free, CourseBatch.cancelled_at.is_(None), CourseBatch.deleted_at.is_(None))
    return db.session().scalars(wanted.order_by(CourseBatch.id)).all()


def batch_faults() -> list[str]:
    """What is wrong with this channel's seats, in plain sentences: what a batch counts and what stands agree (I15)."""
    return list(db.session().scalars(FAULTS))


FAULTS = text(
    """
    SELECT 'I15: batch ' || b.id || ' counts ' || b.taken || ' taken and ' || b.held || ' held of '
        || coalesce(b.seats::text, 'any number of') || ' seats; ' || e.taken || ' enrolments and ' || w.held || ' offers stand'
    FROM enrollments.course_batches b
    CROSS JOIN LATERAL (SELECT count(*) AS taken FROM enrollments.enrollments e
        WHERE e.channel_id = b.channel_id AND e.batch_id = b.id AND e.status <> 'ended') e
    CROSS JOIN LATERAL (SELECT count(*) AS held FROM enrollments.waits w
        WHERE w.channel_id = b.channel_id AND w.batch_id = b.id AND w.state = 'offered') w
    WHERE b.taken <> e.taken OR b.held <> w.held OR b.taken + b.held > b.seats LIMIT 20
    """
)


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """How the people of a batch are doing."""

    learning: int
    completed: int
    ended: int
    average: int
    waiting: int
    teacher_ids: Sequence[UUID]
    teachers: str


def figures_of_batch(batch_id: UUID) -> BatchFigures:
    """How many of a batch learn, have completed and have left, their average progress, how many wait, and who teaches it. One query."""
    mine = select(BatchInstructor.user_id).where(BatchInstructor.batch_id == batch_id)
    parts = (func.array_agg(Member.id), func.string_agg(Member.name, ", "))
    ids, names = (select(part).where(Member.id.in_(mine)).scalar_subquery() for part in parts)
    status = Enrollment.status
    waiting = select(func.count()).select_from(Wait).where(Wait.batch_id == batch_id, Wait.state.in_(STANDING)).scalar_subquery()
    counted = select(
        func.count().filter(status == "active"),
        func.count().filter(status == "completed"),
        func.count().filter(status == "ended"),
        func.coalesce(func.avg(Enrollment.progress).filter(status != "ended"), 0),
        waiting,
        ids,
        names,
    ).where(Enrollment.batch_id == batch_id)
    learning, completed, ended, average, queue, teacher_ids, teachers = db.session().execute(counted).one()
    return BatchFigures(learning, completed, ended, round(average), queue, teacher_ids or (), teachers or "")


def history_of_batch(batch_id: UUID, *, most: int) -> Sequence[AuditRow]:
    """The newest audit rows of a batch and of its waitlist."""
    waits = select(Wait.id).where(Wait.batch_id == batch_id)
    own = (AuditRow.target_kind == "course_batches") & (AuditRow.target_id == batch_id)
    listed = (AuditRow.target_kind == "waits") & AuditRow.target_id.in_(waits)
    return db.session().scalars(select(AuditRow).where(own | listed).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(most)).all()


def courses_run_by(by: Actor) -> list[tuple[str, str]]:
    """The courses this person may make a batch of, by title: (id, title)."""
    wanted = select(Course.id, Course.title).where(Course.status.not_in(("deleted", "archived")))
    wanted = wanted if by.is_admin else wanted.where(Course.instructor_id == by.user_id)
    return [(str(one), title) for one, title in db.session().execute(wanted.order_by(func.lower(Course.title), Course.id))]


def places_to_enrol_in() -> list[tuple[str, str]]:
    """The courses and batches somebody can be enrolled in by hand, by title: ("course" or "course:batch", words)."""
    wanted = select(Course.id, Course.title, CourseBatch).outerjoin(
        CourseBatch,
        (CourseBatch.course_id == Course.id) & CourseBatch.deleted_at.is_(None) & CourseBatch.cancelled_at.is_(None),
    )
    found: dict[str, str] = {}
    for course_id, title, batch in db.session().execute(
        wanted.where(Course.status != "deleted").order_by(func.lower(Course.title), Course.id, CourseBatch.starts_on.nulls_last())
    ):
        found.setdefault(str(course_id), title)
        if batch is not None:
            found[f"{course_id}:{batch.id}"] = f"{title} · {batch.name}" + (f" ({left_words(batch)})" if batch.seats is not None else "")
    return list(found.items())


def left_words(batch: CourseBatch) -> str:
    """How many places are left, in words."""
    if batch.left is None:
        return _("as many places as come")
    return ngettext("%(num)s place left", "%(num)s places left", batch.left) if batch.left else _("full")
