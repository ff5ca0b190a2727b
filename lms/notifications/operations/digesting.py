"""Digests: what waited since the last one, as one mail a person; what must not be sent any more is left out, and nothing makes no mail."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from lms.channels import queries as channels
from lms.core import db, mail
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.core.models import Mail
from lms.core.tenancy import ChannelFace
from lms.notifications import queries
from lms.notifications.models import KINDS, Notice
from lms.notifications.operations.telling import why_no_mail
from lms.notifications.operations.wishing import EVERYTHING, unsubscribe_token
from lms.notifications.queries import Reader

TEMPLATE = "notifications/mail/digest"
MOST_NAMED = 50


def send_digests(user_ids: Sequence[UUID]) -> int:
    """Write the digests that are due to these people; the number of mails. Doing it twice at once writes each once."""
    moment = now()
    waiting: dict[UUID, list[Notice]] = defaultdict(list)
    for notice in queries.lock_due(user_ids, moment):
        notice.due_at = None
        waiting[notice.user_id].append(notice)
    db.session().flush()
    readers = {reader.user_id: reader for reader in queries.readers(list(waiting))}
    channel = channels.this_channel()
    face = channels.face_of(channel, channels.origin_of(channel.id))
    kinds = {notice.kind for notices in waiting.values() for notice in notices}
    ways = {kind: queries.ways_of(list(waiting), kind) for kind in kinds & set(KINDS)}
    sent = 0
    for user_id, notices in waiting.items():
        fit = [
            one
            for one in notices
            if not why_no_mail(one, readers.get(user_id), is_wanted=one.kind in ways and ways[one.kind][user_id].mail)
        ]
        if fit:
            _write(face, readers[user_id], fit)
            sent += 1
    return sent


def _write(channel: ChannelFace, reader: Reader, notices: Sequence[Notice]) -> None:
    stop = f"{channel.origin}/notifications/unsubscribe/{unsubscribe_token(reader.user_id, EVERYTHING)}"
    made = mail.send(
        reader.email,
        TEMPLATE,
        {
            "channel": channel,
            "name": reader.name,
            "notices": notices[:MOST_NAMED],
            "count": len(notices),
            "link": f"{channel.origin}/notifications/",
            "preferences": f"{channel.origin}/notifications/preferences",
            "stop": stop,
        },
        to_user_id=reader.user_id,
        language=reader.locale,
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
    for notice in notices:
        notice.mail_id = made.id
    db.session().flush()


@mail.stop_rule(TEMPLATE)
def why_no_digest(letter: Mail) -> str:
    """Why a digest must not be sent any more, asked in the moment of sending; "" lets it go."""
    reader = queries.find_reader(letter.to_user_id) if letter.to_user_id else None
    if reader is None:
        return _("The person is suspended or gone.")
    return _("The person wants no mails any more.") if reader.is_silent else ""
