"""Every SELECT of notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select

from lms.auth.models import User
from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.models import Mail
from lms.core.redis import remembered
from lms.core.tenancy import current_channel
from lms.courses.models import Lesson
from lms.enrollments.models import Enrollment
from lms.notifications.errors import NoNotice
from lms.notifications.models import KINDS, NEVER, Announcement, Default, Habit, Kind, Notice, Wish
from lms.streaming.models import Session

PAGE = 50
NEWEST = 5
FRESH_SECONDS = 60
ACTIVE = ("active", "invited")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is told something: address, language, zone, and when mails may reach them."""

    user_id: UUID
    name: str
    email: str
    locale: str
    zone: str
    digest_hour: int = 8
    digest_day: int = 0
    quiet_from: int | None = None
    quiet_to: int | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Ways:
    """On which ways somebody wishes to hear: in the app, by mail, and how often mails come."""

    in_app: bool
    mail: bool
    pace: str = "now"

    @property
    def mail_word(self) -> str:
        """How mails come, in one word: now, daily, weekly or never."""
        return self.pace if self.mail else NEVER


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a person's matrix: what they said themselves (None: nothing), what the academy says, and what holds."""

    said_in_app: bool | None
    said_mail: str | None
    academy: Ways
    holds: Ways


def unread_count(user_id: UUID) -> int:
    """How many notices the person has not seen; remembered in Redis for a minute, forgotten at once when it changes."""
    return remembered(unread_key(user_id), lambda: count_unseen(user_id), seconds=FRESH_SECONDS)


def unread_key(user_id: UUID) -> str:
    """Where the count is remembered."""
    return f"unread:{current_channel()}:{user_id}"


def count_unseen(user_id: UUID) -> int:
    """How many notices the person has not seen, counted now."""
    query = select(func.count()).select_from(Notice).where(Notice.user_id == user_id, Notice.is_in_app, Notice.seen_at.is_(None))
    return db.session().scalar(query) or 0


@dataclass(frozen=True, slots=True)
class Bell:
    """How one person's bell stands: how much is unseen, and the newest of it, oldest first."""

    unseen: int
    newest: Sequence[Notice]


def bells_of(user_ids: Sequence[UUID]) -> Mapping[UUID, Bell]:
    """How the bells of these people stand, in two queries."""
    unseen = (Notice.user_id.in_(user_ids), Notice.is_in_app, Notice.seen_at.is_(None))
    counts = dict(db.session().execute(select(Notice.user_id, func.count()).where(*unseen).group_by(Notice.user_id)).all())
    place = func.row_number().over(partition_by=Notice.user_id, order_by=Notice.id.desc()).label("place")
    numbered = select(Notice.id, place).where(*unseen).subquery()
    newest = select(Notice).join(numbered, numbered.c.id == Notice.id).where(numbered.c.place <= NEWEST).order_by(Notice.id)
    found: dict[UUID, list[Notice]] = {user_id: [] for user_id in user_ids}
    if counts:
        for notice in db.session().scalars(newest):
            found[notice.user_id].append(notice)
    return {user_id: Bell(counts.get(user_id, 0), notices) for user_id, notices in found.items()}


def get_notice(notice_id: UUID) -> Notice:
    """One notice."""
    found = db.session().scalars(select(Notice).where(Notice.id == notice_id)).one_or_none()
    if found is None:
        raise NoNotice(_("This notice is not here any more."))
    return found


def notice_of_mail(mail_id: UUID) -> Notice | None:
    """The notice a mail was written for."""
    return db.session().scalars(select(Notice).where(Notice.mail_id == mail_id)).one_or_none()


