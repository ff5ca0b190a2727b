"""Bulk acts on enrolments: people × courses from a list, chosen people into or out of a course; set-based, with a way back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, tuple_

from lms.auth.queries import email_key
from lms.channels.models import Member
from lms.core import audit, db
from lms.core.audit import Entry
from lms.core.clock import now
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid
from lms.core.events import emit_many
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.ids import uuid7
from lms.core.plans import Act, Context, Field, Option, Row, State, register
from lms.core.references import what_hangs_on
from lms.core.rights import rights_changed
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.enrollments import policies, queries
from lms.enrollments.events import EnrollmentEnded, UserEnrolled
from lms.enrollments.models import Enrollment

STANDING = {"active": _l("Enrolled"), "completed": _l("Completed"), "ended": _l("Ended")}
DOING = {"add": {"add", "enrol", "enroll", "+", "yes", "1"}, "remove": {"remove", "end", "unenrol", "unenroll", "-", "no", "0"}}
NAME = Field("name", _l("Person"), shown=False)
COURSE = Field("course", _l("Course"), ("course title", "title", "slug"), shown=False, identifies=True)
STATUS = Field("status", _l("Status"), words=STANDING)
REASON = Option("note", _l("Reason"), help=_l("It stands with every enrolment; people whose enrolment ends read it."))

INSERT = text(
    """
    INSERT INTO enrollments.enrollments (channel_id, id, user_id, course_id, source, note, status, enrolled_at, enrolled_by)
    SELECT :channel, e.id, e.user_id, e.course_id, 'manual', :note, 'active', :at, :by
    FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:courses AS uuid[])) AS e (id, user_id, course_id)
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
        "user_id": str(row.user_id),
        "course_id": str(row.course_id),
    }


class _Enrolling(Act):
    """What the acts share. A row's key is `user:course`; its subject is the enrolment once there is one."""

    fields: Sequence[Field] = (STATUS,)
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

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The newest enrolment of each row's person and course."""
        there = standing_of([pair for row in rows if (pair := _pair(row))], lock=lock)
        return {row.number: there[pair][1] for row in rows if (pair := _pair(row)) in there and pair}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Enrol who is new, open again what had ended, end what is to end."""
        note = context.params["note"]
        add_enrollments([row for row in rows if row.verdict == "new"], note=note, by=context.by)
        moment = now().isoformat()
        ending = [row for row in rows if row.verdict == "changed" and (row.after or {})["status"] == "ended"]
        change_enrollments(ending, {row.number: {**(row.after or {}), "ended_at": moment} for row in ending}, "enrollments.end", context.by)
        opening = [row for row in rows if row.verdict == "changed" and row not in ending]
        change_enrollments(opening, {row.number: row.after or {} for row in opening}, "enrollments.restore", context.by)

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
        change_enrollments(changed, {row.number: row.before or {} for row in changed}, "enrollments.undo", context.by)


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
    db.session().execute(INSERT, {**values, "ids": ids, "users": [user for user, _c in pairs], "courses": [course for _u, course in pairs]})
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


@register
class ImportEnrollments(_Enrolling):
    """People × courses from one list: added, and where the list says so, removed."""

    name = "enrollments.import_enrollments"
    title = _l("Import enrolments")
    fields = (
        Field("email", _l("E-mail"), ("email address", "mail", "username"), shown=False, identifies=True),
        NAME,
        COURSE,
        Field("do", _l("What to do"), ("do", "action", "what"), shown=False),
        STATUS,
    )
    options = (REASON,)
    twice = _l("The same person and course stand in line {line}.")

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Find people by address and courses by title or address, then what would change."""
        keys = {row.number: email_key(row.given.get("email", "")) for row in rows}
        found = db.session().execute(PEOPLE, {"keys": list(set(keys.values())), "channel": current_channel()})
        people = {person.email_key: person for person in found}
        titles = courses_by_words()
        wishes: dict[int, tuple[UUID, UUID, str]] = {}
        for row in rows:
            row.label = f"{row.given.get('email', '')} · {row.given.get('course', '')}"
            person = people.get(keys[row.number])
            matching = titles.get(row.given.get("course", "").casefold(), set())
            wish = _wish(row)
            if person is None:
                row.deny(_("Nobody here has the address %(address)s. Import the person first.", address=row.given.get("email", "–")[:80]))
            elif len(matching) != 1:
                name = row.given.get("course", "–")[:80]
                row.deny(
                    _("Two courses are called %(name)s. Write the end of its address instead.", name=name)
                    if matching
                    else _("There is no course %(name)s.", name=name)
                )
            elif wish == "leave":
                row.verdict = "same"
            elif not wish:
                row.deny(_("%(text)s is nothing to do here. Use add or remove.", text=row.given["do"][:40]))
            else:
                wishes[row.number] = (person.id, next(iter(matching)), wish)
        self.decide(rows, wishes, context)


