"""The bell's socket: one for each open page, told within a moment of the commit; what it says is always read from PostgreSQL."""

import json
import threading
import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from lms.channels import queries as channels
from lms.core import db, plans, pubsub, rights, tickets
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.i18n import in_locale, ngettext, set_locale
from lms.core.ids import made_at
from lms.core.redis import RedisError
from lms.notifications import policies, queries
from lms.notifications.operations import bell_topic
from lms.notifications.queries import Bell
from lms.web.access import allow
from lms.web.face import faces
from lms.web.navigation import many
from lms.web.socket_doors import NO_RIGHT, SIGNED_OUT, Places, check_origin, database, offered_ticket, open_socket, sign_of_life
from lms.web.websockets import Closed, Spoken, WebSocket, text_frame

bp = Blueprint("notifications_sockets", __name__, url_prefix="/ws/notifications")
PURPOSE = "bell"
TICK = 1.0
AT_ONCE = 500
INBOX_SECONDS = 3.0
RIGHTS_SECONDS = 60.0
SLACK = timedelta(seconds=10)  # a notice may be committed this long after it was written
log = structlog.get_logger(__name__)
places = Places()


@bp.route("/bell", websocket=True)
def bell() -> Response:
    """Hear what I am told, as it happens; `?after=` is the newest notice this browser has spoken of."""
    check_origin(request.headers.get("Origin"))
    with database, db.unit_of_work(g.channel.id, read_only=True):
        digest = tickets.use_ticket(offered_ticket(), PURPOSE)
        found = channels.actor_of_session(digest)
        if found is None or found.user_id is None:
            raise Forbidden(_("Sign in again."), rule="signed_out")
        g.actor = found
        allow(policies.can_read(found))
    places.take(g.channel.id, found.user_id)
    line = Line(open_socket(), found, g.channel.id, _cursor(request.args.get("after", "")))
    try:
        bells.enter(line)
        line.serve()
    finally:
        bells.leave(line)
        places.free(g.channel.id, found.user_id)
        line.ws.finish()
    g.started = time.perf_counter()  # the length of a conversation is no answer time
    return Spoken()


def _cursor(after: str) -> UUID | None:
    try:
        return UUID(after) if after else None
    except ValueError:
        return None


class Line:
    """One open page of one person."""

    def __init__(self, ws: WebSocket, actor: Actor, channel_id: UUID, after: UUID | None) -> None:
        assert actor.user_id is not None
        self.ws = ws
        self.actor = actor
        self.channel_id = channel_id
        self.user_id = actor.user_id
        self.since: datetime = made_at(after) - SLACK if after else now()
        self.known: set[UUID] = {after} if after else set()
        self.unseen = self.inbox = -1
        self.checked_at = self.pinged_at = time.monotonic()

    def serve(self) -> None:
        """Stay until the page goes; it has nothing to say."""
        set_locale(self.actor.locale)
        try:
            while True:
                self.ws.receive()
        except Closed as end:
            log.info("bell_left", code=end.code, why=end.reason[:40])

    def tell(self, bell: Bell) -> None:
        """Say how the bell stands and what is new, when that is not what was said last."""
        fresh = [notice for notice in bell.newest if notice.id not in self.known and notice.created_at >= self.since]
        self.known.update(notice.id for notice in fresh)
        if bell.unseen == self.unseen and not fresh:
            return
        self.unseen = bell.unseen
        with in_locale(self.actor.locale):
            count = bell.unseen
            label = ngettext("%(num)s unread notification", "%(num)s unread notifications", count) if count else ""
            news = [{"id": str(one.id), "text": one.title, "tone": one.about.tone} for one in fresh]
            self._say({"k": "bell", "count": many(count), "label": label or _("Notifications"), "fresh": news})

    def tell_inbox(self, count: int) -> None:
        """Say how much waits in the inbox, when that is not what was said last."""
        if count != self.inbox:
            self.inbox = count
            self._say({"k": "inbox", "count": many(count)})

    def tell_plan(self, plan_id: str) -> None:
        """Say that a bulk act has come further, so that its page looks again."""
        self._say({"k": "plan", "id": plan_id})

    def _say(self, news: dict[str, Any]) -> None:
        self.ws.send(text_frame(json.dumps(news, ensure_ascii=False, separators=(",", ":"))))


class Ear:
    """Hears for one channel whose bells changed."""

    def __init__(self, channel_id: UUID) -> None:
        self.channel_id = channel_id

    def heard(self, payload: bytes) -> None:
        """Look at the bells of those named, of whom a page is open here."""
        bells.ring(self.channel_id, {UUID(name) for name in json.loads(payload)})

    def subscribed(self) -> None:
        """News may have been missed: look at everybody's."""
        bells.ring(self.channel_id, None)


class PlanEar:
    """Hears for one channel that a bulk act has come further."""

    def __init__(self, channel_id: UUID) -> None:
        self.channel_id = channel_id

    def heard(self, payload: bytes) -> None:
        """Pass it on to those who work here; the page asks for itself whether they may see it."""
        bells.move(self.channel_id, payload.decode())

    def subscribed(self) -> None:
        """What was missed, the pages ask for by themselves every few seconds."""


