"""Messages to many: written, looked at, sent in batches by a worker; every person is asked about anew in the moment of sending."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from lms.channels.queries import this_channel
from lms.core import audit, db, markdown
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.courses.queries import get_course
from lms.enrollments.queries import was_refunded
from lms.notifications import queries
from lms.notifications.errors import NotNow
from lms.notifications.models import Broadcast, Notice, Recipient
from lms.notifications.operations.telling import ANNOUNCEMENT, CHUNK, forget_counts, narrowed, tell
from lms.notifications.queries import Audience, Ways

COLLECTED_AT_ONCE = 20_000
SHOWN = 300


def write_broadcast(audience: Audience, *, by: Actor, **values: Any) -> Broadcast:
    """A new message as a draft (`subject`, `body`, `in_app`, `mail`, `send_at`); nobody gets it yet."""
    _check(values)
    made = Broadcast(made_by=by.user_id, made_by_name=by.name, **_kept(audience), **values)
    db.session().add(made)
    db.session().flush()
    audit.record("notifications.write", made, by=by, after={"subject": made.subject, "audience": made.audience}, name=made.subject)
    return made


def edit_broadcast(broadcast: Broadcast, audience: Audience, *, by: Actor, **values: Any) -> bool:
    """Write a draft anew; False when nothing changed. Raises NotNow once it is being sent."""
    _expect(broadcast, "draft")
    _check(values)
    changed: bool = audit.update(broadcast, "notifications.rewrite", by=by, **_kept(audience), **values)
    return changed


def _kept(audience: Audience) -> dict[str, Any]:
    return {"audience": audience.as_json(), "course_id": UUID(audience.course_id) if audience.to == "course" else None}


def _check(values: Mapping[str, Any]) -> None:
    if not values["in_app"] and not values["mail"]:
        sentence = _("Choose at least one way.")
        raise Invalid(sentence, fields={"in_app": sentence})
    if values["send_at"] is not None and values["send_at"] <= now():
        sentence = _("This time is past. Choose a later one, or leave it empty to send at once.")
        raise Invalid(sentence, fields={"send_at": sentence})


def _expect(broadcast: Broadcast, *states: str) -> None:
    if broadcast.state not in states:
        raise NotNow(_("This message is past that point. Open it again to see where it stands."))


def send_broadcast(broadcast: Broadcast, *, by: Actor) -> None:
    """Have a draft sent, now or at its time, to exactly those it means in this moment; sending twice changes nothing."""
    broadcast = queries.get_broadcast(broadcast.id, lock=True)
    if broadcast.state != "draft":
        return
    count = queries.count_meant(Audience.read(broadcast.audience))
    if not count:
        raise Invalid(_("Nobody fits this condition, so there is nobody to send it to. Change the condition first."))
    _check({"in_app": broadcast.in_app, "mail": broadcast.mail, "send_at": broadcast.send_at})
    audit.update(broadcast, "notifications.send", by=by, state="collecting", person_count=count)
    db.session().flush()
    _collect(broadcast)


def collect_some(broadcast_id: UUID) -> bool:
    """Put some more of those meant on the list; False once it is whole, and the message waits for its time or goes out."""
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    if broadcast.state != "collecting":
        return False
    if _collect(broadcast):
        return True
    is_later = broadcast.send_at is not None and broadcast.send_at > now()
    broadcast.state = "scheduled" if is_later else "sending"
    broadcast.person_count = queries.count_recipients(broadcast.id)
    db.session().flush()
    return False


def _collect(broadcast: Broadcast) -> int:
    """Put the next of those meant on the list, in one statement; how many."""
    meant = queries.next_meant(broadcast, limit=COLLECTED_AT_ONCE).subquery()
    row = select(
        literal(current_channel(), Uuid),
        func.gen_random_uuid(),
        literal(broadcast.id, Uuid),
        meant.c.id,
        literal(broadcast.course_id, Uuid),
    )
    names = ["channel_id", "id", "broadcast_id", "user_id", "course_id"]
    statement = insert(Recipient).from_select(names, row).on_conflict_do_nothing().returning(Recipient.id)
    return len(db.session().execute(statement).all())


def add_recipients(broadcast_id: UUID, people: Mapping[UUID, UUID | None]) -> None:
    """Put people on a message's list, each with the course that must be open to them; who is on it stays as they are."""
    rows = [
        {"id": uuid7(), "channel_id": current_channel(), "broadcast_id": broadcast_id, "user_id": user_id, "course_id": course_id}
        for user_id, course_id in people.items()
    ]
    if rows:
        db.session().execute(insert(Recipient).values(rows).on_conflict_do_nothing())


def begin_sending(broadcast_id: UUID) -> bool:
    """Whether the message may go out now; one whose time has come begins."""
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    if broadcast.state == "scheduled" and broadcast.send_at is not None and broadcast.send_at <= now():
        broadcast.state = "sending"
    if broadcast.state == "sending" and broadcast.started_at is None:
        broadcast.started_at = now()
    db.session().flush()
    return broadcast.state == "sending"


def send_some(broadcast_id: UUID, *, limit: int = CHUNK) -> float | None:
    """Tell some of those who wait, in one transaction with the note that they were told; the share done, None when all is done."""
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    if broadcast.state != "sending":
        return None
    waiting = queries.lock_waiting(broadcast.id, limit=limit)
    if not waiting:
        broadcast.state, broadcast.done_at = "sent", now()
        db.session().flush()
        return None
    tell_recipients(broadcast, waiting)
    return broadcast.done_count / max(broadcast.person_count, 1)


