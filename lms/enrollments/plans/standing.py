"""What stands of enrolments, and what changes many of them in a handful of statements: added, ended, opened, dated, taken out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, tuple_

from lms.channels.queries import this_channel
from lms.core import audit, db
from lms.core.audit import Entry
from lms.core.clock import now, zone
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid
from lms.core.events import emit_many
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.ids import uuid7
from lms.core.plans import Act, Context, Field, Option, Row, State
from lms.core.references import what_hangs_on
from lms.core.rights import rights_changed
from lms.core.tenancy import current_channel
from lms.enrollments import policies, queries
from lms.enrollments.events import EnrollmentEnded, UserEnrolled
from lms.enrollments.models import CourseBatch, Enrollment
from lms.enrollments.operations import opening_of
from lms.enrollments.plans import seats

STANDING = {"active": _l("Enrolled"), "completed": _l("Completed"), "ended": _l("Ended")}
NAME = Field("name", _l("Person"), shown=False)
COURSE = Field("course", _l("Course"), ("course title", "title", "slug"), shown=False, identifies=True)
STATUS = Field("status", _l("Status"), words=STANDING)
BATCH = Field("batch", _l("Batch"), ("run", "group", "cohort"))
UNTIL = Field("until", _l("Open until"), ("until", "access until", "expires", "end date", "last day"))
REASON = Option("note", _l("Reason"), help=_l("It stands with every enrolment; people whose enrolment ends read it."))

INSERT = text(
    """
    INSERT INTO enrollments.enrollments (channel_id, id, user_id, course_id, source, note, status, enrolled_at, enrolled_by, until_on,
        batch_id, opens_at)
    SELECT :channel, e.id, e.user_id, e.course_id, 'manual', :note, 'active', :at, :by, e.until_on, e.batch_id, e.opens_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:courses AS uuid[]), CAST(:untils AS date[]),
        CAST(:batches AS uuid[]), CAST(:opens AS timestamptz[])) AS e (id, user_id, course_id, until_on, batch_id, opens_at)
    """
)
UPDATE = text(
    """
    UPDATE enrollments.enrollments e SET status = w.status, ended_at = w.ended_at, ended_reason = w.reason
    FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:ends AS timestamptz[]), CAST(:reasons AS text[]))
        AS w (id, status, ended_at, reason)
    WHERE e.channel_id = :channel AND e.id = w.id
    """
)
DATE = text(
    """
    UPDATE enrollments.enrollments e SET until_on = w.until_on
    FROM unnest(CAST(:ids AS uuid[]), CAST(:untils AS date[])) AS w (id, until_on) WHERE e.channel_id = :channel AND e.id = w.id
    """
)
DELETE = text("DELETE FROM enrollments.enrollments WHERE channel_id = :channel AND id = ANY(CAST(:ids AS uuid[]))")
PEOPLE = text(
    """
    SELECT m.id, m.name, m.email, u.email_key FROM auth.user_ids_of(CAST(:keys AS text[])) u
    JOIN channels.members m ON m.id = u.id WHERE m.channel_id = :channel AND m.status <> 'deleted'
    """
).bindparams(bindparam("keys"))


def standing_of(pairs: Sequence[tuple[UUID, UUID]], *, lock: bool = False) -> dict[tuple[UUID, UUID], tuple[UUID, State]]:
    """The newest enrolment of each person and course, an open one first: its id and what stands of it."""
    if not pairs:
        return {}
    wanted = select(Enrollment, CourseBatch.name).outerjoin(CourseBatch, CourseBatch.id == Enrollment.batch_id)
    wanted = wanted.where(tuple_(Enrollment.user_id, Enrollment.course_id).in_(list(set(pairs)))).order_by(Enrollment.id)
    if lock:
        wanted = wanted.with_for_update(of=Enrollment)
    found: dict[tuple[UUID, UUID], tuple[Enrollment, str | None]] = {}
    for row, batch in db.session().execute(wanted.execution_options(populate_existing=True)):
        pair = (row.user_id, row.course_id)
        if pair not in found or not found[pair][0].is_open:
            found[pair] = (row, batch)
    return {pair: (row.id, _state(row, batch)) for pair, (row, batch) in found.items()}


def _state(row: Enrollment, batch: str | None) -> State:
    return {
        "batch": batch,
        "batch_id": str(row.batch_id) if row.batch_id else None,
        "status": row.status,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "ended_reason": row.ended_reason,
        "progress": row.progress,
        "is_begun": row.last_seen_at is not None,
        "is_paid": row.order_id is not None,
        "completed": row.completed_at is not None,
        "until": row.until_on.isoformat() if row.until_on else None,
        "user_id": str(row.user_id),
        "course_id": str(row.course_id),
    }


class Enrolling(Act):
    """What the acts share. A row's key is `user:course`; its subject is the enrolment once there is one."""

    fields: Sequence[Field] = (BATCH, STATUS, UNTIL)
    back = "/admin/enrollments/"

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_manage(by)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A reason, which every enrolment by hand has."""
        note = str(params.get("note") or "").strip()
        if not note:
            raise Invalid(
                _("Say why, so that others understand it later."), fields={"note": _("Say why, so that others understand it later.")}
            )
        return {**params, "note": note[:500]}

    def decide(
        self,
        rows: Sequence[Row],
        wishes: Mapping[int, tuple[UUID, UUID, str]],
        context: Context,
        batches: Mapping[int, CourseBatch] | None = None,
    ) -> None:
        """Give rows their verdict: (person, course, add or remove) by number, and the batch where one is named."""
        there = standing_of([(user_id, course_id) for user_id, course_id, _wish in wishes.values()])
        for row in rows:
            if row.number not in wishes:
                continue
            user_id, course_id, wish = wishes[row.number]
            row.key = f"{user_id}:{course_id}"
            row.subject_id, state = there.get((user_id, course_id), (None, None))
            _settle(row, state, wish, context.params["note"])
            if row.verdict != "refused":
                _settle_batch(row, state, wish, (batches or {}).get(row.number))
            if row.verdict != "refused":
                _settle_day(row, state, wish, (batches or {}).get(row.number))
        seats.deny_the_seatless(rows)

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The newest enrolment of each row's person and course; batches are locked before it."""
        if lock:
            there = standing_of([pair for row in rows if (pair := _pair(row))])
            named = [(row.before or {}, row.after or {}) for row in rows]
            found = {one.get("batch_id") for pair in named for one in pair} | {state["batch_id"] for _id, state in there.values()}
            seats.lock_batches(UUID(one) for one in found if one)
        there = standing_of([pair for row in rows if (pair := _pair(row))], lock=lock)
        return {row.number: there[pair][1] for row in rows if (pair := _pair(row)) in there and pair}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Enrol who is new, open again what had ended, end what is to end."""
        note, moment = context.params["note"], now().isoformat()
        ending = [row for row in rows if row.verdict == "changed" and (row.after or {}).get("status") == "ended"]
        change_enrollments(ending, {row.number: {**(row.after or {}), "ended_at": moment} for row in ending}, "enrollments.end", context.by)
        rows = seats.seat([row for row in rows if row not in ending], {row.number: (row.before, row.after) for row in rows})
        changed, after = [row for row in rows if row.verdict == "changed"], {row.number: row.after or {} for row in rows}
        seats.put(changed, after, context.by)
        opening = [row for row in changed if "status" in after[row.number]]
        change_enrollments(opening, after, "enrollments.restore", context.by)
        date_enrollments(changed, after, context.by)
        add_enrollments([row for row in rows if row.verdict == "new"], note=note, by=context.by)

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Take out who was enrolled by it and did not begin; put the others back as they were."""
        new = [row for row in rows if row.verdict == "new"]
        there = standing_of([pair for row in new if (pair := _pair(row))])
        hanging = what_hangs_on("enrollments.enrollments", [found[0] for found in there.values()])
        for row in new:
            row.subject_id = there[_pair(row) or (UUID(int=0), UUID(int=0))][0]
            if row.subject_id in hanging:
                row.conflict(_("Something hangs on this enrolment by now: %(what)s.", what=hanging[row.subject_id]))
        remove_enrollments([row for row in new if row.result != "conflict"], by=context.by)
        changed = [row for row in rows if row.verdict == "changed"]
        closing = [row for row in changed if (row.before or {}).get("status") == "ended"]
        change_enrollments(closing, {row.number: row.before or {} for row in closing}, "enrollments.undo", context.by)
        seated = seats.seat([row for row in changed if row not in closing], {row.number: (row.after, row.before) for row in changed})
        for row in changed:
            if row.result == "refused":
                row.conflict(row.reason)
        back = {row.number: row.before or {} for row in changed}
        seats.put([*closing, *seated], back, context.by)
        change_enrollments([row for row in seated if "status" in back[row.number]], back, "enrollments.undo", context.by)
        date_enrollments([*closing, *seated], back, context.by)


