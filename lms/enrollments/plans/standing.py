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
from lms.enrollments import policies
from lms.enrollments.events import EnrollmentEnded, UserEnrolled
from lms.enrollments.models import Enrollment

STANDING = {"active": _l("Enrolled"), "completed": _l("Completed"), "ended": _l("Ended")}
NAME = Field("name", _l("Person"), shown=False)
COURSE = Field("course", _l("Course"), ("course title", "title", "slug"), shown=False, identifies=True)
STATUS = Field("status", _l("Status"), words=STANDING)
UNTIL = Field("until", _l("Open until"), ("until", "access until", "expires", "end date", "last day"))
REASON = Option("note", _l("Reason"), help=_l("It stands with every enrolment; people whose enrolment ends read it."))

INSERT = text(
    """
    INSERT INTO enrollments.enrollments (channel_id, id, user_id, course_id, source, note, status, enrolled_at, enrolled_by, until_on)
    SELECT :channel, e.id, e.user_id, e.course_id, 'manual', :note, 'active', :at, :by, e.until_on
    FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:courses AS uuid[]), CAST(:untils AS date[]))
        AS e (id, user_id, course_id, until_on)
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
    wanted = select(Enrollment).where(tuple_(Enrollment.user_id, Enrollment.course_id).in_(list(set(pairs)))).order_by(Enrollment.id)
    if lock:
        wanted = wanted.with_for_update()
    found: dict[tuple[UUID, UUID], Enrollment] = {}
    for row in db.session().scalars(wanted.execution_options(populate_existing=True)):
        pair = (row.user_id, row.course_id)
        if pair not in found or not found[pair].is_open:
            found[pair] = row
    return {pair: (row.id, _state(row)) for pair, row in found.items()}


def _state(row: Enrollment) -> State:
    return {
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

    fields: Sequence[Field] = (STATUS, UNTIL)
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

    def decide(self, rows: Sequence[Row], wishes: Mapping[int, tuple[UUID, UUID, str]], context: Context) -> None:
        """Give rows their verdict: (person, course, add or remove) by number."""
        there = standing_of([(user_id, course_id) for user_id, course_id, _wish in wishes.values()])
        for row in rows:
            if row.number not in wishes:
                continue
            user_id, course_id, wish = wishes[row.number]
            row.key = f"{user_id}:{course_id}"
            row.subject_id, state = there.get((user_id, course_id), (None, None))
            _settle(row, state, wish, context.params["note"])
            if row.verdict != "refused":
                _settle_day(row, state, wish)

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The newest enrolment of each row's person and course."""
        there = standing_of([pair for row in rows if (pair := _pair(row))], lock=lock)
        return {row.number: there[pair][1] for row in rows if (pair := _pair(row)) in there and pair}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Enrol who is new, open again what had ended, end what is to end."""
        note = context.params["note"]
        add_enrollments([row for row in rows if row.verdict == "new"], note=note, by=context.by)
        moment = now().isoformat()
        moving = [row for row in rows if row.verdict == "changed" and "status" in (row.after or {})]
        ending = [row for row in moving if (row.after or {})["status"] == "ended"]
        change_enrollments(ending, {row.number: {**(row.after or {}), "ended_at": moment} for row in ending}, "enrollments.end", context.by)
        opening = [row for row in moving if (row.after or {})["status"] != "ended"]
        change_enrollments(opening, {row.number: row.after or {} for row in opening}, "enrollments.restore", context.by)
        date_enrollments([row for row in rows if row.verdict == "changed"], {row.number: row.after or {} for row in rows}, context.by)

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
        moved = [row for row in changed if "status" in (row.before or {})]
        change_enrollments(moved, {row.number: row.before or {} for row in moved}, "enrollments.undo", context.by)
        date_enrollments(changed, {row.number: row.before or {} for row in changed}, context.by)


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


def _settle_day(row: Row, state: State | None, wish: str) -> None:
    """The last day a line names, on top of what else it does; a day that is over stands in the way of nobody who is let in again."""
    given = row.given.get("until")
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
    if given and state["is_paid"]:
        row.deny(_("This course was paid for, so it has no last day."))
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
    untils = [(row.after or {}).get("until") for row in rows]
    lists = {"ids": ids, "users": [user for user, _c in pairs], "courses": [course for _u, course in pairs], "untils": untils}
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
