"""Sessions, how people stand to them, and who was there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import contains_eager

from lms.channels.models import Member
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.enrollments.models import CourseBatch, Enrollment
from lms.streaming.models import EARLY, Series, Session, Visit

PAGE_QUIET = timedelta(minutes=3)
IS_MEANT = or_(Session.batch_id.is_(None), Session.batch_id == Enrollment.batch_id)  # a class of a batch is for its people


@dataclass(frozen=True, slots=True)
class Standing:
    """How one person stands to one session: what every decision about it needs, from one SELECT."""

    session: Session
    instructor_id: UUID
    enrolled: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """One unbroken stay of a person, merged from visits that touch or overlap."""

    joined_at: datetime
    left_at: datetime

    @property
    def seconds(self) -> int:
        """How long it was."""
        return int((self.left_at - self.joined_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Attendance:
    """One person's presence in a session: merged stays, never counted twice."""

    user_id: UUID
    name: str
    email: str
    stays: tuple[Stay, ...]

    @property
    def seconds(self) -> int:
        """How long the person was there."""
        return sum(stay.seconds for stay in self.stays)


def get_session(session_id: UUID) -> Session:
    """One session with its course, batch and host."""
    found = db.session().scalars(with_course().where(Session.id == session_id)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such live class."))
    return found


def states_of(session_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Where several classes stand, in one query."""
    rows = db.session().execute(select(Session.id, Session.state).where(Session.id.in_(list(session_ids))))
    return {row.id: row.state for row in rows}


def get_standing(session_id: UUID, user_id: UUID | None) -> Standing:
    """One session, without its course and host, and how a person stands to it: one light SELECT; raises NotFound."""
    enrolled = and_(Enrollment.course_id == Session.course_id, Enrollment.user_id == user_id, Enrollment.status != "ended", IS_MEANT)
    query = (
        select(Session, Course.instructor_id, Enrollment.id)
        .join(Session.course)
        .outerjoin(Enrollment, enrolled if user_id else false())
        .where(Session.id == session_id)
    )
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound(_("There is no such live class."))
    return Standing(row[0], row[1], row[2] is not None)


def standings_of(session_id: UUID, user_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """How several people stand to one session, in two SELECTs; empty when the session is gone."""
    query = select(Session, Course.instructor_id).join(Session.course).where(Session.id == session_id)
    row = db.session().execute(query).first()
    if row is None:
        return {}
    session, instructor_id = row
    open_to = select(Enrollment.user_id).where(
        Enrollment.course_id == session.course_id, Enrollment.user_id.in_(user_ids), Enrollment.status != "ended"
    )
    if session.batch_id is not None:
        open_to = open_to.where(Enrollment.batch_id == session.batch_id)
    enrolled = set(db.session().scalars(open_to))
    return {user_id: Standing(session, instructor_id, user_id in enrolled) for user_id in user_ids}


def stay_of(visit: Any) -> Any:
    """The stretch of time of a visit that counts: from the join to the leave or last sign of life, while the room stood open."""
    left_at = func.greatest(func.coalesce(visit.left_at, visit.seen_at), visit.joined_at)
    stood = func.tstzrange(func.coalesce(Session.opened_at, Session.starts_at), Session.ended_at, "[]")  # no end yet: without bound
    return func.tstzrange(visit.joined_at, left_at, "[]").op("*")(stood)


def absentees_of(session: Session, *, limit: int = 500) -> Sequence[tuple[UUID, str]]:
    """Who was in the course while the class was on and did not come: (id, name), by name."""
    over = session.ended_at or session.ends_at
    came = select(Visit.id).where(Visit.session_id == session.id, Visit.user_id == Enrollment.user_id).exists()
    query = (
        select(Member.id, Member.name)
        .join(Enrollment, Enrollment.user_id == Member.id)
        .where(
            Enrollment.course_id == session.course_id,
            true() if session.batch_id is None else Enrollment.batch_id == session.batch_id,
            Enrollment.enrolled_at <= over,
            or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > (session.started_at or session.starts_at)),
            ~came,
        )
        .distinct()
        .order_by(Member.name, Member.id)
        .limit(limit)
    )
    return [(row.id, row.name) for row in db.session().execute(query)]


@dataclass(frozen=True, slots=True)
class Attended:
    """One live class somebody came to, with how long they were there."""

    session_id: UUID
    title: str
    course: str
    starts_at: datetime
    seconds: int


def attended_by(user_id: UUID, *, limit: int = 20) -> list[Attended]:
    """The live classes a person came to, newest first: overlapping visits count once. One query."""
    merged = (
        select(Visit.session_id, func.unnest(func.range_agg(stay_of(Visit))).label("stay"))
        .join(Session, Session.id == Visit.session_id)
        .where(Visit.user_id == user_id)
        .group_by(Visit.session_id)
        .subquery()
    )
    seconds = func.sum(func.extract("epoch", func.upper(merged.c.stay) - func.lower(merged.c.stay)))
    query = (
        select(Session.id, Session.title, Course.title, Session.starts_at, seconds)
        .join(merged, merged.c.session_id == Session.id)
        .join(Course, Course.id == Session.course_id)
        .group_by(Session.channel_id, Session.id, Course.title)
        .order_by(Session.starts_at.desc(), Session.id)
        .limit(limit)
    )
    return [Attended(*row[:4], int(row[4])) for row in db.session().execute(query)]


def with_course() -> Select[Session]:
    """Sessions with their course, batch and host."""
    loaded = (contains_eager(Session.course), contains_eager(Session.batch), contains_eager(Session.host))
    return select(Session).join(Session.course).outerjoin(Session.batch).join(Session.host).options(*loaded)


def courses_to_teach(by: Actor) -> Sequence[tuple[str, str]]:
    """The courses this actor may plan classes for, each with its batches behind it, by title: ("course" or "course:batch", words)."""
    runs = and_(CourseBatch.course_id == Course.id, CourseBatch.deleted_at.is_(None), CourseBatch.cancelled_at.is_(None))
    query = select(Course.id, Course.title, CourseBatch.id, CourseBatch.name).outerjoin(CourseBatch, runs)
    query = query.where(Course.status.not_in(("archived", "deleted")))
    if not by.is_admin:
        query = query.where(Course.instructor_id == by.user_id)
    found: dict[str, str] = {}
    for course_id, title, batch_id, name in db.session().execute(
        query.order_by(Course.title, Course.id, CourseBatch.starts_on.nulls_last(), CourseBatch.id)
    ):
        found.setdefault(str(course_id), title)
        if batch_id is not None:
            found[f"{course_id}:{batch_id}"] = f"{title} · {name}"
    return list(found.items())


def is_open_to(user_id: UUID) -> ColumnElement[bool]:
    """The condition for the sessions of a person: those they are enrolled for, host or teach; `with_course` has what it asks."""
    mine = select(Enrollment.id).where(
        Enrollment.user_id == user_id, Enrollment.course_id == Session.course_id, Enrollment.status != "ended", IS_MEANT
    )
    return or_(mine.correlate(Session).exists(), Session.host_id == user_id, Course.instructor_id == user_id)


def sessions_of_batch(batch_id: UUID) -> Sequence[Session]:
    """The classes of a batch, soonest first."""
    return db.session().scalars(with_course().where(Session.batch_id == batch_id).order_by(Session.starts_at, Session.id).limit(200)).all()


def upcoming_sessions(user_id: UUID, *, limit: int = 50) -> Sequence[Session]:
    """The sessions to come and running that a person is enrolled for, hosts or teaches, soonest first."""
    query = (
        with_course()
        .where(
            is_open_to(user_id),
            Session.state.in_(("scheduled", "open", "live")),
        )
        .order_by(Session.starts_at, Session.id)
        .limit(limit)
    )
    return db.session().scalars(query).all()


def past_sessions(user_id: UUID, *, limit: int = 20) -> Sequence[Session]:
    """The sessions that are over of the courses a person is in, newest first."""
    query = (
        with_course()
        .where(
            is_open_to(user_id),
            Session.state.in_(("ended", "recorded", "cancelled")),
        )
        .order_by(Session.starts_at.desc(), Session.id)
        .limit(limit)
    )
    return db.session().scalars(query).all()


def sessions_between(begin: datetime, end: datetime, *, by: Actor) -> Sequence[Session]:
    """The sessions that begin in a stretch of time, soonest first: all for admins, their own for instructors."""
    query = with_course().where(Session.starts_at >= begin, Session.starts_at < end)
    if not by.is_admin:
        query = query.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))
    return db.session().scalars(query.order_by(Session.starts_at, Session.id).limit(1000)).all()


def get_series(series_id: UUID | None) -> Series:
    """The series a session belongs to."""
    found = db.session().get(Series, series_id) if series_id is not None else None
    if found is None:
        raise NotFound(_("This class is not one of a series."))
    return found


def following_sessions(session: Session) -> Sequence[Session]:
    """A session of a series and those after it that have not begun, in order, held until the transaction ends."""
    query = (
        select(Session)
        .where(
            Session.series_id == session.series_id,
            Session.series_number >= session.series_number,
            Session.state == "scheduled",
        )
        .order_by(Session.series_number)
        .with_for_update()
    )
    return db.session().scalars(query).all()


def count_following(session: Session) -> int:
    """How many classes of its series come after a session and have not begun."""
    if session.series_id is None:
        return 0
    later = (Session.series_id == session.series_id, Session.series_number > session.series_number, Session.state == "scheduled")
    return db.session().scalar(select(func.count()).select_from(Session).where(*later)) or 0


def sessions_to_open(moment: datetime) -> Sequence[Session]:
    """Scheduled sessions whose room opens by now and whose end has not passed."""
    query = select(Session).where(Session.state == "scheduled", Session.starts_at <= moment + EARLY, Session.ends_at > moment)
    return db.session().scalars(query.order_by(Session.starts_at)).all()


def sessions_left_running(ended_before: datetime) -> Sequence[Session]:
    """Sessions open, live or still scheduled whose planned end lies before the moment."""
    query = select(Session).where(Session.state.in_(("scheduled", "open", "live")), Session.ends_at < ended_before)
    return db.session().scalars(query.order_by(Session.starts_at)).all()


def running_visit(session_id: UUID, user_id: UUID, *, source: str) -> UUID | None:
    """The visit of that kind which a sign of life now belongs to."""
    query = select(Visit.id).where(
        Visit.session_id == session_id,
        Visit.user_id == user_id,
        Visit.source == source,
        Visit.left_at.is_(None),
        Visit.seen_at > now() - PAGE_QUIET,
    )
    return db.session().scalars(query.order_by(Visit.joined_at.desc()).limit(1)).one_or_none()


def attendance_of(session_id: UUID) -> list[Attendance]:
    """Who was there and when: visits from every source merged into unbroken stays, people by name."""
    merged = (
        select(Visit.user_id, func.unnest(func.range_agg(stay_of(Visit))).label("stay"))
        .join(Session, Session.id == Visit.session_id)
        .where(Visit.session_id == session_id)
        .group_by(Visit.user_id)
        .subquery()
    )
    query = (
        select(Member.id, Member.name, Member.email, func.lower(merged.c.stay), func.upper(merged.c.stay))
        .join(merged, merged.c.user_id == Member.id)
        .order_by(func.lower(Member.name), Member.id, func.lower(merged.c.stay))
    )
    people: dict[UUID, tuple[str, str, list[Stay]]] = {}
    for user_id, name, email, joined_at, left_at in db.session().execute(query):
        people.setdefault(user_id, (name, email, []))[2].append(Stay(joined_at, left_at))
    return [Attendance(user_id, name, email, tuple(stays)) for user_id, (name, email, stays) in people.items()]