def _settle(row: Row, state: State | None, wish: str, note: str) -> None:
    if state is None:
        if wish == "remove":
            row.verdict, row.before, row.after = "same", None, None
        else:
            row.settle(None, {"status": "active", "progress": 0, "is_begun": False})
        return
    is_open = state["status"] != "ended"
    if is_open == (wish == "add"):
        row.verdict, row.before, row.after = "same", {"status": state["status"]}, {"status": state["status"]}
    elif wish == "add":
        row.verdict = "changed"
        row.before = {key: state[key] for key in ("status", "ended_at", "ended_reason")}
        row.after = {"status": "completed" if state["completed"] else "active", "ended_at": None, "ended_reason": ""}
    elif state["is_paid"]:
        row.deny(_("This course was paid for. End it on its own page, where the money is looked at, too."))
    else:
        row.verdict = "changed"
        row.before = {key: state[key] for key in ("status", "ended_at", "ended_reason")}
        row.after = {"status": "ended", "ended_reason": note}


def _settle_batch(row: Row, state: State | None, wish: str, batch: CourseBatch | None) -> None:
    """The batch a line names, on top of what else it does; whoever is in another one is moved."""
    if wish == "remove":
        if batch is not None and state is not None and state["status"] != "ended" and state["batch_id"] != str(batch.id):
            row.deny(_("This person is not in %(name)s.", name=batch.name))
        return
    was = {key: state[key] for key in ("batch", "batch_id")} if state is not None else {"batch": None, "batch_id": None}
    wanted = {"batch": batch.name, "batch_id": str(batch.id)} if batch is not None else was
    opens_again = row.verdict == "changed" and (row.after or {}).get("status") in ("active", "completed")
    if wanted == was and not (opens_again and was["batch_id"]):
        return
    if batch is not None and (fault := seats.closed(batch)):
        row.deny(fault)
        return
    kept = row.verdict == "changed"
    if state is not None:
        row.before = {**(row.before or {} if kept else {}), **was}
        row.verdict = "changed"
    row.after = {**(row.after or {} if kept or state is None else {}), **wanted}


