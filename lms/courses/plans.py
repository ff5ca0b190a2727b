"""Bulk acts on courses: prices, publication, putting away and deleting; one by one through the operations, so that every rule holds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.channels.queries import this_channel
from lms.core import audit, bin, db
from lms.core.clock import now, zone
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid, Refusal
from lms.core.events import Event, emit
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.money import Money, parse
from lms.core.plans import Act, Context, Field, Option, Row, State, register
from lms.courses import operations, policies, queries
from lms.courses.events import CourseEdited, CoursePublished, CourseWithdrawn
from lms.courses.models import Course

STATUSES = {
    "draft": _l("Draft"),
    "submitted": _l("Submitted"),
    "published": _l("Published"),
    "archived": _l("Archived"),
    "deleted": _l("Deleted"),
}
TIMES = ("submitted_at", "published_at", "publish_at", "unpublish_at")
DAYS = ("publish_at", "unpublish_at")
KEPT = ("submitted_at", "published_at", "status_before", "sent_back_reason")  # what a change of status also moves, kept to undo it
TITLE = Field("title", _l("Course"), ("course title", "name", "slug", "address"), shown=False, identifies=True)
STATUS = Field("status", _l("Status"), ("state",), words=STATUSES)
PRICE = Field("price_minor", _l("Price"), ("cost", "amount"), kind="money", currency_key="currency")
CURRENCY = Field("currency", _l("Price currency"), ("currency",), shown=False)
MOVES: dict[str, Callable[..., None]] = {
    "published": operations.publish_course,
    "draft": operations.unpublish_course,
    "archived": operations.archive_course,
    "deleted": operations.delete_course,
}
MAY: dict[str, Callable[[Actor, Course], Decision]] = {
    "published": policies.can_publish,
    "draft": policies.can_unpublish,
    "archived": policies.can_archive,
    "deleted": policies.can_delete,
}


class _Courses(Act):
    """What the acts share: the subject is a course, the wish its status or its price."""

    fields: Sequence[Field] = (STATUS, PRICE)
    lists: Sequence[str] = ("courses.courses",)
    back = "/admin/courses/"

    def allowed(self, by: Actor) -> Decision:
        """Admins; an instructor changes one course at a time on its page."""
        return policies.can_change_many(by)

    def wanted(self, course: Course, context: Context) -> State:
        """The fields as they are wanted."""
        raise NotImplementedError

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Ask the rules for each course."""
        there = _courses_of(rows)
        for row in rows:
            course = there.get(row.subject_id) if row.subject_id else None
            if course is None:
                row.deny(_("This course is not there any more."))
            else:
                judge(row, course, self.wanted(course, context), context.by)

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The courses of the rows."""
        there = _courses_of(rows, lock=lock)
        return {row.number: _state(there[row.subject_id]) for row in rows if row.subject_id and row.subject_id in there}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Do each by its operation; a rule that stands in the way by now refuses the row alone."""
        there = _courses_of(rows)
        for row in rows:
            try:
                with db.session().begin_nested():
                    _change(there[row.subject_id or UUID(int=0)], row.after or {}, context.by)
            except Refusal as refusal:
                row.refuse(refusal.sentence)

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Put status and price back as they were."""
        there = _courses_of(rows)
        for row in rows:
            _put_back(there[row.subject_id or UUID(int=0)], row.before or {}, context.by)


def judge(row: Row, course: Course, wanted: State, by: Actor) -> None:
    """Give a row its verdict: what would change, and whether the rules let it."""
    row.subject_id, row.key, row.label = course.id, str(course.id), course.title
    state = _state(course)
    row.settle(state, {**wanted, **({"currency": state["currency"]} if "price_minor" in wanted else {})})
    if "price_minor" in (row.after or {}):
        row.before, row.after = {**(row.before or {}), "currency": state["currency"]}, {**(row.after or {}), "currency": state["currency"]}
    if row.verdict != "changed":
        return
    status = (row.after or {}).get("status")
    decision = MAY[status](by, course) if status else Decision(True)
    if "price_minor" in (row.after or {}):
        decision = decision & policies.can_set_price(by, course)
    if not decision:
        row.deny(decision.sentence)
    elif faults := _date_faults(course, row.after or {}):
        row.deny(faults)
    elif status == "published" and not queries.count_published(course.id):
        row.deny(_("Publish at least one lesson first: a course without lessons cannot be opened by anybody."))
    elif status:
        row.before = {**(row.before or {}), **{key: state[key] for key in KEPT}}


def _date_faults(course: Course, after: State) -> str:
    """Why these days do not fit the course; "" when they do, or none are asked for."""
    if "publish_at" not in after and "unpublish_at" not in after:
        return ""
    days = [datetime.fromisoformat(after[key]) if after.get(key) else None if key in after else getattr(course, key) for key in DAYS]
    return next(iter(operations.dates_faults(course, *days).values()), "")


def _courses_of(rows: Sequence[Row], *, lock: bool = False) -> dict[UUID, Course]:
    wanted = select(Course).where(Course.id.in_([row.subject_id for row in rows if row.subject_id])).order_by(Course.id)
    if lock:
        wanted = wanted.with_for_update(of=Course).execution_options(populate_existing=True)
    return {course.id: course for course in db.session().scalars(wanted)}


def _state(course: Course) -> State:
    times = {key: moment.isoformat() if (moment := getattr(course, key)) else None for key in TIMES}
    times |= {f"{key}_words": _day(getattr(course, key)) for key in DAYS}
    words = {key: getattr(course, key) for key in ("status_before", "sent_back_reason", "status", "price_minor", "currency")}
    return {**times, **words}


def _day(moment: datetime | None) -> str:
    """A moment as a plan shows it, in the channel's zone."""
    return moment.astimezone(zone(this_channel().zone)).strftime("%Y-%m-%d %H:%M") if moment else ""


