"""Messages to many: whom a condition means, who waits, what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from lms.auth.models import User
from lms.channels.models import Member, MemberTag, Tag
from lms.channels.queries import fitting, get_segment
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.models import Mail
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.notifications.errors import NoBroadcast
from lms.notifications.models import Broadcast, Notice, Recipient
from lms.notifications.queries.notices import ACTIVE
from lms.vouchers.models import Batch, Redemption

CHOOSABLE = 300
NEEDS = {"course": "course_id", "vouchers": "batch_id", "role": "role", "tag": "tag_id", "segment": "segment_id"}


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a message means: everybody, a role, a tag, a segment, a course's students, a voucher batch's redeemers, or chosen people.

    `progress` (below, above) with `percent` and `unseen_days` narrow it; course progress only where there is a course.
    """

    to: str = "everybody"
    role: str = ""
    course_id: str = ""
    batch_id: str = ""
    tag_id: str = ""
    segment_id: str = ""
    progress: str = ""
    percent: int = 50
    unseen_days: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Audience":
        """As it was kept."""
        return cls(**kept)


def people_meant(audience: Audience) -> Select[Any]:
    """Members who can be reached at all and whom the audience means; select columns from it."""
    meant = select(Member.id).join(User, User.id == Member.id).where(Member.status.in_(ACTIVE), User.status == "active")
    seen: Any = func.coalesce(Member.seen_at, Member.joined_at)
    if audience.to == "role":
        meant = meant.where(Member.role == audience.role)
    elif audience.to == "course":
        meant = meant.join(Enrollment, Enrollment.user_id == Member.id)
        meant = meant.where(Enrollment.course_id == UUID(audience.course_id), Enrollment.status != "ended")
        seen = func.coalesce(Enrollment.last_seen_at, Enrollment.enrolled_at)
        if audience.progress == "below":
            meant = meant.where(Enrollment.progress < audience.percent)
        elif audience.progress == "above":
            meant = meant.where(Enrollment.progress >= audience.percent)
    elif audience.to == "vouchers":
        used = select(Redemption.id).where(Redemption.batch_id == UUID(audience.batch_id), Redemption.user_id == Member.id)
        meant = meant.where(used.exists())
    elif audience.to == "tag":
        borne = select(MemberTag.id).where(MemberTag.tag_id == UUID(audience.tag_id), MemberTag.user_id == Member.id)
        meant = meant.where(borne.exists())
    elif audience.to == "segment":
        meant = meant.where(fitting(get_segment(UUID(audience.segment_id)).conditions))
    if audience.unseen_days:
        meant = meant.where(seen < now() - timedelta(days=audience.unseen_days))
    return meant


def count_meant(audience: Audience) -> int:
    """How many people the audience means, exactly."""
    return db.session().scalar(select(func.count()).select_from(people_meant(audience).subquery())) or 0


def next_meant(broadcast: Broadcast, *, limit: int) -> Select[Any]:
    """Some of the people meant who are not on the list yet, in order, as a SELECT of their ids."""
    last = db.session().scalar(
        select(Recipient.user_id).where(Recipient.broadcast_id == broadcast.id).order_by(Recipient.user_id.desc()).limit(1)
    )
    meant = people_meant(Audience.read(broadcast.audience)).order_by(Member.id).limit(limit)
    meant = meant.where(Member.channel_id == current_channel())
    return meant if last is None else meant.where(Member.id > last)


def get_broadcast(broadcast_id: UUID, *, lock: bool = False) -> Broadcast:
    """One message to many; raises NoBroadcast."""
    query = select(Broadcast).where(Broadcast.id == broadcast_id).execution_options(populate_existing=True)
    found = db.session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NoBroadcast(_("This message is not here any more."))
    return found


def lock_waiting(broadcast_id: UUID, *, limit: int) -> Sequence[Recipient]:
    """Some who wait to be told, held until the transaction ends."""
    query = select(Recipient).where(Recipient.broadcast_id == broadcast_id, Recipient.state == "waiting")
    return db.session().scalars(query.order_by(Recipient.user_id).limit(limit).with_for_update()).all()


def find_recipient(broadcast_id: UUID, user_id: UUID | None) -> Recipient | None:
    """What a message is to one person; None when it is not for them."""
    query = select(Recipient).where(Recipient.broadcast_id == broadcast_id, Recipient.user_id == user_id)
    return db.session().scalars(query).one_or_none()


def count_seen(broadcast_id: UUID) -> int:
    """How many of those told have seen it in the app."""
    query = select(func.count()).select_from(Notice).where(Notice.event_id == broadcast_id, Notice.seen_at.is_not(None))
    return db.session().scalar(query) or 0


def open_enrolments(pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these (person, course) are enrolled now."""
    if not pairs:
        return set()
    query = select(Enrollment.user_id, Enrollment.course_id).where(
        Enrollment.user_id.in_({user_id for user_id, _course in pairs}),
        Enrollment.course_id.in_({course_id for _user, course_id in pairs}),
        Enrollment.status != "ended",
    )
    return {(user_id, course_id) for user_id, course_id in db.session().execute(query)}


def notices_for(event_id: UUID, user_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """The notices these people have of an occasion: person → notice."""
    query = select(Notice.user_id, Notice.id).where(Notice.event_id == event_id, Notice.user_id.in_(user_ids))
    return {row.user_id: row.id for row in db.session().execute(query)}


def courses_to_write_to(by: Actor) -> list[tuple[str, str]]:
    """The courses whose students this person may write to: all for admins, their own for instructors."""
    query = select(Course.id, Course.title).where(Course.status != "deleted").order_by(Course.title, Course.id)
    if not by.is_admin:
        query = query.where(Course.instructor_id == by.user_id)
    return [(str(course_id), title) for course_id, title in db.session().execute(query)]


def batches_to_write_to() -> list[tuple[str, str]]:
    """The newest voucher batches."""
    query = select(Batch.id, Batch.label).order_by(Batch.created_at.desc(), Batch.id.desc()).limit(CHOOSABLE)
    return [(str(batch_id), label) for batch_id, label in db.session().execute(query)]


def title_of(audience: Audience) -> str:
    """The name of the course, batch, tag or segment an audience is about; "" when there is none."""
    if audience.to == "tag":
        return db.session().scalar(select(Tag.name).where(Tag.id == UUID(audience.tag_id))) or ""
    if audience.to == "segment":
        return get_segment(UUID(audience.segment_id)).name
    if audience.to == "course":
        return db.session().scalar(select(Course.title).where(Course.id == UUID(audience.course_id))) or ""
    if audience.to == "vouchers":
        return db.session().scalar(select(Batch.label).where(Batch.id == UUID(audience.batch_id))) or ""
    return ""


def count_recipients(broadcast_id: UUID) -> int:
    """How many people are on a message's list."""
    return db.session().scalar(select(func.count()).select_from(Recipient).where(Recipient.broadcast_id == broadcast_id)) or 0


def untouched(broadcast_id: UUID, user_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the people who have neither seen a message nor been mailed it."""
    query = (
        select(Notice.user_id)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(Notice.event_id == broadcast_id, Notice.user_id.in_(user_ids), Notice.seen_at.is_(None))
        .where(func.coalesce(Mail.state, "queued") != "sent")
    )
    return set(db.session().scalars(query))


def newest_course_title() -> str:
    """The title of the newest published course; "" when there is none."""
    query = select(Course.title).where(Course.status == "published").order_by(Course.id.desc()).limit(1)
    return db.session().scalar(query) or ""
