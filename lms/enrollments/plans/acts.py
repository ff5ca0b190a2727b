"""Bulk acts on enrolments: people × courses from a list, chosen people into or out of a course, another last day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.auth.queries import email_key
from lms.channels.models import Member
from lms.channels.queries import this_channel
from lms.core import db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.plans import Context, Field, Option, Row, register
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.enrollments import queries
from lms.enrollments.models import CourseBatch, Enrollment
from lms.enrollments.plans import seats
from lms.enrollments.plans.standing import BATCH, COURSE, NAME, PEOPLE, REASON, STATUS, UNTIL, Enrolling
from lms.enrollments.reports.lists import batch_options

EXTENDING = {"extend", "until"}
MOVING = {"move", "to"}
DOING = {
    "add": {"add", "enrol", "enroll", "+", "yes", "1", *EXTENDING, *MOVING},
    "remove": {"remove", "end", "unenrol", "unenroll", "-", "no", "0"},
}


@register
class ImportEnrollments(Enrolling):
    """People × courses from one list: added, and where the list says so, extended or removed."""

    name = "enrollments.import_enrollments"
    title = _l("Import enrolments")
    fields = (
        Field("email", _l("E-mail"), ("email address", "mail", "username"), shown=False, identifies=True),
        NAME,
        COURSE,
        BATCH,
        Field("do", _l("What to do"), ("do", "action", "what"), shown=False),
        STATUS,
        UNTIL,
    )
    options = (REASON,)
    twice = _l("The same person and course stand in line {line}.")

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Find people by address and courses by title or address, then what would change."""
        keys = {row.number: email_key(row.given.get("email", "")) for row in rows}
        found = db.session().execute(PEOPLE, {"keys": list(set(keys.values())), "channel": current_channel()})
        people = {person.email_key: person for person in found}
        titles, runs = courses_by_words(), seats.batches_by_words()
        wishes: dict[int, tuple[UUID, UUID, str]] = {}
        batches: dict[int, CourseBatch] = {}
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
            elif fault := _day_fault(row):
                row.deny(fault)
            elif wish == "leave":
                row.verdict = "same"
            elif not wish:
                row.deny(_("%(text)s is nothing to do here. Use add, extend, move or remove.", text=row.given["do"][:40]))
            elif fault := _batch_fault(row, runs.get(next(iter(matching)), {}), batches):
                row.deny(fault)
            else:
                wishes[row.number] = (person.id, next(iter(matching)), wish)
        self.decide(rows, wishes, context, batches)


@register
class EnrollPeople(Enrolling):
    """Chosen people into one course, or into one of its batches."""

    name = "enrollments.enroll_people"
    title = _l("Enrol in a course")
    lists = ("channels.people",)
    icon = "book-open"
    options: Sequence[Option] = (Option("course_id", _l("Course"), kind="select", choices=queries.places_to_enrol_in), REASON)
    wish = "add"
    back = "/admin/channels/people"

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A course there is, and a reason."""
        params = super().check(params, by)
        if params.get("course_id") not in dict(queries.places_to_enrol_in()):
            raise Invalid(_("Choose a course."), fields={"course_id": _("Choose a course.")})
        return params

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Each chosen person and the course."""
        chosen = {row.number: UUID(row.key.partition(":")[0]) if row.key else row.subject_id for row in rows}
        members = {one.id: one for one in db.session().scalars(select(Member).where(Member.id.in_(list(chosen.values()))))}
        course_id, _colon, batch_id = str(context.params["course_id"]).partition(":")
        batch = queries.find_batch(UUID(batch_id)) if batch_id else None
        wishes, batches = {}, {}
        for row in rows:
            person = members.get(chosen[row.number] or UUID(int=0))
            if person is None or person.status == "deleted":
                row.deny(_("This person is not here any more."))
                continue
            row.label = f"{person.name} · {person.email}"
            wishes[row.number] = (person.id, UUID(course_id), self.wish)
            if batch is not None:
                batches[row.number] = batch
        self.decide(rows, wishes, context, batches)


@register
class UnenrollPeople(EnrollPeople):
    """Chosen people out of one course."""

    name = "enrollments.unenroll_people"
    title = _l("Take out of a course")
    icon = "user-minus"
    tone = "danger"
    wish = "remove"