def _settle_day(row: Row, state: State | None, wish: str, batch: CourseBatch | None) -> None:
    """The last day a line names, or its new batch has, on top of what else it does.

    A day that is over stands in the way of nobody who is let in again.
    """
    given = row.given.get("until")
    is_new_here = batch is not None and (state is None or state["batch_id"] != str(batch.id))
    if not given and is_new_here and batch is not None and wish != "remove":
        _date(row, state, batch.ends_on.isoformat() if batch.ends_on else None)
        return
    if wish == "remove":
        return
    today = now().astimezone(zone(this_channel().zone)).date().isoformat()
    if state is None:
        if given:
            row.after = {**(row.after or {}), "until": given}
        return
    wanted = given or (None if "status" in (row.after or {}) and (state["until"] or today) < today else state["until"])
    if wanted == state["until"]:
        return
    if given and state["is_paid"] and not may_last(state, given):
        row.deny(_("This course was paid for, so its last day does not come earlier."))
        return
    _date(row, state, wanted)


def may_last(state: State, until: str) -> bool:
    """Whether what was paid for may have this last day: where the batch gave it one, a later one."""
    return bool(state["batch_id"] and state["until"] and until >= state["until"])


def _date(row: Row, state: State | None, wanted: str | None) -> None:
    if state is None:
        row.after = {**(row.after or {}), **({"until": wanted} if wanted else {})}
        return
    if wanted == state["until"]:
        return
    kept = row.verdict == "changed"
    row.before = {**(row.before or {} if kept else {}), "until": state["until"]}
    row.after = {**(row.after or {} if kept else {}), "until": wanted}
    row.verdict = "changed"


def _pair(row: Row) -> tuple[UUID, UUID] | None:
    user_id, _colon, course_id = row.key.partition(":")
    return (UUID(user_id), UUID(course_id)) if course_id else None