class Bells:
    """All open pages of this process, and the thread that reads for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[UUID, dict[UUID, set[Line]]] = defaultdict(dict)
        self._dirty: set[tuple[UUID, UUID]] = set()
        self._suspects: set[UUID] = set()
        self._moved: set[tuple[UUID, str]] = set()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._inbox_due = 0.0

    def enter(self, line: Line) -> None:
        """Take a page in, and have its bell read."""
        with self._lock:
            first = not self._lines[line.channel_id]
            self._lines[line.channel_id].setdefault(line.user_id, set()).add(line)
            begin = self._thread is None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bells", daemon=True)
                self._thread.start()
        if begin:
            pubsub.subscriber.listen(rights.TOPIC, self)
        if first:
            pubsub.subscriber.listen(bell_topic(line.channel_id), Ear(line.channel_id))
            pubsub.subscriber.listen(plans.topic_of(line.channel_id), PlanEar(line.channel_id))
        self._inbox_due = 0.0
        self.ring(line.channel_id, {line.user_id})

    def leave(self, line: Line) -> None:
        """Let a page go; a channel nobody watches is heard no longer."""
        with self._lock:
            here = self._lines[line.channel_id]
            here.get(line.user_id, set()).discard(line)
            if not here.get(line.user_id):
                here.pop(line.user_id, None)
            if not here:
                pubsub.subscriber.forget(bell_topic(line.channel_id))
                pubsub.subscriber.forget(plans.topic_of(line.channel_id))

    def ring(self, channel_id: UUID, user_ids: set[UUID] | None) -> None:
        """Have the bells of these people (None: of everybody) read; only of those who have a page open here."""
        with self._lock:
            here = set(self._lines[channel_id])
            wanted = here if user_ids is None else here & user_ids
            self._dirty |= {(channel_id, user_id) for user_id in wanted}
        if wanted:
            self._wake.set()

    def move(self, channel_id: UUID, plan_id: str) -> None:
        """Have the pages of those who work here told that a bulk act has come further."""
        with self._lock:
            self._moved.add((channel_id, plan_id))
        self._wake.set()

    def heard(self, payload: bytes) -> None:
        """Somebody's rights changed: look at their pages now."""
        self._suspects.add(UUID(json.loads(payload)["user_id"]))
        self._wake.set()

    def subscribed(self) -> None:
        """News of rights may have been missed: look at everybody soon."""
        for line in self.lines():
            line.checked_at = 0.0

    def lines(self, channel_id: UUID | None = None) -> list[Line]:
        """Every open page, of one channel when it is named."""
        with self._lock:
            found = [self._lines.get(channel_id, {})] if channel_id else list(self._lines.values())
            return [line for people in found for lines in people.values() for line in lines]

    def _run(self) -> None:
        while True:
            self._wake.wait(TICK)
            self._wake.clear()
            for part in (self._feed, self._plans, self._inbox, self._rights, self._signs_of_life):
                try:
                    part()
                except (SQLAlchemyError, RedisError, OSError) as error:
                    log.warning("bells_part_failed", part=part.__name__, error=type(error).__name__)

    def _feed(self) -> None:
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        groups: dict[UUID, list[UUID]] = defaultdict(list)
        for channel_id, user_id in dirty:
            groups[channel_id].append(user_id)
        for channel_id, user_ids in groups.items():
            for start in range(0, len(user_ids), AT_ONCE):
                self._feed_some(channel_id, user_ids[start : start + AT_ONCE])

    def _feed_some(self, channel_id: UUID, user_ids: list[UUID]) -> None:
        try:
            with database, db.unit_of_work(channel_id, read_only=True):
                found = queries.bells_of(user_ids)
        except SQLAlchemyError:
            with self._lock:
                self._dirty |= {(channel_id, user_id) for user_id in user_ids}
            raise
        for user_id, bell in found.items():
            with self._lock:
                lines = list(self._lines[channel_id].get(user_id, ()))
            for line in lines:
                line.tell(bell)

    def _plans(self) -> None:
        with self._lock:
            moved, self._moved = self._moved, set()
        for channel_id, plan_id in moved:
            for line in self.lines(channel_id):
                if line.actor.is_staff:
                    line.tell_plan(plan_id)

    def _inbox(self) -> None:
        """What waits for admins, of those channels where one looks on."""
        if time.monotonic() < self._inbox_due or faces.count_waiting is None:
            return
        self._inbox_due = time.monotonic() + INBOX_SECONDS
        admins: dict[UUID, list[Line]] = defaultdict(list)
        for line in self.lines():
            if line.actor.is_admin:
                admins[line.channel_id].append(line)
        for channel_id, lines in admins.items():
            with database, db.unit_of_work(channel_id, read_only=True):
                count = faces.count_waiting()
            for line in lines:
                line.tell_inbox(count)

    def _rights(self) -> None:
        """Close the pages of those signed out, suspended or in another role than when they came."""
        suspects, self._suspects = self._suspects, set()
        old = time.monotonic() - RIGHTS_SECONDS
        groups: dict[UUID, list[Line]] = defaultdict(list)
        for line in self.lines():
            if (line.checked_at < old or line.user_id in suspects) and not line.ws.closing_since:
                groups[line.channel_id].append(line)
        for channel_id, lines in groups.items():
            try:
                with database, db.unit_of_work(channel_id, read_only=True):
                    standing = channels.standing_people(line.actor.session_id for line in lines if line.actor.session_id)
            except SQLAlchemyError:
                self._suspects |= suspects
                raise
            for line in lines:
                found = standing.get(line.actor.session_id) if line.actor.session_id else None
                if found is None:
                    line.ws.close(SIGNED_OUT, "sign in again")
                elif found != (line.user_id, line.actor.role):
                    line.ws.close(NO_RIGHT, "open the page again")
                line.checked_at = time.monotonic()

    def _signs_of_life(self) -> None:
        moment = time.monotonic()
        for line in self.lines():
            sign_of_life(line, moment)


bells = Bells()