@register
class EndEnrollments(Enrolling):
    """Chosen enrolments end."""

    name = "enrollments.end_enrollments"
    title = _l("End enrolments")
    lists = ("enrollments.enrollments", "enrollments.batch_people")
    icon = "ban"
    tone = "danger"
    options: Sequence[Option] = (REASON,)
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
class ExtendEnrollments(EndEnrollments):
    """Chosen enrolments stay open until another day, or without an end."""

    name = "enrollments.extend_enrollments"
    title = _l("Set the last day")
    icon = "calendar-clock"
    tone = ""
    fields: Sequence[Field] = (UNTIL,)
    options = (
        Option("until", _l("Open until"), kind="date", required=False, help=_l("The last day on which the course is open. Empty: no end.")),
        REASON,
    )

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A day to come, or none; and a reason."""
        params = super().check(params, by)
        if params.get("until") and (fault := day_fault(str(params["until"]))):
            raise Invalid(fault, fields={"until": fault})
        return {"note": params["note"], "until": str(params.get("until") or "")}

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Each chosen enrolment that is open."""
        wanted = select(Enrollment, Member.name, Course.title).join(Member, Member.id == Enrollment.user_id)
        wanted = wanted.join(Course, Course.id == Enrollment.course_id).where(Enrollment.id.in_([row.subject_id for row in rows]))
        there = {one.Enrollment.id: one for one in db.session().execute(wanted)}
        for row in rows:
            one = there.get(row.subject_id) if row.subject_id else None
            if one is None or not one.Enrollment.is_open:
                row.deny(_("This enrolment is not open any more."))
                continue
            row.label, row.key = f"{one.name} · {one.title}", f"{one.Enrollment.user_id}:{one.Enrollment.course_id}"
            until = one.Enrollment.until_on
            wanted_day = context.params["until"]
            is_longer = one.Enrollment.batch_id is not None and until is not None and (not wanted_day or wanted_day >= until.isoformat())
            if one.Enrollment.order_id is not None and not is_longer:
                row.deny(_("This course was paid for, so its last day does not come earlier."))
                continue
            row.settle({"until": until.isoformat() if until else None}, {"until": context.params["until"] or None})


@register
class RestoreEnrollments(EndEnrollments):
    """Chosen enrolments that ended are open again."""

    name = "enrollments.restore_enrollments"
    title = _l("Open again")
    icon = "rotate-ccw"
    tone = ""
    wish = "add"


@register
class MoveEnrollments(EndEnrollments):
    """Chosen enrolments are in another batch of their course."""

    name = "enrollments.move_enrollments"
    title = _l("Move to another batch")
    icon = "move"
    tone = ""
    fields: Sequence[Field] = (BATCH, STATUS, UNTIL)
    options = (Option("batch", _l("Batch"), kind="select", choices=batch_options), REASON)
    wish = "move"

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A batch there is, and a reason."""
        params = super().check(params, by)
        if params.get("batch") not in dict(batch_options()):
            raise Invalid(_("Choose a batch."), fields={"batch": _("Choose a batch.")})
        return params

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Each chosen enrolment of the batch's course that is open."""
        batch = queries.get_batch(UUID(context.params["batch"]))
        wanted = select(Enrollment, Member.name, Course.title).join(Member, Member.id == Enrollment.user_id)
        wanted = wanted.join(Course, Course.id == Enrollment.course_id).where(Enrollment.id.in_([row.subject_id for row in rows]))
        there = {one.Enrollment.id: one for one in db.session().execute(wanted)}
        wishes = {}
        for row in rows:
            one = there.get(row.subject_id) if row.subject_id else None
            if one is None or not one.Enrollment.is_open:
                row.deny(_("This enrolment is not open any more."))
                continue
            row.label = f"{one.name} · {one.title}"
            if one.Enrollment.course_id != batch.course_id:
                row.deny(_("%(name)s is a batch of another course.", name=batch.name))
                continue
            wishes[row.number] = (one.Enrollment.user_id, one.Enrollment.course_id, "add")
        self.decide(rows, wishes, context, dict.fromkeys(wishes, batch))


def courses_by_words() -> dict[str, set[UUID]]:
    """The courses people can be enrolled in by what a list may call them: title, end of the address, id."""
    made: dict[str, set[UUID]] = {}
    for course_id, title, slug in db.session().execute(select(Course.id, Course.title, Course.slug).where(Course.status != "deleted")):
        for words in {title.casefold(), slug.casefold(), str(course_id)}:
            made.setdefault(words, set()).add(course_id)
    return made


def _batch_fault(row: Row, runs: Mapping[str, CourseBatch], batches: dict[int, CourseBatch]) -> str:
    """What is wrong with the batch of a line; "" when nothing is, and then it stands in `batches`."""
    said = row.given.get("batch", "")
    if not said:
        return _("Say into which batch, in the column Batch.") if row.given.get("do", "").casefold() in MOVING else ""
    found = runs.get(said.casefold())
    if found is None:
        return _("This course has no batch %(name)s.", name=said[:80])
    batches[row.number] = found
    return ""


def _wish(row: Row) -> str:
    """add, remove, or leave (an exported row of an enrolment that ended); "" for what is not understood."""
    said = row.given.get("do", "").casefold()
    if said:
        return next((wish for wish, words in DOING.items() if said in words), "")
    return "leave" if row.given.get("status") == "ended" else "add"


def _day_fault(row: Row) -> str:
    """What is wrong with the day of a line; "" when nothing is. Reads it into the form it is stored in."""
    given = row.given.get("until", "")
    if not given:
        return _("Say until when, in the column Open until.") if row.given.get("do", "").casefold() in EXTENDING else ""
    row.given["until"] = given[:10]
    if row.given.get("status") == "ended":
        return ""
    return day_fault(given)


def day_fault(text: str) -> str:
    """Why a text is no day to come; "" when it is one."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return _("%(text)s is no day. Write it such as 2026-12-24.", text=text[:40])
    return "" if day >= now().astimezone(zone(this_channel().zone)).date() else _("The day %(text)s is over.", text=text[:10])
