"""A seat: one person's socket in one room, and what the person says through it."""

import json
import time
from collections import deque
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lms.chat import operations, policies, queries
from lms.chat.operations import MOST_A_MINUTE
from lms.chat.sockets.rooms import LiveRoom, encode
from lms.core import db, i18n
from lms.core.decisions import Actor
from lms.core.errors import Refusal, TooMany
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.redis import RedisError
from lms.streaming import queries as streaming
from lms.streaming.queries import Standing
from lms.web.socket_doors import TOO_MUCH, database
from lms.web.websockets import Closed, WebSocket

MOST_FRAMES_A_MINUTE = 3 * MOST_A_MINUTE
log = structlog.get_logger(__name__)


class Seat:
    """One socket of one person in one room."""

    __slots__ = (
        "_frames", "_said", "actor", "checked_at", "digest", "is_moderator", "locale", "pinged_at",
        "room", "room_id", "send", "state", "visit_id", "ws",
    )  # fmt: skip

    def __init__(self, ws: WebSocket, actor: Actor, digest: bytes, standing: Standing, said: deque[float]) -> None:
        self.ws = ws
        self.send = ws.send
        self.actor = actor
        self.digest = digest
        self.room_id = standing.session.id
        self.state = standing.session.state
        self.is_moderator = bool(policies.can_moderate(actor, standing.session, standing.instructor_id))
        self.locale = actor.locale
        self.room: LiveRoom | None = None
        self.visit_id = uuid7()
        self.checked_at = self.pinged_at = time.monotonic()
        self._said = said  # shared by all sockets of the person in this process
        self._frames: deque[float] = deque()

    def welcome(self, room: LiveRoom) -> dict[str, Any]:
        """What a browser is told first: where the room stands, who one is, what is gone."""
        return {
            "k": "welcome",
            "seq": room.seq,
            "you": str(self.actor.user_id),
            "moderator": self.is_moderator,
            "state": self.state,
            "here": max(room.told_count, 1),
            "gone": sorted(room.gone),
        }

    def serve(self) -> None:
        """Hear the person until the conversation ends."""
        i18n.set_locale(self.locale)
        try:
            while True:
                self.take(self.ws.receive())
        except Closed as end:
            log.info("seat_left", code=end.code, why=end.reason[:40])

    def take(self, text: str) -> None:
        """Do what one message asks; a refusal goes back to this socket alone."""
        if _over(self._frames, MOST_FRAMES_A_MINUTE):
            self.ws.close(TOO_MUCH, "too much")
            return
        ref = ""
        try:
            wish = _wish(text)
            ref = str(wish.get("ref", ""))[:64]
            self._do(wish)
        except TooMany as refusal:
            self.refuse(ref, refusal.sentence, wait=refusal.retry_after)
        except Refusal as refusal:
            self.refuse(ref, refusal.sentence, rule=refusal.rule)
        except (ValueError, KeyError, TypeError):
            self.refuse(ref, _("That could not be read."))
        except (SQLAlchemyError, RedisError) as error:
            log.warning("message_not_kept", error=type(error).__name__)
            self.refuse(ref, _("This could not be saved just now. It is tried again."), retry=True)

    def refuse(self, ref: str, why: str, **more: Any) -> None:
        """Say no to one message of this person."""
        self.ws.send(encode({"k": "no", "ref": ref, "why": why, **more}))

    def _do(self, wish: dict[str, Any]) -> None:
        kind = wish.get("k")
        if kind == "say":
            self._say(wish)
        elif kind in ("delete", "flag"):
            self._judge(kind, int(wish["seq"]), str(wish.get("reason", "")))
        else:
            raise ValueError(kind)

    def _say(self, wish: dict[str, Any]) -> None:
        client_id, text = UUID(str(wish["ref"])), str(wish.get("text", ""))
        if _over(self._said, MOST_A_MINUTE):
            raise TooMany(_("That is more than 100 messages in a minute. Take a breath."), retry_after=30)
        with database, db.running(self.actor.channel_id, user_id=self.actor.user_id):
            posted = operations.post_message(self.room_id, text, client_id=client_id, by=self.actor)
        if not posted.is_new:
            self.ws.send(encode({"k": "ack", "ref": str(client_id), "seq": posted.line.seq}))

    def _judge(self, kind: str, seq: int, reason: str) -> None:
        with database, db.unit_of_work(self.actor.channel_id, user_id=self.actor.user_id):
            standing = self._standing()
            message = queries.get_message(self.room_id, seq)
            if kind == "delete":
                may = policies.can_delete(self.actor, message.author_id, standing.session, standing.instructor_id)
                if may:
                    operations.delete_message(message, by=self.actor)
            else:
                may = policies.can_read(self.actor, standing)
                if may:
                    operations.flag_message(message, reason=reason, by=self.actor)
                    self.ws.send(encode({"k": "flagged", "seq": seq}))
        if not may:
            self.refuse("", may.sentence, rule=may.rule)

    def _standing(self) -> Standing:
        """How the person stands to the session at this moment: every message is authorised anew."""
        return streaming.get_standing(self.room_id, self.actor.user_id)


def _wish(text: str) -> dict[str, Any]:
    wish = json.loads(text)
    if not isinstance(wish, dict):
        raise ValueError("not an object")
    return wish


def _over(moments: deque[float], most: int) -> bool:
    """Count one more; whether there were more than that many in the last minute."""
    moment = time.monotonic()
    while moments and moments[0] < moment - 60:
        moments.popleft()
    if len(moments) >= most:
        return True
    moments.append(moment)
    return False
