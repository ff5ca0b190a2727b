"""Telling people: one notice for each person and occasion, and the mail that goes with it, in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy.dialects.postgresql import insert

from lms.channels import queries as channels
from lms.core import db, mail, pubsub
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import Mail
from lms.core.redis import RedisError, redis
from lms.core.tenancy import ChannelFace, current_channel
from lms.enrollments.queries import was_refunded
from lms.notifications import queries
from lms.notifications.models import KINDS, Notice
from lms.notifications.operations.letters import MESSAGES, Letter
from lms.notifications.operations.timing import held_until, next_digest
from lms.notifications.operations.wishing import unsubscribe_token
from lms.notifications.operations.wording import get_message, preview, worded
from lms.notifications.queries import Reader, Ways

CHUNK = 200
TEMPLATE = "notifications/mail/notice"
SAMPLE = "notifications/mail/sample"
ANNOUNCEMENT = "notifications/mail/announcement"
EVERY_WAY = Ways(in_app=True, mail=True)
log = structlog.get_logger(__name__)


def occasion(*parts: object) -> UUID:
    """The id of an occasion: the same parts name the same one, so that a fact heard twice is told once."""
    return uuid5(NAMESPACE_URL, ":".join(("lectern", *map(str, parts))))


def tell(
    message: str,
    user_ids: Sequence[UUID],
    *,
    event_id: UUID,
    href: str,
    values: Mapping[str, Any],
    course_id: UUID | None = None,
    stale_at: datetime | None = None,
    only: Ways = EVERY_WAY,
    template: str = TEMPLATE,
    more: Mapping[str, Any] | None = None,
) -> int:
    """Tell each of the people once, on the ways they wish; the number of people told now.

    `course_id` makes being enrolled there a condition of the mail, checked when it is sent; after `stale_at` it is not sent.
    `only` leaves a way out; `template` and what it reads `more` dress the mail in another way than a notice's.
    """
    said = MESSAGES[message]
    readers = queries.readers(user_ids)
    ways = queries.ways_of([reader.user_id for reader in readers], said.kind)
    shared = {"kind": said.kind, "href": href, "event_id": event_id, "course_id": course_id, "stale_at": stale_at}
    written, moment = {}, now()
    for reader in readers:
        letter = said.write(values, reader)
        row = _row(reader, letter, narrowed(ways[reader.user_id], only), shared, moment)
        written[row["id"]] = (reader, letter, row)
    if not written:
        return 0
    rows = [row for _reader, _letter, row in written.values()]
    told = db.session().scalars(insert(Notice).values(rows).on_conflict_do_nothing().returning(Notice.id)).all()
    own_words, channel = queries.templates_of(message), channels.this_channel()
    face = channels.face_of(channel, channels.origin_of(channel.id))
    for notice_id in told:
        reader, letter, row = written[notice_id]
        if row["mail_id"] is not None:
            own = queries.words_for(own_words, reader.locale, face.locale)
            _write(face, reader, worded(letter, own, values, reader), row, template, more or {})
    forget_counts([written[notice_id][0].user_id for notice_id in told])
    return len(told)


def narrowed(ways: Ways, only: Ways) -> Ways:
    """The ways of a person that a message also takes."""
    return Ways(ways.in_app and only.in_app, ways.mail and only.mail, ways.pace)


def _row(reader: Reader, letter: Letter, ways: Ways, shared: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    mailed = ways.mail and not reader.is_silent
    at_once = ways.pace == "now"
    return {
        **shared,
        "id": uuid7(),
        "channel_id": current_channel(),
        "user_id": reader.user_id,
        "title": letter.title,
        "body": letter.body,
        "mail_id": uuid7() if mailed and at_once else None,
        "due_at": next_digest(reader, ways.pace, moment) if mailed and not at_once else None,
        "is_in_app": ways.in_app,
        "created_at": moment,
    }


def _write(channel: ChannelFace, reader: Reader, letter: Letter, row: Mapping[str, Any], template: str, more: Mapping[str, Any]) -> None:
    stop = f"{channel.origin}/notifications/unsubscribe/{unsubscribe_token(reader.user_id, row['kind'])}"
    mail.send(
        reader.email,
        template,
        {
            **more,
            "channel": channel,
            "name": reader.name,
            "letter": letter,
            "link": channel.origin + row["href"],
            "preferences": f"{channel.origin}/notifications/preferences",
            "stop": stop,
        },
        to_user_id=reader.user_id,
        language=reader.locale,
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        mail_id=row["mail_id"],
        held_until=None if row["kind"] not in KINDS or KINDS[row["kind"]].is_urgent else held_until(reader, row["created_at"]),
    )


def send_sample(key: str, *, by: Actor, language: str | None = None) -> None:
    """Send a person the mail of a message as it is worded now in a language (theirs, unless said), with values as they might be."""
    found = queries.find_reader(by.user_id) if by.user_id else None
    if found is None:
        raise Forbidden(_("Sign in first."), rule="sign_in")
    reader = replace(found, locale=language or found.locale)
    channel = channels.this_channel()
    face = channels.face_of(channel, channels.origin_of(channel.id))
    row = {
        "user_id": reader.user_id,
        "kind": get_message(key).kind,
        "href": "/notifications/preferences",
        "mail_id": uuid7(),
        "created_at": now(),
    }
    _write(face, reader, preview(key, by, reader.locale), row, SAMPLE, {})


@mail.stop_rule(TEMPLATE)
@mail.stop_rule(ANNOUNCEMENT)
def why_not(letter: Mail) -> str:
    """Why a notice's mail must not be sent any more, asked in the moment of sending; "" lets it go."""
    notice = queries.notice_of_mail(letter.id)
    if notice is None:
        return _("What this mail told was taken back.")
    wanted = queries.ways_of([notice.user_id], notice.kind)[notice.user_id].mail
    return why_no_mail(notice, queries.find_reader(notice.user_id), is_wanted=wanted)


def why_no_mail(notice: Notice, reader: Reader | None, *, is_wanted: bool) -> str:
    """Why a notice must not go out by mail any more; "" lets it go."""
    if reader is None:
        return _("The person is suspended or gone.")
    if reader.is_silent or not is_wanted:
        return _("The person wants no such mails any more.")
    if notice.course_id is not None and was_refunded(notice.user_id, notice.course_id):
        return _("Not sent: refunded.")
    if notice.course_id is not None and not queries.is_enrolled(notice.user_id, notice.course_id):
        return _("The person is not enrolled any more.")
    if notice.stale_at is not None and notice.stale_at < now():
        return _("The mail came too late to be of use.")
    return ""


def bell_topic(channel_id: UUID) -> str:
    """The topic on which processes hear whose bells of a channel changed."""
    return f"bell:{channel_id}"


def forget_counts(user_ids: Sequence[UUID]) -> None:
    """Have the bells of these people counted anew after the commit, on open pages at once."""
    if not user_ids:
        return
    keys = [queries.unread_key(user_id) for user_id in user_ids]
    topic, payload = bell_topic(current_channel()), json.dumps([str(user_id) for user_id in user_ids]).encode()

    def forget() -> None:
        try:
            redis().delete(*keys)
        except RedisError as error:
            log.warning("unread_count_stale", error=type(error).__name__)
        pubsub.publish(topic, payload)

    db.after_commit(forget)