def add_enrollments(rows: Sequence[Row], *, note: str, by: Actor) -> None:
    """Enrol the rows' people by hand in one statement; sets the rows' subjects."""
    if not rows:
        return
    pairs = [pair for row in rows if (pair := _pair(row))]
    ids = [uuid7() for _row in rows]
    values = {"channel": current_channel(), "note": note, "at": now(), "by": by.user_id}
    batches = [UUID(one) if (one := (row.after or {}).get("batch_id")) else None for row in rows]
    found = {one: opening_of(queries.get_batch(one)) for one in set(batches) if one is not None}
    untils = [(row.after or {}).get("until") for row in rows]
    lists = {"ids": ids, "users": [user for user, _c in pairs], "courses": [course for _u, course in pairs], "untils": untils}
    lists |= {"batches": batches, "opens": [found.get(one) if one else None for one in batches]}
    db.session().execute(INSERT, {**values, **lists})
    for row, row_id in zip(rows, ids, strict=True):
        row.subject_id = row_id
    after = [{"user_id": user, "course_id": course, "source": "manual", "note": note} for user, course in pairs]
    entries = [Entry(row_id, row.label, after=state) for row_id, row, state in zip(ids, rows, after, strict=True)]
    audit.record_many("enrollments.enroll", "enrollments", entries, by=by)
    _announce(zip(ids, pairs, strict=True), by)


def change_enrollments(rows: Sequence[Row], wanted: Mapping[int, State], action: str, by: Actor) -> None:
    """End enrolments or open them again, in one statement; sockets of those concerned are checked at once."""
    if not rows:
        return
    states = [wanted[row.number] for row in rows]
    ends = [datetime.fromisoformat(state["ended_at"]) if state.get("ended_at") else None for state in states]
    columns = {"statuses": [state["status"] for state in states], "ends": ends, "reasons": [state["ended_reason"] for state in states]}
    db.session().execute(UPDATE, {"channel": current_channel(), "ids": [row.subject_id for row in rows], **columns})
    entries = [Entry(row.subject_id, row.label, row.before, state) for row, state in zip(rows, states, strict=True) if row.subject_id]
    audit.record_many(action, "enrollments", entries, by=by)
    known = [(row.subject_id, pair, state) for row, state in zip(rows, states, strict=True) if row.subject_id and (pair := _pair(row))]
    emit_many(
        [
            EnrollmentEnded(enrollment_id=row_id, user_id=user, course_id=course, reason=state["ended_reason"], by=by.user_id)
            for row_id, (user, course), state in known
            if state["status"] == "ended"
        ]
    )
    _announce([(row_id, pair) for row_id, pair, state in known if state["status"] != "ended"], by)
    for _row_id, pair, _wanted in known:
        rights_changed(pair[0])


def date_enrollments(rows: Sequence[Row], wanted: Mapping[int, State], by: Actor) -> None:
    """Write the last day of those rows that name one, in one statement."""
    dated = [row for row in rows if row.subject_id and "until" in wanted[row.number]]
    if not dated:
        return
    values = {"ids": [row.subject_id for row in dated], "untils": [wanted[row.number]["until"] for row in dated]}
    db.session().execute(DATE, {"channel": current_channel(), **values})
    entries = [
        Entry(
            row.subject_id,
            row.label,
            {"until_on": ((row.after if wanted[row.number] is row.before else row.before) or {}).get("until")},
            {"until_on": wanted[row.number]["until"]},
        )
        for row in dated
        if row.subject_id
    ]
    audit.record_many("enrollments.set_until", "enrollments", entries, by=by)


def remove_enrollments(rows: Sequence[Row], *, by: Actor) -> None:
    """Take out enrolments that nobody began, as if they had never been; the audit log remembers them."""
    if not rows:
        return
    ids = [row.subject_id for row in rows if row.subject_id]
    db.session().execute(DELETE, {"channel": current_channel(), "ids": ids})
    audit.record_many("enrollments.unenroll", "enrollments", [Entry(row.subject_id, row.label) for row in rows if row.subject_id], by=by)
    for row in rows:
        pair = _pair(row)
        if pair:
            rights_changed(pair[0])


def _announce(made: Any, by: Actor) -> None:
    facts = [
        UserEnrolled(enrollment_id=row_id, user_id=user, course_id=course, source="manual", by=by.user_id)
        for row_id, (user, course) in made
    ]
    emit_many(facts)