def _change(course: Course, after: State, by: Actor) -> None:
    if "publish_at" in after or "unpublish_at" in after:
        days = {key: getattr(course, key) for key in DAYS}
        days |= {key: datetime.fromisoformat(after[key]) if after[key] else None for key in days if key in after}
        operations.set_dates(course, **days, by=by)
    if "price_minor" in after:
        operations.set_price(course, Money(after["price_minor"], after["currency"]), by=by)
    if "status" in after:
        MOVES[after["status"]](course, by=by)


def _put_back(course: Course, before: State, by: Actor) -> None:
    """Write the fields as they were, and tell it: readers of the catalogue hear the status it has again."""
    values: dict[str, Any] = dict(before)
    values = {key: value for key, value in values.items() if not key.endswith("_words")}
    for key in TIMES:
        if key in values:
            values[key] = datetime.fromisoformat(values[key]) if values[key] else None
    if not audit.update(course, "courses.undo", by=by, **values):
        return
    if "status" in before:
        bin.take_out("course", [course.id], by=by)
    course.version += 1
    course.updated_at = now()
    fact: Event = CourseEdited(by=by.user_id, course_id=course.id)
    if "status" in before:
        published = before["status"] == "published"
        fact = (
            CoursePublished(by=by.user_id, course_id=course.id)
            if published
            else CourseWithdrawn(by=by.user_id, course_id=course.id, status=before["status"])
        )
    emit(fact)


@register
class ImportCourses(_Courses):
    """Prices and publication from a list: the export of the courses, edited."""

    name = "courses.import_courses"
    title = _l("Change courses by a list")
    lists = ()
    fields = (TITLE, STATUS, PRICE, CURRENCY)
    twice = _l("The same course stands in line {line}.")

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Find the courses by title or address, then ask the rules."""
        found: dict[str, list[Course]] = {}
        for course in db.session().scalars(select(Course).where(Course.status != "deleted")):
            for words in {course.title.casefold(), course.slug.casefold()}:
                found.setdefault(words, []).append(course)
        for row in rows:
            row.label = row.given.get("title", "")
            matching = found.get(row.label.casefold(), [])
            if len(matching) != 1:
                words = (
                    _("Two courses are called %(name)s. Write the end of its address instead.")
                    if matching
                    else _("There is no course %(name)s.")
                )
                row.deny(words % {"name": row.label[:80] or "–"})
                continue
            try:
                judge(row, matching[0], _read(row, matching[0]), context.by)
            except Refusal as refusal:
                row.deny(refusal.sentence)


def _read(row: Row, course: Course) -> State:
    """Status and price of a line; empty cells leave them as they are."""
    made: State = {}
    status = row.given.get("status")
    if status and status not in STATUSES:
        raise Invalid(_("There is no status %(text)s. Use draft, published or archived.", text=status[:40]))
    if status and status != course.status:
        if status == "submitted":
            raise Invalid(_("Instructors submit their courses themselves. Use draft, published or archived."))
        made["status"] = status
    if price := row.given.get("price_minor"):
        currency = row.given.get("currency", course.currency).upper()
        if currency != this_channel().currency:
            raise Invalid(_("Prices here are in %(currency)s.", currency=this_channel().currency))
        made["price_minor"] = parse(price, currency).minor
    return made or {"status": course.status}


@register
class PriceCourses(_Courses):
    """One price for chosen courses."""

    name = "courses.price_courses"
    title = _l("Set the price")
    icon = "tag"
    fields = (PRICE,)
    options = (Option("price", _l("New price"), kind="money", help=_l("From now on; who bought it already is not touched.")),)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """An amount in the channel's currency, zero or more."""
        price = params.get("price")
        fits = isinstance(price, dict) and isinstance(price.get("minor"), int) and price["minor"] >= 0
        if not fits or price["currency"] != this_channel().currency:  # type: ignore[index]
            sentence = _("Write a price in %(currency)s.", currency=this_channel().currency)
            raise Invalid(sentence, fields={"price": sentence})
        return {"price": price}

    def wanted(self, course: Course, context: Context) -> State:
        """The price asked for."""
        return {"price_minor": context.params["price"]["minor"]}


