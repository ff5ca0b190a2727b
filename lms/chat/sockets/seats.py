"""A seat: one person's socket in one room, and what the person says through it."""

import json
import time
from collections import deque
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lms.chat import operations, policies
from lms.chat.operations import MOST_A_MINUTE
from lms.chat.sockets.rooms import LiveRoom, encode
from lms.chat.sockets.wishes import WISHES, Wish
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
TYPING_SECONDS, TYPING_ROOM = 2.0, 30
log = structlog.get_logger(__name__)


class Seat:
    """One socket of one person in one room."""

    __slots__ = (
        "_frames", "_said", "_typed_at", "actor", "checked_at", "digest", "is_moderator", "locale", "pinged_at",
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
        self._typed_at = 0.0
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
            **room.state,
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
        elif kind == "typing":
            self._type()
        else:
            self._act(WISHES[str(kind)], wish)

    def _say(self, wish: dict[str, Any]) -> None:
        client_id, text = UUID(str(wish["ref"])), str(wish.get("text", ""))
        if _over(self._said, MOST_A_MINUTE):
            raise TooMany(_("That is more than 100 messages in a minute. Take a breath."), retry_after=30)
        with database, db.running(self.actor.channel_id, user_id=self.actor.user_id):
            reply = int(wish["re"]) if wish.get("re") else None
            posted = operations.post_message(
                self.room_id, text, client_id=client_id, by=self.actor, reply_seq=reply, is_question=wish.get("q") is True
            )
        if not posted.is_new:
            self.ws.send(encode({"k": "ack", "ref": str(client_id), "seq": posted.line.seq}))

    def _type(self) -> None:
        """Tell the others that this person writes: in small rooms, and of moderators; not more than every other second."""
        moment, room = time.monotonic(), self.room
        if room is None or moment - self._typed_at < TYPING_SECONDS or (room.told_count > TYPING_ROOM and not self.is_moderator):
            return
        self._typed_at = moment
        if self.is_moderator or not room.state["rules"]["paused"]:
            operations.tell_typing(self.room_id, by=self.actor)

    def _act(self, act: Wish, wish: dict[str, Any]) -> None:
        """Any other wish: the rule is asked anew for each, and what the person alone has to know goes back."""
        with database, db.unit_of_work(self.actor.channel_id, user_id=self.actor.user_id):
            told = act(self.actor, streaming.get_standing(self.room_id, self.actor.user_id), wish)
        if told:
            self.ws.send(encode(told))


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
