"""The socket door against a real gevent process: origins, tickets, rights, floods, order, resuming, slow readers, kills."""

import json
import random
import socket
import threading
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lms.auth import operations as accounts
from lms.auth import queries as auth_queries
from lms.channels import operations as people
from lms.channels.queries import get_member
from lms.chat import operations as chat
from lms.chat.models import Message, Room
from lms.core import db, pubsub
from lms.core.clock import now
from lms.core.redis import redis
from lms.core.rights import rights_changed
from lms.enrollments.models import Enrollment
from lms.streaming import operations as streaming
from lms.streaming import queries as streaming_queries
from lms.streaming.models import Visit
from tests.chat.conftest import House, Stage
from tests.chat.kit import Author, Reader, SocketServer, Talk, come_in, eventually, signed_in, sockets, ticket
from tests.conftest import CHANNEL, OTHER_CHANNEL, run_jobs
from tests.factories.people import a_student
from tests.factories.streaming import enrol

KILLS = 8


def refused(stage: Stage, **options: object) -> int:
    """The status a handshake is refused with."""
    with pytest.raises(InvalidStatus) as refusal:
        come_in(stage.server, stage.sam, stage.room_id, **options)  # type: ignore[arg-type]
    return refusal.value.response.status_code


def cut_subscriptions() -> int:
    """Cut every subscription of this test process in the Valkey that all of them share; how many there were."""
    own = redis().connection_pool.connection_kwargs["db"]
    lines = [client["id"] for client in redis().client_list(_type="pubsub") if int(client["db"]) == int(own)]
    return sum(int(redis().client_kill_filter(_id=line)) for line in lines)


def kept(room_id: UUID) -> list[tuple[int, str]]:
    """What PostgreSQL holds of a room, in order."""
    with db.unit_of_work(CHANNEL) as session:
        rows = session.execute(select(Message.seq, Message.text).where(Message.room_id == room_id).order_by(Message.seq))
        return [(row.seq, row.text) for row in rows]


def may_sit(stage: Stage) -> bool:
    """Whether Sam gets another seat."""
    try:
        come_in(stage.server, stage.sam, stage.room_id).leave()
    except InvalidStatus:
        return False
    return True


# --- T117 (order), history ------------------------------------------------------------------------------------------------------


def test_rooms_show__carries_messages_to_everybody_in_order(stage: Stage) -> None:
    one, two = come_in(stage.server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)
    for number in range(20):
        (one if number % 2 else two).say(f"message {number}")
    for talk in (one, two):
        while len(talk.lines) < 20:
            assert talk.read() is not None
        assert [line["seq"] for line in talk.lines] == list(range(1, 21))
    assert [(line["seq"], line["text"]) for line in one.lines] == kept(stage.room_id)
    assert {line["by"]["role"] for line in one.lines} == {"student", "instructor"}  # type: ignore[index]