def notices_of(user_id: UUID, *, before: UUID | None = None, unseen_only: bool = False, size: int = PAGE) -> Sequence[Notice]:
    """What the person was told in the app, newest first, older than the notice `before`."""
    query = select(Notice).where(Notice.user_id == user_id, Notice.is_in_app).order_by(Notice.id.desc()).limit(size)
    if before is not None:
        query = query.where(Notice.id < before)
    if unseen_only:
        query = query.where(Notice.seen_at.is_(None))
    return db.session().scalars(query).all()


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a person was told: in the app, by mail, or both; `mail_state` is "" without a mail."""

    at: datetime
    title: str
    href: str
    is_in_app: bool
    seen_at: datetime | None
    mail_id: UUID | None
    mail_state: str
    error: str


def told(user_id: UUID, email: str, *, limit: int = 30) -> list[Told]:
    """What a person was told, newest first: notices with their mails, and the mails that belong to no notice; two queries."""
    notices = (
        select(Notice, Mail.state, Mail.error)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(Notice.user_id == user_id)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    found = [
        Told(one.created_at, one.title, one.href, one.is_in_app, one.seen_at, one.mail_id, state or "", error or "")
        for one, state, error in db.session().execute(notices)
    ]
    known = {one.mail_id for one in found}
    mails = (
        select(Mail.id, Mail.created_at, Mail.subject, Mail.state, Mail.error)
        .where(Mail.to_address == email)
        .order_by(Mail.created_at.desc(), Mail.id.desc())
        .limit(limit)
    )
    found += [
        Told(row.created_at, row.subject, "", False, None, row.id, row.state, row.error or "")
        for row in db.session().execute(mails)
        if row.id not in known
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def readers(user_ids: Sequence[UUID]) -> Sequence[Reader]:
    """Those of the people who may still be told anything: members who are not suspended."""
    query = (
        select(
            Member.id,
            Member.name,
            Member.email,
            User.locale,
            User.zone,
            func.coalesce(Habit.digest_hour, 8),
            func.coalesce(Habit.digest_day, 0),
            Habit.quiet_from,
            Habit.quiet_to,
            func.coalesce(Habit.is_silent, False),
        )
        .join(User, User.id == Member.id)
        .outerjoin(Habit, Habit.user_id == Member.id)
        .where(Member.id.in_(set(user_ids)), Member.status.in_(ACTIVE), User.status == "active")
        .order_by(Member.id)
    )
    return [Reader(*tuple(row)) for row in db.session().execute(query)] if user_ids else []


def find_reader(user_id: UUID) -> Reader | None:
    """One person who may still be told anything, or None."""
    return next(iter(readers([user_id])), None)


def admin_ids() -> Sequence[UUID]:
    """Those who run the channel."""
    return db.session().scalars(select(Member.id).where(Member.role.in_(("admin", "owner")), Member.status.in_(ACTIVE))).all()


def defaults() -> dict[str, Ways]:
    """How each kind of news comes to whoever said nothing: by the academy's word, else the product's."""
    rows = db.session().execute(select(Default.kind, Default.in_app, Default.mail, Default.pace))
    said = {kind: Ways(in_app, by_mail, pace) for kind, in_app, by_mail, pace in rows}
    return {key: said.get(key) or Ways(kind.in_app, kind.mail) for key, kind in KINDS.items()}


def ways_of(user_ids: Sequence[UUID], kind: str) -> Mapping[UUID, Ways]:
    """How each of the people hears of a kind: what they said, else the academy's word, else the product's; two queries."""
    academy = defaults()[kind]
    query = select(Wish.user_id, Wish.in_app, Wish.mail, Wish.pace).where(Wish.user_id.in_(set(user_ids)), Wish.kind == kind)
    found = {user_id: _held(academy, in_app, by_mail, pace) for user_id, in_app, by_mail, pace in db.session().execute(query)}
    return {user_id: found.get(user_id, academy) for user_id in user_ids}


def _held(academy: Ways, in_app: bool | None, by_mail: bool | None, pace: str) -> Ways:
    return Ways(
        academy.in_app if in_app is None else in_app,
        academy.mail if by_mail is None else by_mail,
        academy.pace if by_mail is None else pace,
    )


def choices_of(user_id: UUID) -> dict[str, Choice]:
    """One person's matrix: every kind with what they said, what the academy says, and what holds; two queries."""
    rows = db.session().execute(select(Wish.kind, Wish.in_app, Wish.mail, Wish.pace).where(Wish.user_id == user_id))
    said = {kind: (in_app, by_mail, pace) for kind, in_app, by_mail, pace in rows}
    made = {}
    for key, academy in defaults().items():
        in_app, by_mail, pace = said.get(key, (None, None, "now"))
        word = None if by_mail is None else pace if by_mail else NEVER
        made[key] = Choice(in_app, word, academy, _held(academy, in_app, by_mail, pace))
    return made


def wishes_of(user_id: UUID) -> dict[str, Ways]:
    """How one person hears of every kind."""
    return {key: choice.holds for key, choice in choices_of(user_id).items()}


def habit_of(user_id: UUID) -> Habit:
    """When mails may reach a person; an unsaved one with the product's word when they never said."""
    query = select(Habit).where(Habit.user_id == user_id).execution_options(populate_existing=True)
    found = db.session().scalars(query).one_or_none()
    return found or Habit(user_id=user_id, digest_hour=8, digest_day=0, is_silent=False)


def due_people(moment: datetime, *, limit: int) -> Sequence[UUID]:
    """Some of the people whose digest is due."""
    return (
        db.session().scalars(select(Notice.user_id).where(Notice.due_at <= moment).distinct().order_by(Notice.user_id).limit(limit)).all()
    )


