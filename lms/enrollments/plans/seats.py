"""Seats in bulk acts: who may enter which batch, counted while it is planned and decided again, under its lock, while it is applied."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, text, tuple_

from lms.core import audit, db
from lms.core.audit import Entry
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.events import emit_many
from lms.core.i18n import gettext as _
from lms.core.plans import Row, State
from lms.core.tenancy import current_channel
from lms.enrollments import queries
from lms.enrollments.events import EnrollmentMoved
from lms.enrollments.models import CourseBatch, Wait
from lms.enrollments.operations import opening_of, today

LEAVE = text("UPDATE enrollments.enrollments SET batch_id = NULL WHERE channel_id = :channel AND id = ANY(CAST(:ids AS uuid[]))")
ENTER = text(
    """
    UPDATE enrollments.enrollments e SET batch_id = w.batch_id, opens_at = w.opens_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:batches AS uuid[]), CAST(:opens AS timestamptz[])) AS w (id, batch_id, opens_at)
    WHERE e.channel_id = :channel AND e.id = w.id
    """
)


def batches_by_words() -> dict[UUID, dict[str, CourseBatch]]:
    """The batches people can be put into, by course and by what a list may call them: name or id."""
    made: dict[UUID, dict[str, CourseBatch]] = {}
    for batch in db.session().scalars(select(CourseBatch).where(CourseBatch.deleted_at.is_(None))):
        made.setdefault(batch.course_id, {}).update({batch.name.casefold(): batch, str(batch.id): batch})
    return made


def closed(batch: CourseBatch) -> str:
    """Why nobody is put into a batch any more; "" while people are."""
    if batch.state_on(today()) in ("cancelled", "closed"):
        return _("%(name)s is cancelled or over.", name=batch.name)
    return ""


def enters(row: Row) -> UUID | None:
    """The batch whose seat a planned row takes; None for one that takes none."""
    return entered(row.before, row.after)


def entered(was: State | None, becomes: State | None) -> UUID | None:
    """The batch whose seat is taken on the way from one state to the other; None when none is."""
    was, becomes = was or {}, becomes or {}
    if not becomes.get("batch_id") or becomes.get("status") == "ended":
        return None
    is_in = was.get("batch_id") == becomes["batch_id"] and was.get("status") != "ended"
    return None if is_in else UUID(str(becomes["batch_id"]))


def deny_the_seatless(rows: Sequence[Row]) -> None:
    """Refuse, while they are planned, the rows for which a batch has no place left; the first come first."""
    wanted = {batch_id for row in rows if row.verdict in ("new", "changed") and (batch_id := enters(row))}
    if not wanted:
        return
    counted = select(CourseBatch).where(CourseBatch.id.in_(wanted)).execution_options(populate_existing=True)
    found = {one.id: one for one in db.session().scalars(counted)}
    held = _held(rows)
    used: Counter[UUID] = Counter()
    for row in rows:
        batch_id = enters(row) if row.verdict in ("new", "changed") else None
        if batch_id is None or batch_id not in found:
            continue
        batch = found[batch_id]
        if fault := closed(batch):
            row.deny(fault)
        elif (_user(row), batch_id) in held:
            continue
        elif batch.left is not None and used[batch_id] >= batch.left:
            row.deny(_("All %(seats)s places of %(name)s are taken or promised.", seats=batch.seats, name=batch.name))
        else:
            used[batch_id] += 1


def lock_batches(ids: Iterable[UUID]) -> None:
    """Lock batches in one order, before any enrolment is."""
    for batch_id in sorted(set(ids), key=str):
        queries.lock_batch(batch_id)


def seat(rows: Sequence[Row], wanted: Mapping[int, tuple[State | None, State | None]]) -> list[Row]:
    """Those of the rows that get the seat they want, or want none; the others are refused. Their batches are locked.

    `wanted` is, by number, what a row is before and after. Places that were held for somebody become theirs.
    """
    entering = {row.number: batch_id for row in rows if (batch_id := entered(*wanted[row.number]))}
    if not entering:
        return list(rows)
    batches = {one: queries.lock_batch(one) for one in sorted(set(entering.values()), key=str)}
    held = _held(rows)
    left = {one: batch.left for one, batch in batches.items()}
    kept = []
    for row in rows:
        batch_id = entering.get(row.number)
        if batch_id is not None and (_user(row), batch_id) not in held:
            free = left[batch_id]
            if batches[batch_id].deleted_at is not None or closed(batches[batch_id]) or free == 0:
                row.refuse(_("No place is left in %(name)s by now.", name=batches[batch_id].name))
                continue
            left[batch_id] = None if free is None else free - 1
        kept.append(row)
    _end_waits({(_user(row), entering[row.number]) for row in kept if row.number in entering})
    return kept


def put(rows: Sequence[Row], wanted: Mapping[int, State], by: Actor) -> None:
    """Write the batch of enrolments that are there already, in two statements: all leave theirs, then each enters its own."""
    moving = [row for row in rows if row.subject_id and "batch_id" in wanted[row.number]]
    if not moving:
        return
    ids = [UUID(one) if (one := wanted[row.number]["batch_id"]) else None for row in moving]
    found = {one: queries.get_batch(one) for one in set(ids) if one is not None}
    opens = [opening_of(found[one]) if one else None for one in ids]
    db.session().execute(LEAVE, {"channel": current_channel(), "ids": [row.subject_id for row in moving]})
    values = {"ids": [row.subject_id for row in moving], "batches": ids, "opens": opens}
    db.session().execute(ENTER, {"channel": current_channel(), **values})
    entries, moved = [], []
    for row, batch_id in zip(moving, ids, strict=True):
        other = (row.after if wanted[row.number] is row.before else row.before) or {}
        if other.get("batch_id") != wanted[row.number]["batch_id"] and row.subject_id:
            entries.append(Entry(row.subject_id, row.label, {"batch_id": other.get("batch_id")}, {"batch_id": batch_id}))
            moved.append(_moved(row, batch_id, by))
    audit.record_many("enrollments.move", "enrollments", entries, by=by)
    emit_many(moved)


def _moved(row: Row, batch_id: UUID | None, by: Actor) -> EnrollmentMoved:
    user_id, _colon, course_id = row.key.partition(":")
    found = {"enrollment_id": row.subject_id or UUID(int=0), "user_id": UUID(user_id), "course_id": UUID(course_id)}
    return EnrollmentMoved(**found, batch_id=batch_id, by=by.user_id)


def _user(row: Row) -> UUID:
    user_id = row.key.partition(":")[0]
    return UUID(user_id) if user_id else UUID(int=0)


def _held(rows: Sequence[Row]) -> set[tuple[UUID, UUID]]:
    """For whom a place is held, among the rows' people: (person, batch)."""
    people = [_user(row) for row in rows]
    offered = select(Wait.user_id, Wait.batch_id).where(Wait.state == "offered", Wait.user_id.in_(people))
    return {(user_id, batch_id) for user_id, batch_id in db.session().execute(offered)}


def _end_waits(pairs: set[tuple[UUID, UUID]]) -> None:
    if not pairs:
        return
    standing = select(Wait).where(tuple_(Wait.user_id, Wait.batch_id).in_(list(pairs)), Wait.state.in_(("waiting", "offered")))
    for wait in db.session().scalars(standing):
        wait.state, wait.ended_at = "taken", now()
    db.session().flush()