def tell_recipients(broadcast: Broadcast, recipients: Sequence[Recipient]) -> None:
    """Tell these people, or note why not; each is asked about anew: gone, suspended, not enrolled any more, refunded, wants none."""
    reasons = _reasons(broadcast, recipients)
    by_course: dict[UUID | None, list[UUID]] = {}
    for one in recipients:
        if one.user_id not in reasons:
            by_course.setdefault(one.course_id, []).append(one.user_id)
    for course_id, user_ids in by_course.items():
        _tell(broadcast, course_id, user_ids)
    notices = queries.notices_for(broadcast.id, [one.user_id for one in recipients])
    moment = now()
    for one in recipients:
        one.reason = reasons.get(one.user_id, "")
        one.state = "skipped" if one.reason else "told"
        one.notice_id, one.at = notices.get(one.user_id), moment
    skipped = sum(one.state == "skipped" for one in recipients)
    broadcast.skipped_count += skipped
    broadcast.told_count += len(recipients) - skipped
    db.session().flush()


def _tell(broadcast: Broadcast, course_id: UUID | None, user_ids: Sequence[UUID]) -> None:
    text = markdown.plain(broadcast.body)
    values: dict[str, Any] = {
        "subject": broadcast.subject,
        "text": text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + "…",
        "academy": this_channel().name,
    }
    if course_id is not None:
        values["course"] = get_course(course_id).title
    tell(
        "announcement" if course_id is None else "course_announcement",
        user_ids,
        event_id=broadcast.id,
        href=f"/notifications/messages/{broadcast.id}",
        values=values,
        course_id=course_id,
        only=Ways(broadcast.in_app, broadcast.mail),
        template=ANNOUNCEMENT,
        more={"source": broadcast.body, "html": markdown.render(broadcast.body, top=2), "writer": broadcast.made_by_name},
    )


def _reasons(broadcast: Broadcast, recipients: Sequence[Recipient]) -> dict[UUID, str]:
    """Why some of these people must not get the message (any more)."""
    user_ids = [one.user_id for one in recipients]
    readers = {reader.user_id: reader for reader in queries.readers(user_ids)}
    ways = queries.ways_of(user_ids, "announcement")
    only = Ways(broadcast.in_app, broadcast.mail)
    enrolled = queries.open_enrolments([(one.user_id, one.course_id) for one in recipients if one.course_id])
    found = {}
    for one in recipients:
        reader, wanted = readers.get(one.user_id), narrowed(ways[one.user_id], only)
        if reader is None:
            found[one.user_id] = _("Not sent: suspended or gone.")
        elif one.course_id is not None and (one.user_id, one.course_id) not in enrolled:
            refunded = was_refunded(one.user_id, one.course_id)
            found[one.user_id] = _("Not sent: refunded.") if refunded else _("Not sent: not enrolled any more.")
        elif not wanted.in_app and (not wanted.mail or reader.is_silent):
            found[one.user_id] = _("Not sent: wants no such messages.")
    return found


def send_to_chosen(broadcast_id: UUID, people: Mapping[UUID, UUID | None], *, by: Actor, **values: Any) -> dict[UUID, str]:
    """Send a message to people chosen in a list, some at a time under one id; whom it did not reach, and why. Nobody gets it twice."""
    if db.session().get(Broadcast, broadcast_id) is None:
        audience = Audience(to="chosen").as_json()
        made = Broadcast(id=broadcast_id, audience=audience, state="sent", made_by=by.user_id, made_by_name=by.name, **values)
        db.session().add(made)
        db.session().flush()
        audit.record("notifications.send", made, by=by, after={"subject": made.subject}, name=made.subject)
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    add_recipients(broadcast_id, people)
    waiting = queries.lock_waiting(broadcast_id, limit=len(people))
    tell_recipients(broadcast, waiting)
    broadcast.started_at, broadcast.done_at = broadcast.started_at or now(), now()
    broadcast.person_count = broadcast.done_count
    db.session().flush()
    return {one.user_id: one.reason for one in waiting if one.reason}


def take_back(broadcast_id: UUID, user_ids: Sequence[UUID]) -> set[UUID]:
    """Take a message back from those who have neither seen it nor been mailed it; the people it was taken back from."""
    fresh = queries.untouched(broadcast_id, user_ids)
    for model in (Recipient, Notice):
        column = Recipient.broadcast_id if model is Recipient else Notice.event_id
        statement = delete(model).where(column == broadcast_id, model.user_id.in_(fresh))
        db.session().execute(statement.execution_options(synchronize_session=False))
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    broadcast.told_count -= len(fresh)
    broadcast.person_count -= len(fresh)
    db.session().flush()
    forget_counts(list(fresh))
    return fresh


def pause_broadcast(broadcast: Broadcast, *, by: Actor) -> None:
    """Hold a message that is going out; who was told stays told."""
    broadcast = queries.get_broadcast(broadcast.id, lock=True)
    if broadcast.state != "paused":
        _expect(broadcast, "sending", "scheduled")
        audit.update(broadcast, "notifications.pause", by=by, state="paused")


def resume_broadcast(broadcast: Broadcast, *, by: Actor) -> None:
    """Let a held message go on where it stood."""
    broadcast = queries.get_broadcast(broadcast.id, lock=True)
    if broadcast.state not in ("sending", "scheduled"):
        _expect(broadcast, "paused")
        is_later = broadcast.send_at is not None and broadcast.send_at > now()
        audit.update(broadcast, "notifications.resume", by=by, state="scheduled" if is_later else "sending")


def cancel_broadcast(broadcast: Broadcast, *, by: Actor) -> None:
    """Call a message off before everybody got it: who was told stays told, nobody else is."""
    broadcast = queries.get_broadcast(broadcast.id, lock=True)
    if broadcast.state != "cancelled":
        _expect(broadcast, "draft", "scheduled", "paused")
        audit.update(broadcast, "notifications.cancel", by=by, state="cancelled", done_at=now())