def lock_due(user_ids: Sequence[UUID], moment: datetime) -> Sequence[Notice]:
    """What is due to go out with a digest to these people, oldest first, held until the transaction ends."""
    query = select(Notice).where(Notice.user_id.in_(user_ids), Notice.due_at <= moment).order_by(Notice.id)
    return db.session().scalars(query.with_for_update()).all()


def kinds_for(actor: Actor) -> list[Kind]:
    """The kinds of news that can reach this person."""
    return [kind for kind in KINDS.values() if actor.role in kind.roles]


def _untold(course_id: UUID, event_id: UUID, enrolled_before: datetime | None, batch_id: UUID | None) -> Select[UUID]:
    told = select(Notice.id).where(Notice.event_id == event_id, Notice.user_id == Enrollment.user_id).exists()
    query = (
        select(Enrollment.user_id)
        .join(Member, Member.id == Enrollment.user_id)
        .join(User, User.id == Member.id)
        .where(Enrollment.course_id == course_id, Enrollment.status != "ended", Member.status.in_(ACTIVE), User.status == "active", ~told)
    )
    if batch_id is not None:
        query = query.where(Enrollment.batch_id == batch_id)
    return query if enrolled_before is None else query.where(Enrollment.enrolled_at < enrolled_before)


def untold_students(
    course_id: UUID, event_id: UUID, *, limit: int, enrolled_before: datetime | None = None, batch_id: UUID | None = None
) -> Sequence[UUID]:
    """Some of the people who learn the course (since before a moment) and have not been told of the occasion yet."""
    return db.session().scalars(_untold(course_id, event_id, enrolled_before, batch_id).order_by(Enrollment.user_id).limit(limit)).all()


def count_untold(course_id: UUID, event_id: UUID, *, enrolled_before: datetime | None = None, batch_id: UUID | None = None) -> int:
    """How many who learn the course (since before a moment) have not been told of the occasion yet."""
    return db.session().scalar(select(func.count()).select_from(_untold(course_id, event_id, enrolled_before, batch_id).subquery())) or 0


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Who enrolled in a course within some time: how many, and the names of the first of them ("" for somebody who is gone)."""

    count: int
    names: Sequence[str]


def newcomers(course_id: UUID, since: datetime, until: datetime, *, but: UUID, named: int) -> Newcomers:
    """Those who enrolled in a course from `since` up to `until` and are in it still, without one person."""
    query = (
        select(func.coalesce(Member.name, ""), func.count().over())
        .select_from(Enrollment)
        .outerjoin(Member, Member.id == Enrollment.user_id)
        .where(Enrollment.course_id == course_id, Enrollment.enrolled_at >= since, Enrollment.enrolled_at < until)
        .where(Enrollment.status != "ended", Enrollment.user_id != but)
        .order_by(Enrollment.enrolled_at, Enrollment.id)
        .limit(named)
    )
    found = db.session().execute(query).all()
    return Newcomers(found[0][1] if found else 0, [name for name, _count in found])


def is_enrolled(user_id: UUID, course_id: UUID) -> bool:
    """Whether the person may learn the course now."""
    query = select(Enrollment.id).where(Enrollment.user_id == user_id, Enrollment.course_id == course_id, Enrollment.status != "ended")
    return db.session().scalar(query) is not None


def sessions_beginning(moment: datetime, within: timedelta) -> Sequence[Session]:
    """The live classes that begin after the moment and within that time, and were not called off."""
    query = select(Session).where(
        Session.starts_at > moment, Session.starts_at <= moment + within, Session.state.in_(("scheduled", "open", "live"))
    )
    return db.session().scalars(query.order_by(Session.starts_at, Session.id)).all()


def last_announced(course_id: UUID) -> datetime | None:
    """When the students of a course last heard of a new lesson."""
    return db.session().scalar(select(func.max(Announcement.announced_at)).where(Announcement.course_id == course_id))


def lock_unannounced(course_id: UUID) -> Sequence[Announcement]:
    """The lessons of a course that wait to be announced, held until the transaction ends."""
    query = select(Announcement).where(Announcement.course_id == course_id, Announcement.announced_at.is_(None))
    return db.session().scalars(query.order_by(Announcement.id).with_for_update()).all()


def published_lessons(lesson_ids: Sequence[UUID]) -> Sequence[Lesson]:
    """Those of the lessons that students can see."""
    query = select(Lesson).where(Lesson.id.in_(lesson_ids), Lesson.status == "published").order_by(Lesson.published_at, Lesson.id)
    return db.session().scalars(query).all()