@register
class PublishCourses(_Courses):
    """Chosen courses go into the catalogue."""

    name = "courses.publish_courses"
    title = _l("Publish")
    icon = "circle-check"
    fields = (STATUS,)
    status = "published"

    def wanted(self, course: Course, context: Context) -> State:
        """The status asked for."""
        return {"status": self.status}


@register
class DateCourses(_Courses):
    """Days on which chosen courses go into the catalogue, and leave it, by themselves."""

    name = "courses.date_courses"
    title = _l("Set publication dates")
    icon = "calendar-clock"
    fields = (
        Field("publish_at_words", _l("Publish on")),
        Field("unpublish_at_words", _l("Out of the catalogue on")),
    )
    options = (
        Option("publish_on", _l("Publish on"), kind="date", required=False, help=_l("At the beginning of that day. Empty: as it is.")),
        Option("unpublish_on", _l("Take out of the catalogue on"), kind="date", required=False, help=_l("Empty: as it is.")),
        Option("clear", _l("Take the days away that stand there now"), kind="checkbox", required=False),
    )

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """At least one day, in order and to come; or none and the wish to take them away."""
        days = {key: _midnight(str(params.get(key) or ""), key) for key in ("publish_on", "unpublish_on")}
        if not any(days.values()) and not params.get("clear"):
            sentence = _("Choose at least one day.")
            raise Invalid(sentence, fields={"publish_on": sentence})
        return {**{key: str(params.get(key) or "") for key in days}, "clear": bool(params.get("clear"))}

    def wanted(self, course: Course, context: Context) -> State:
        """The days asked for, over those that stand."""
        made: State = {}
        for key, name in (("publish_on", "publish_at"), ("unpublish_on", "unpublish_at")):
            moment = _midnight(context.params[key], key) or (None if context.params["clear"] else getattr(course, name))
            made[name] = moment.isoformat() if moment else None
            made[f"{name}_words"] = _day(moment)
        return made


def _midnight(raw: str, key: str) -> datetime | None:
    """The beginning of a day in the channel's zone; None of an empty text."""
    if not raw:
        return None
    try:
        return datetime.combine(date.fromisoformat(raw), time(), zone(this_channel().zone)).astimezone(UTC)
    except ValueError as error:
        sentence = _("Write a day such as 2026-12-24.")
        raise Invalid(sentence, fields={key: sentence}) from error


@register
class WithdrawCourses(PublishCourses):
    """Chosen courses leave the catalogue; those enrolled keep them."""

    name = "courses.withdraw_courses"
    title = _l("Take out of the catalogue")
    icon = "eye-off"
    status = "draft"


@register
class ArchiveCourses(PublishCourses):
    """Chosen courses are put away."""

    name = "courses.archive_courses"
    title = _l("Archive")
    icon = "archive"
    status = "archived"


@register
class DeleteCourses(PublishCourses):
    """Chosen courses go to the bin."""

    name = "courses.delete_courses"
    title = _l("Delete")
    icon = "trash-2"
    tone = "danger"
    status = "deleted"
