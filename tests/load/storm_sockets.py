"""Floods and rights at the socket door (T115, T116) at their sizes: the others hear on time, and who loses a right is out at once."""

import statistics
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from lms.auth import operations as accounts
from lms.auth import queries as auth_queries
from lms.channels import operations as members
from lms.channels.queries import get_member
from lms.core import db
from lms.core.rights import rights_changed
from lms.enrollments.models import Enrollment
from tests.chat import kit
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.streaming import a_session, enrol
from tests.load.figure import Figure, Wish
from tests.load.stage import Stage, a_stage


@dataclass(slots=True)
class Class:
    """A live class with a socket process: who teaches, who floods, who listens."""

    server: kit.SocketServer
    channel_id: UUID
    room_id: UUID
    teacher: kit.Person
    flood: kit.Person
    stranger: kit.Person
    others: list[kit.Person]

    def come_in(self, person: kit.Person) -> kit.Talk:
        """Take a ticket and open a socket."""
        given = kit.ticket(person, self.room_id, self.channel_id)
        return kit.come_in(self.server, person, self.room_id, given=given)


def sockets(wish: Wish) -> list[Figure]:
    """500 sockets by one person, 1,000 messages a second, 1 MB frames, nonsense; then rights that end, each timed at the socket."""
    with a_stage(10) as stage, ExitStack() as stack:
        where = Path(stage.config.home) / "sockets"
        where.mkdir()
        server = stack.enter_context(_served(stage, where))
        stack.callback(kit.hang_up)
        room = _class(stage, server, 4 if wish.quick else 20)
        figures = [_seats(room, 60 if wish.quick else 500), _flood(room, 2 if wish.quick else 20), _nonsense(room)]
        return [*figures, _rights(room)]


def _served(stage: Stage, where: Path) -> Any:
    """A socket process on the stage."""
    server = kit.SocketServer({"PATH": "/usr/bin:/bin", **stage.environ}, kit.free_port(), log=where / "log")
    server.environ["LMS_PORT"] = str(server.port - 1)

    class Held:
        def __enter__(self) -> kit.SocketServer:
            server.start()
            return server

        def __exit__(self, *_all: object) -> None:
            server.kill()

    return Held()


def _class(stage: Stage, server: kit.SocketServer, others: int) -> Class:
    with db.unit_of_work(stage.channel_id):
        session = a_session(a_course("Stormy", lessons=0), state="live")
        students = [people.a_student(f"Storm {number}") for number in range(others + 1)]
        for one in students:
            enrol(one, session)
        signed = [kit.signed_in(one) for one in (people.ada(), people.a_student("Eve Stranger"), *students)]
    return Class(server, stage.channel_id, session.id, signed[0], signed[2], signed[1], signed[3:])


def _seats(room: Class, many: int) -> Figure:
    """One person opens so many sockets: eight seats, the others refused; a stranger gets none, another person gets one."""
    seated, refused, answers = [], 0, []
    for _ in range(many):
        began = time.monotonic()
        try:
            seated.append(room.come_in(room.flood))
        except InvalidStatus as error:
            refused += error.response.status_code == 429
        answers.append(time.monotonic() - began)
    try:
        room.come_in(room.stranger)
        stranger = "let in"
    except InvalidStatus as error:
        stranger = str(error.response.status_code)
    room.come_in(room.others[0]).leave()
    for talk in seated:
        talk.leave()
    p95 = statistics.quantiles(answers, n=20)[-1] * 1000
    value = f"{len(seated)} seats, {refused} refused with 429, p95 {p95:.0f} ms; a stranger: {stranger}"
    good = len(seated) == 8 and refused == many - 8 and stranger == "403"
    return Figure("sockets", f"{many} sockets by one person", value, "", "8 seats, others fine", good)