def test_rooms_show__sends_what_follows_the_cursor_and_no_more(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    for number in range(1, 8):
        one.say(f"{number}")
        one.until("line", seq=number)
    for after, expected in ((0, list(range(1, 8))), (5, [6, 7]), (7, []), (99, [])):
        two = come_in(stage.server, stage.ada, stage.room_id, after=after)
        while len(two.lines) < len(expected):
            assert two.read()
        while two.read(0.2):
            pass
        assert [line["seq"] for line in two.lines] == expected
        two.leave()


def test_rooms_show__sends_a_long_history_from_postgresql_while_people_talk(stage: Stage) -> None:
    long_ago = now() - timedelta(hours=1)  # Ada teaches in every test, and may not have said too much in the last minute
    with db.unit_of_work(CHANNEL) as session:
        session.add(Room(id=stage.room_id, last_seq=950))
        session.flush()
        session.add_all(
            Message(
                room_id=stage.room_id, seq=seq, author_id=stage.ada.actor.user_id, client_id=uuid4(), text=f"old {seq}", posted_at=long_ago
            )
            for seq in range(1, 951)
        )
    one = come_in(stage.server, stage.sam, stage.room_id)
    stop = threading.Event()

    def chatter() -> None:
        while not stop.is_set():
            one.say("new")
            time.sleep(0.02)

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        two = come_in(stage.server, stage.ada, stage.room_id, after=0)
        while len(two.lines) < 960:
            assert two.read() is not None
    finally:
        stop.set()
        thread.join()
    assert [line["seq"] for line in two.lines] == list(range(1, len(two.lines) + 1))


def test_rooms_show__posts_once_what_is_sent_twice(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    ref = one.say("once")
    one.until("line")
    one.say("once", ref)
    one.until("ack", ref=ref, seq=1)
    assert kept(stage.room_id) == [(1, "once")]


def test_rooms_show__keeps_the_newest_200_in_redis(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    one.say("hello")
    one.until("here", count=1)
    key = f"chat:tail:{CHANNEL}:{stage.room_id}"
    assert [json.loads(item)["text"] for item in redis().lrange(key, 0, -1)] == ["hello"]
    assert redis().zcard(f"chat:here:{CHANNEL}:{stage.room_id}") == 1


# --- T114 -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", None, "http://localhost.evil.example", "https://beta.example", "http://localhost:1"]
)
def test_rooms_show__refuses_pages_of_other_sites(stage: Stage, origin: str | None) -> None:
    assert refused(stage, origin=origin) == 403


def test_rooms_show__refuses_plain_http_in_production(stage: Stage, house: House, tmp_path: Path) -> None:
    with sockets(house.database_url, house.redis_url, tmp_path, production=True) as server:
        with pytest.raises(InvalidStatus) as refusal:
            come_in(server, stage.sam, stage.room_id, origin=f"http://localhost:{server.port}")
        assert refusal.value.response.status_code == 403
        come_in(server, stage.sam, stage.room_id, origin="https://localhost").leave()


def test_rooms_show__takes_a_ticket_once_for_its_room_and_channel(stage: Stage) -> None:
    once = ticket(stage.sam, stage.room_id)
    come_in(stage.server, stage.sam, stage.room_id, given=once).leave()
    assert refused(stage, given=once) == 403
    assert refused(stage, given="") == 403
    assert refused(stage, given="x" * 43) == 403
    assert refused(stage, given=ticket(stage.sam, uuid4())) == 403
    assert refused(stage, given=ticket(stage.sam, stage.room_id, OTHER_CHANNEL)) == 403


# --- T115 -----------------------------------------------------------------------------------------------------------------------


def test_rooms_show__refuses_a_stranger_to_the_course(stage: Stage) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        come_in(stage.server, stage.eve, stage.room_id)
    assert refusal.value.response.status_code == 403


def test_rooms_show__authorises_each_message(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    one.say("before")
    one.until("line")
    with db.unit_of_work(CHANNEL) as session:  # nobody tells the socket process
        enrolled = session.scalars(select(Enrollment).where(Enrollment.user_id == stage.sam.actor.user_id)).one()
        enrolled.status, enrolled.ended_at = "ended", func.now()
    one.say("after")
    assert one.until("no")["rule"] == "enrolled"
    assert kept(stage.room_id) == [(1, "before")]


def test_rooms_show__lets_authors_and_moderators_delete_and_nobody_else(stage: Stage) -> None:
    with db.unit_of_work(CHANNEL):
        other = a_student(f"Nia {stage.room_id}")
        enrol(other, streaming_queries.get_session(stage.room_id))
        nia = signed_in(other)
    one, two, three = (come_in(stage.server, person, stage.room_id) for person in (stage.sam, nia, stage.ada))
    for text in ("mine", "rude"):
        one.say(text)
        three.until("line", text=text)
    two.send(k="delete", seq=1)
    assert two.until("no")["rule"] == "moderator"
    one.send(k="delete", seq=1)
    assert two.until("gone")["seq"] == 1
    three.send(k="delete", seq=2)
    assert two.until("gone", seq=2)
    late = come_in(stage.server, nia, stage.room_id, after=0)
    assert late.news[0]["gone"] == [1, 2]
    late.until("line", seq=2)
    assert [line["text"] for line in late.lines] == ["", ""]
    assert redis().exists(f"chat:tail:{CHANNEL}:{stage.room_id}") == 0


def test_rooms_show__tells_and_enforces_what_moderators_do(stage: Stage) -> None:
    one, host = come_in(stage.server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)
    one.say("Why?")
    host.until("line", seq=1)
    with db.unit_of_work(CHANNEL):  # by the page of another process
        chat.pause_room(stage.room_id, on=True, by=stage.ada.actor)
    one.until("rules", paused=True)
    one.say("still here")
    assert one.until("no")["rule"] == "paused"
    one.send(k="pin", seq=1)
    assert one.until("no")["rule"] == "staff"
    host.send(k="pin", seq=1)
    assert one.until("pin")["line"]["text"] == "Why?"  # type: ignore[index]
    one.send(k="hand", on=True)
    host.until("hands", hands=[{"id": str(stage.sam.actor.user_id), "name": stage.sam.actor.name}])
    host.send(k="react", seq=1, sign="👍", on=True)
    one.until("mark", seq=1, r={"👍": 1})
    one.send(k="typing")
    assert host.read(0.5) is None or host.news[-1]["k"] != "typing", "a paused room hears nobody type"
    host.send(k="typing")
    one.until("typing")
    host.send(k="ban", user=str(stage.sam.actor.user_id))
    one.until("banned", on=True)
    one.send(k="react", seq=1, sign="👍", on=True)
    assert one.until("no")["rule"] == "banned"
    late = come_in(stage.server, stage.ada, stage.room_id).news[0]
    assert late["pin"]["seq"] == 1 and late["marks"] == {"1": {"r": {"👍": 1}}} and late["rules"]["paused"] is True  # type: ignore[index]


def test_rooms_show__carries_questions_votes_and_answers(stage: Stage) -> None:
    one, host = come_in(stage.server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)
    one.send(k="say", ref=str(uuid4()), text="Why?", q=True)
    assert host.until("line")["q"] is True
    host.send(k="vote", seq=1, on=True)
    one.until("mark", seq=1, v=1)
    host.send(k="answered", seq=1, on=True)
    one.until("mark", seq=1, done=True)
    host.send(k="say", ref=str(uuid4()), text="Because.", re=1)
    assert one.until("line", seq=2)["re"] == {"seq": 1, "name": stage.sam.actor.name, "text": "Why?"}
    host.send(k="delete", seq=1)
    one.until("gone")
    late = come_in(stage.server, stage.ada, stage.room_id, after=1)
    assert late.until("line", seq=2)["re"]["text"] == ""  # type: ignore[index]


def test_rooms_show__answers_nonsense_with_no_and_stays(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    for nonsense in ("{", "[]", '"x"', '{"k":"fly"}', '{"k":"say","ref":"1","text":"x"}', '{"k":"delete","seq":"x"}', '{"k":"delete"}'):
        one.connection.send(nonsense)
        assert one.until("no")["why"]
    one.send(k="delete", seq=77)
    assert one.until("no")
    one.say("x" * 2001)
    assert "2000" in str(one.until("no")["why"])
    one.say(" \u202e ")
    assert one.until("no")
    one.say("fine")
    one.until("line", text="fine")


@pytest.mark.parametrize(("data", "code"), [("x" * (64 * 1024 + 1), 1009), (b"\x00\x01", 1003), ("é" * (33 * 1024), 1009)])
def test_rooms_show__closes_on_what_is_too_big_or_binary(stage: Stage, data: str | bytes, code: int) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    one.connection.send(data)
    assert one.closed() == code


def test_rooms_show__holds_a_person_to_100_messages_a_minute_and_spares_the_others(stage: Stage) -> None:
    flood, calm = come_in(stage.server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)

    def shout() -> None:
        try:
            for number in range(1000):
                flood.say(f"{number}")
        except ConnectionClosed:
            pass

    thread = threading.Thread(target=shout)
    thread.start()
    for number in range(20):
        calm.say(f"calm {number}")
        calm.until("line", text=f"calm {number}")
    thread.join()
    assert flood.closed() == 4429
    texts = [text for _seq, text in kept(stage.room_id)]
    assert len([text for text in texts if not text.startswith("calm")]) == 100


def test_rooms_show__seats_a_person_eight_times_at_most(stage: Stage) -> None:
    talks = [come_in(stage.server, stage.sam, stage.room_id) for _ in range(8)]
    assert refused(stage) == 429
    talks.pop().leave()
    eventually(lambda: may_sit(stage))
    come_in(stage.server, stage.ada, stage.room_id).leave()


# --- T116 -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["sign_out", "suspend", "role", "enrollment"])
def test_rooms_show__closes_at_once_when_rights_end(stage: Stage, what: str) -> None:
    one, two = come_in(stage.server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)
    sam_id = stage.sam.actor.user_id
    assert sam_id is not None
    with db.unit_of_work(CHANNEL, user_id=sam_id) as session:
        if what == "sign_out":
            accounts.end_session(auth_queries.live_sessions(sam_id)[0], by=stage.sam.actor)
        elif what == "suspend":
            people.suspend(get_member(sam_id), by=stage.root.actor)
        elif what == "role":
            people.change_role(get_member(sam_id), "instructor", by=stage.root.actor)
        else:
            enrolled = session.scalars(select(Enrollment).where(Enrollment.user_id == sam_id)).one()
            enrolled.status, enrolled.ended_at = "ended", func.now()
            rights_changed(sam_id)
    assert one.closed() in (4401, 4403)  # by the news of it, long before the look each minute
    two.say("still here")
    two.until("line")


# --- slow readers, lost news, kills ------------------------------------------------------------------------------------------------


def test_rooms_show__drops_a_slow_reader_and_stalls_nobody(stage: Stage) -> None:
    slow = raw_socket(stage)
    quick = come_in(stage.server, stage.ada, stage.room_id)
    payload = json.dumps({"k": "state", "state": "live", "pad": "x" * 60_000}).encode()
    topic = f"chat:room:{CHANNEL}:{stage.room_id}"
    for _ in range(150):
        pubsub.publish(topic, payload)
        quick.until("state")
    slow.settimeout(20)
    got = b""
    while piece := read_some(slow):
        got += piece
    assert whole_frames(got) >= 10, "the slow reader's stream is whole up to where it was cut"


def raw_socket(stage: Stage) -> socket.socket:
    """A browser that has shaken hands and then reads nothing."""
    line = socket.create_connection(("127.0.0.1", stage.server.port))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    request = (
        f"GET /ws/chat/rooms/{stage.room_id} HTTP/1.1\r\nHost: localhost:{stage.server.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://localhost:{stage.server.port}\r\n"
        f"Sec-WebSocket-Protocol: lectern.1, ticket.{ticket(stage.sam, stage.room_id)}\r\n\r\n"
    )
    line.sendall(request.encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += line.recv(1)
    assert b"101 Switching" in head
    return line


def read_some(line: socket.socket) -> bytes:
    """What comes next; nothing when the line is cut."""
    try:
        return line.recv(65536)
    except ConnectionError:
        return b""


def whole_frames(data: bytes) -> int:
    """How many sound frames the bytes hold; fails on the first unsound one. The last may be torn."""
    at = count = 0
    while at + 10 <= len(data):
        assert data[at] in (0x81, 0x89, 0x88), f"no frame begins at byte {at}"
        size, head = data[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
        if data[at] == 0x81 and at + head + size <= len(data):
            json.loads(data[at + head : at + head + size])
            count += 1
        at += head + size
    return count


def test_rooms_show__finds_lines_that_nobody_told_it_of(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    one.say("first")
    one.until("line")
    with db.unit_of_work(CHANNEL) as session:  # as if the process that posted died between commit and telling
        session.get_one(Room, stage.room_id).last_seq = 3
        for seq in (2, 3):
            session.add(Message(room_id=stage.room_id, seq=seq, author_id=stage.sam.actor.user_id, client_id=uuid4(), text=f"untold {seq}"))
    one.until("line", seq=3)
    assert [line["seq"] for line in one.lines] == [1, 2, 3]


def test_rooms_show__puts_crossing_news_in_order(stage: Stage) -> None:
    one, two = come_in(stage.server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)
    one.say("first")
    two.until("line")
    with db.unit_of_work(CHANNEL) as session:
        session.get_one(Room, stage.room_id).last_seq = 3
        for seq in (2, 3):
            session.add(Message(room_id=stage.room_id, seq=seq, author_id=stage.sam.actor.user_id, client_id=uuid4(), text=f"m{seq}"))
    for seq in (3, 2, 3):
        pubsub.publish(f"chat:room:{CHANNEL}:{stage.room_id}", json.dumps({"k": "line", "seq": seq, "text": "crossed"}).encode())
    two.until("line", seq=3)
    two.read(0.3)
    assert [line["seq"] for line in two.lines] == [1, 2, 3]


def test_rooms_show__survives_a_flushed_redis_and_a_cut_subscription(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    cut_subscriptions()
    redis().flushdb()
    one.say("after the storm")
    one.until("line")
    two = come_in(stage.server, stage.ada, stage.room_id, after=0)
    two.until("line", text="after the storm")


def test_rooms_show__writes_attendance(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    one.say("here I am")
    one.until("line")
    one.leave()

    def visits() -> list[tuple[str, UUID | None, bool]]:
        with db.unit_of_work(CHANNEL) as session:
            found = session.scalars(select(Visit).where(Visit.session_id == stage.room_id)).all()
            return [(visit.source, visit.user_id, visit.left_at is not None) for visit in found]

    eventually(lambda: visits() == [("chat", stage.sam.actor.user_id, True)])


def test_rooms_show__tells_that_the_class_has_ended_and_takes_no_more(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    with db.unit_of_work(CHANNEL):
        streaming.end_session(streaming_queries.get_session(stage.room_id), by=stage.ada.actor)
    run_jobs()
    one.until("state", state="ended")
    one.say("too late")
    assert one.until("no")["rule"] == "ended"


def test_rooms_show__finds_out_that_the_class_has_ended_when_nobody_tells(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    with db.unit_of_work(CHANNEL):
        streaming.end_session(streaming_queries.get_session(stage.room_id), by=stage.ada.actor)
    one.until("state", state="ended")


def test_rooms_show__tells_how_the_class_stands_after_a_broken_subscription(stage: Stage) -> None:
    one = come_in(stage.server, stage.sam, stage.room_id)
    with db.unit_of_work(CHANNEL):
        streaming.end_session(streaming_queries.get_session(stage.room_id), by=stage.ada.actor)
    assert cut_subscriptions() >= 1, "nobody told the room, and now nobody could"
    one.until("state", state="ended")


@pytest.mark.timeout(400)
def test_rooms_show__loses_and_doubles_nothing_over_many_kills(stage: Stage, house: House, tmp_path: Path) -> None:
    """Two processes, one killed again and again, and lines cut: authors resend what was not confirmed, readers resume by cursor."""
    with sockets(house.database_url, house.redis_url, tmp_path) as other:
        stop = threading.Event()
        authors = [Author(lambda _after: come_in(other, stage.sam, stage.room_id), number) for number in range(2)]
        readers = [Reader(partial(back_in, server, stage)) for server in (other, other, stage.server)]
        threads = [threading.Thread(target=one.work, args=(stop,)) for one in (*authors, *readers)]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.2, 0.6))
            other.kill()
            other.start()
        eventually(lambda: len(kept(stage.room_id)) >= 10)  # a busy machine says less between two kills
        for author in authors:
            author.finish.set()
        for thread in threads[:2]:
            thread.join(90)
        newest = kept(stage.room_id)
        for reader in readers:
            reader.wait_for(newest[-1][0])
        stop.set()
        for thread in threads:
            thread.join(20)
    texts = [text for _seq, text in newest]
    assert sorted(texts) == sorted(text for author in authors for text in author.sent)
    assert len(texts) >= 10
    for reader in readers:
        assert [(line["seq"], line["text"]) for line in reader.lines] == newest


def back_in(server: SocketServer, stage: Stage, after: int | None) -> Talk:
    """Ada comes in, or back."""
    return come_in(server, stage.ada, stage.room_id, after=after)


def test_rooms_show__works_under_threads_too(stage: Stage, house: House, tmp_path: Path) -> None:
    with sockets(house.database_url, house.redis_url, tmp_path, worker="gthread") as server:
        one, two = come_in(server, stage.sam, stage.room_id), come_in(stage.server, stage.ada, stage.room_id)
        for number in range(5):
            one.say(f"{number}")
            two.until("line", text=f"{number}")
            two.say(f"answer {number}")
            one.until("line", text=f"answer {number}")
        assert [line["seq"] for line in one.lines] == list(range(1, 11))
        one.leave()
