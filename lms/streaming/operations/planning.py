"""Planning: one class, or a series of them kept in the wall-clock time of one zone."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from lms.core import audit, db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.enrollments.queries import find_batch
from lms.streaming import queries
from lms.streaming.errors import BadLink, BadTimes, IllegalMove, NoSuchBatch
from lms.streaming.events import SessionMoved, SessionScheduled
from lms.streaming.gateways import PROVIDERS, Provider
from lms.streaming.models import MOST_TIMES, Series, Session

LONGEST = timedelta(hours=12)


class Plan(NamedTuple):
    """What is said about a class when it is planned."""

    title: str
    starts_at: datetime
    ends_at: datetime
    description: str = ""
    join_url: str = ""
    host_id: UUID | None = None
    provider: str = "link"
    batch_id: UUID | None = None


def schedule_session(
    course: Course,
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    description: str = "",
    join_url: str = "",
    host_id: UUID | None = None,
    provider: str = "link",
    batch_id: UUID | None = None,
) -> Session:
    """Plan a class of a course, or of one batch of it; its host is the course's instructor unless named."""
    return _plan(course, Plan(title, starts_at, ends_at, description, join_url, host_id, provider, batch_id), by)


def schedule_series(course: Course, plan: Plan, *, every: str, times: int, zone_name: str, by: Actor) -> list[Session]:
    """Plan a class that repeats: always at the same time of day in that zone, over any change of its clocks."""
    if not 2 <= times <= MOST_TIMES:
        sentence = _("A series has 2 to %(most)s classes.", most=MOST_TIMES)
        raise BadTimes(sentence, fields={"times": sentence})
    length = plan.ends_at - plan.starts_at
    _check_times(plan.starts_at, plan.ends_at)
    series = Series(course_id=course.id, every=every, zone=zone_name, times=times)
    db.session().add(series)
    db.session().flush()
    made = []
    for number, begins in enumerate(occurrences(plan.starts_at, every, times, zone_name), start=1):
        made.append(_plan(course, plan._replace(starts_at=begins, ends_at=begins + length), by, series=series, number=number))
    return made


def occurrences(first: datetime, every: str, times: int, zone_name: str) -> Sequence[datetime]:
    """The moments of a series in UTC; a month without that day takes its last one."""
    place = zone(zone_name)
    local = first.astimezone(place).replace(tzinfo=None)
    found = []
    for number in range(times):
        if every == "month":
            month = local.month - 1 + number
            year, month = local.year + month // 12, month % 12 + 1
            day = local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))
        else:
            day = local + timedelta(days=number * {"day": 1, "week": 7, "fortnight": 14}[every])
        found.append(day.replace(tzinfo=place).astimezone(UTC))
    return found


def _plan(course: Course, plan: Plan, by: Actor, series: Series | None = None, number: int | None = None) -> Session:
    _check_times(plan.starts_at, plan.ends_at)
    _check_batch(course, plan.batch_id)
    session = Session(
        course_id=course.id,
        batch_id=plan.batch_id,
        host_id=plan.host_id or course.instructor_id,
        title=plan.title.strip(),
        description=plan.description.strip(),
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        provider=plan.provider,
        join_url=_provider(plan.provider).check(plan.join_url),
        series_id=series.id if series is not None else None,
        series_number=number,
    )
    db.session().add(session)
    db.session().flush()
    told = {"starts_at": plan.starts_at, "ends_at": plan.ends_at, "course_id": course.id, "batch_id": plan.batch_id}
    audit.record("streaming.schedule", session, by=by, after=told)
    emit(SessionScheduled(by=by.user_id, session_id=session.id, course_id=course.id, is_quiet=(number or 1) > 1))
    return session


def edit_session(
    session: Session,
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    description: str,
    join_url: str,
    by: Actor,
    provider: str = "",
    is_quiet: bool = False,
) -> None:
    """Change what was planned; times and place only while it has not begun. A quiet change is one of several of which the first is told."""
    moved = (starts_at, ends_at) != (session.starts_at, session.ends_at)
    if session.is_over:
        raise IllegalMove(_("This class is over, so its plan stays as it was."))
    if moved:
        if session.state != "scheduled":
            raise IllegalMove(_("The room is open already, so the times stay. End it, then plan a new one."))
        _check_times(starts_at, ends_at)
    provider = provider or session.provider
    if provider != session.provider and session.state != "scheduled":
        raise IllegalMove(_("The room is open already, so the class stays where it is."))
    changed = audit.update(
        session,
        "streaming.edit",
        by=by,
        title=title.strip(),
        starts_at=starts_at,
        ends_at=ends_at,
        description=description.strip(),
        provider=provider,
        join_url=_provider(provider).check(join_url),
    )
    if changed:
        session.version += 1
    if changed and moved:
        emit(SessionMoved(by=by.user_id, session_id=session.id, course_id=session.course_id, is_quiet=is_quiet))


def edit_following(
    session: Session,
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    description: str,
    join_url: str,
    by: Actor,
    provider: str = "",
) -> int:
    """Change this class of a series and those after it that have not begun: times move alike on the clock of the series; how many."""
    series = queries.get_series(session.series_id)
    place = zone(series.zone)
    shift = starts_at.astimezone(place).replace(tzinfo=None) - session.starts_at.astimezone(place).replace(tzinfo=None)
    length = ends_at - starts_at
    change = partial(edit_session, title=title, description=description, join_url=join_url, provider=provider, by=by)
    change(session, starts_at=starts_at, ends_at=ends_at)
    later = [one for one in queries.following_sessions(session) if one.id != session.id]
    for one in later:
        begins = (one.starts_at.astimezone(place).replace(tzinfo=None) + shift).replace(tzinfo=place).astimezone(UTC)
        change(one, starts_at=begins, ends_at=begins + length, is_quiet=True)
    return 1 + len(later)


def _provider(name: str) -> Provider:
    found = PROVIDERS.get(name)
    if found is None:
        sentence = _("Choose where the class happens.")
        raise BadLink(sentence, fields={"provider": sentence})
    return found


def _check_batch(course: Course, batch_id: UUID | None) -> None:
    batch = find_batch(batch_id)
    if batch_id is not None and (batch is None or batch.course_id != course.id or batch.deleted_at is not None):
        sentence = _("There is no such batch in this course. Choose again.")
        raise NoSuchBatch(sentence, fields={"course_id": sentence})


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise BadTimes(_("The end lies before the start."), fields={"ends_at": _("Choose a time after the start.")})
    if ends_at - starts_at > LONGEST:
        raise BadTimes(_("A class lasts 12 hours at most."), fields={"ends_at": _("Choose an end within 12 hours of the start.")})
    if ends_at <= now():
        raise BadTimes(_("That time has passed."), fields={"starts_at": _("Choose a time to come.")})