def _flood(room: Class, seconds: float) -> Figure:
    """One shouts 1,000 messages a second, again after each cut; the teacher and the others talk, and hear each other on time."""
    ended = threading.Event()
    shouted = [0]

    def shout() -> None:
        while not ended.is_set():
            try:
                talk = room.come_in(room.flood)
                for _ in range(1000):
                    talk.say(f"loud {shouted[0]}")
                    shouted[0] += 1
                    time.sleep(0.001)
            except (WebSocketException, OSError, AssertionError):
                time.sleep(0.05)

    speaker = room.come_in(room.teacher)
    listeners = [room.come_in(one) for one in room.others]
    thread = threading.Thread(target=shout, daemon=True)
    thread.start()
    waits, missed, foreign = [], 0, 0
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        words = f"calm {count}"
        began = time.monotonic()
        speaker.say(words)
        for listener in (listeners[count % len(listeners)], speaker):
            try:
                listener.until("line", 5, text=words)
                waits.append(time.monotonic() - began)
            except (AssertionError, ConnectionClosed):
                missed += 1
        count += 1
        time.sleep(max(0.0, 0.7 - (time.monotonic() - began)))
    ended.set()
    thread.join(20)
    loud = len({line["text"] for listener in listeners for line in listener.lines if str(line["text"]).startswith("loud")})
    p95 = statistics.quantiles(waits, n=20)[-1] * 1000 if len(waits) > 1 else 0.0
    allowed = 100 * (1 + int(seconds // 60) + 1)
    value = f"{shouted[0]:,} shouted, {loud} let through, others p95 {p95:.0f} ms, {missed} missed"
    return Figure("sockets", f"1,000 messages a second by one, {len(listeners) + 1} others talk, {seconds:.0f} s", value, "",
                  "100 a minute pass, others' p95 < 300 ms", p95 < 300 and not missed and not foreign and loud <= allowed)  # fmt: skip


def _nonsense(room: Class) -> Figure:
    """Frames that are too big, binary or no JSON, 20 times each: closed or answered, and the next one is served."""
    codes: list[int | str] = []
    for data in ["x" * (1024 * 1024), b"\x00" * 64, "{", "[]" * 30_000] * 5:
        talk = room.come_in(room.others[1])
        talk.connection.send(data)
        try:
            codes.append("no" if talk.until("no", 5) else "")
        except ConnectionClosed as close:
            codes.append(close.rcvd.code if close.rcvd else 1006)
        except AssertionError:
            codes.append("silent")
        talk.leave()
    fine = room.come_in(room.others[2])
    fine.say("fine")
    fine.until("line", 10, text="fine")
    wanted = [1009, 1003, "no", "no"] * 5
    found = sum(one in (want, 1009) for one, want in zip(codes, wanted, strict=True))
    return Figure(
        "sockets", "frames of 1 MB, binary, broken JSON", f"{found} of {len(codes)} refused as they should", "", "all", found == len(codes)
    )


def _rights(room: Class) -> Figure:
    """Sign-out, suspension, another role, an enrolment that ends: how long the socket stays open."""
    times = {}
    for what, person in zip(("sign-out", "suspension", "role", "enrolment"), room.others[:4], strict=False):
        talk = room.come_in(person)
        user_id = person.actor.user_id
        assert user_id is not None
        began = time.monotonic()
        with db.unit_of_work(room.channel_id, user_id=user_id) as session:
            root = people.root()
            if what == "sign-out":
                accounts.end_session(auth_queries.live_sessions(user_id)[0], by=person.actor)
            elif what == "suspension":
                members.suspend(get_member(user_id), by=root)
            elif what == "role":
                members.change_role(get_member(user_id), "instructor", by=root)
            else:
                enrolled = session.scalars(select(Enrollment).where(Enrollment.user_id == user_id)).one()
                enrolled.status, enrolled.ended_at = "ended", func.now()
                rights_changed(user_id)
        talk.closed(30)
        times[what] = time.monotonic() - began
    value = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in times.items())
    return Figure("sockets", "a right that ends, to the closed socket", value, "", "≤ 5 s", max(times.values()) <= 5 and len(times) == 4)