@register
class EnrollPeople(_Enrolling):
    """Chosen people into one course."""

    name = "enrollments.enroll_people"
    title = _l("Enrol in a course")
    lists = ("channels.people",)
    icon = "book-open"
    options: Sequence[Option] = (Option("course_id", _l("Course"), kind="select", choices=queries.courses_to_enrol_in), REASON)
    wish = "add"
    back = "/admin/channels/people"

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A course there is, and a reason."""
        params = super().check(params, by)
        if params.get("course_id") not in dict(queries.courses_to_enrol_in()):
            raise Invalid(_("Choose a course."), fields={"course_id": _("Choose a course.")})
        return params

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Each chosen person and the course."""
        chosen = {row.number: UUID(row.key.partition(":")[0]) if row.key else row.subject_id for row in rows}
        members = {one.id: one for one in db.session().scalars(select(Member).where(Member.id.in_(list(chosen.values()))))}
        wishes = {}
        for row in rows:
            person = members.get(chosen[row.number] or UUID(int=0))
            if person is None or person.status == "deleted":
                row.deny(_("This person is not here any more."))
                continue
            row.label = f"{person.name} · {person.email}"
            wishes[row.number] = (person.id, UUID(context.params["course_id"]), self.wish)
        self.decide(rows, wishes, context)


@register
class UnenrollPeople(EnrollPeople):
    """Chosen people out of one course."""

    name = "enrollments.unenroll_people"
    title = _l("Take out of a course")
    icon = "user-minus"
    tone = "danger"
    wish = "remove"


@register
class EndEnrollments(_Enrolling):
    """Chosen enrolments end."""

    name = "enrollments.end_enrollments"
    title = _l("End enrolments")
    lists = ("enrollments.enrollments",)
    icon = "ban"
    tone = "danger"
    options = (REASON,)
    wish = "remove"

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Each chosen enrolment's person and course."""
        found = select(Enrollment.id, Enrollment.user_id, Enrollment.course_id, Enrollment.status, Member.name, Course.title)
        found = found.join(Member, Member.id == Enrollment.user_id).join(Course, Course.id == Enrollment.course_id)
        there = {
            one.id: one for one in db.session().execute(found.where(Enrollment.id.in_([row.subject_id for row in rows if row.subject_id])))
        }
        wishes = {}
        for row in rows:
            one = there.get(row.subject_id) if row.subject_id else None
            if one is None:
                row.deny(_("This enrolment is not there any more."))
                continue
            row.label = f"{one.name} · {one.title}"
            if (one.status == "ended") == (self.wish == "remove"):  # as it is wanted, whatever other enrolment there is
                row.verdict, row.before, row.after = "same", {"status": one.status}, {"status": one.status}
                continue
            wishes[row.number] = (one.user_id, one.course_id, self.wish)
        self.decide(rows, wishes, context)


@register
class RestoreEnrollments(EndEnrollments):
    """Chosen enrolments that ended are open again."""

    name = "enrollments.restore_enrollments"
    title = _l("Open again")
    icon = "rotate-ccw"
    tone = ""
    wish = "add"


def courses_by_words() -> dict[str, set[UUID]]:
    """The courses people can be enrolled in by what a list may call them: title, end of the address, id."""
    made: dict[str, set[UUID]] = {}
    for course_id, title, slug in db.session().execute(select(Course.id, Course.title, Course.slug).where(Course.status != "deleted")):
        for words in {title.casefold(), slug.casefold(), str(course_id)}:
            made.setdefault(words, set()).add(course_id)
    return made


def _wish(row: Row) -> str:
    """add, remove, or leave (an exported row of an enrolment that ended); "" for what is not understood."""
    said = row.given.get("do", "").casefold()
    if said:
        return next((wish for wish, words in DOING.items() if said in words), "")
    return "leave" if row.given.get("status") == "ended" else "add"
