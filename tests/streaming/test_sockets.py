"""The door of hosts against a real socket process: who may send, what a kill loses (nothing), and one window at a time."""

import json
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import select
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from lms.core import db, tickets
from lms.streaming import gateways, operations, queries
from lms.streaming.models import Session
from tests.chat.conftest import House, Stage
from tests.chat.kit import Person
from tests.conftest import CHANNEL, run_jobs

MKV = "video/x-matroska;codecs=avc1,opus"


class Studio:
    """One window of a host."""

    def __init__(self, stage: Stage, person: Person) -> None:
        with db.unit_of_work(CHANNEL):
            given = tickets.make_ticket(f"ingest:{stage.room_id}", person.digest, by=person.actor)
        address = f"ws://localhost:{stage.server.port}/ws/streaming/sessions/{stage.room_id}/ingest"
        origin = f"http://localhost:{stage.server.port}"
        protocols: list[Any] = ["lectern.1", f"ticket.{given}"]
        self._line = connect(address, subprotocols=protocols, origin=cast(Any, origin), compression=None)
        self.line: ClientConnection = self._line.__enter__()

    def say(self, **words: object) -> dict[str, Any]:
        """Say something and hear the answer."""
        self.line.send(json.dumps(words))
        return self.hear()

    def send(self, number: int, data: bytes) -> dict[str, Any]:
        """Send a chunk and hear the answer."""
        self.line.send(number.to_bytes(4) + data)
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next news."""
        news: dict[str, Any] = json.loads(self.line.recv(timeout=30))
        return news

    def closed(self) -> int:
        """The code the line is closed with."""
        try:
            while True:
                self.line.recv(timeout=30)
        except ConnectionClosed as close:
            return close.rcvd.code if close.rcvd else 1006


@pytest.fixture
def studio(stage: Stage, house: House) -> Stage:
    """A live class held in the browser."""
    with db.unit_of_work(CHANNEL) as work:
        work.get_one(Session, stage.room_id).provider = "browser"
    gateways.use_folder(Path(house.server.environ["LMS_HOME"]) / "live")
    return stage


def test_sessions_ingest__keeps_every_confirmed_chunk_over_a_kill(studio: Stage) -> None:
    take, pieces = str(uuid4()), [bytes([number]) * 50_000 for number in range(12)]
    host = Studio(studio, studio.ada)
    assert host.say(k="begin", take=take, mime=MKV, age=1000) == {"k": "go", "next": 0, "take": take}
    for number in range(5):
        assert host.send(number, pieces[number]) == {"k": "ack", "next": number + 1}
    assert host.send(9, pieces[9]) == {"k": "go", "next": 5}
    studio.server.kill()
    studio.server.start()
    host = Studio(studio, studio.ada)
    assert host.say(k="begin", take=take, mime=MKV, age=9000) == {"k": "go", "next": 5, "take": take}
    for number in range(3, 12):
        assert host.send(number, pieces[number])["k"] == "ack"
    assert host.say(k="end") == {"k": "ended", "take": take}
    (reel,) = gateways.reels(gateways.folder_of(CHANNEL, studio.room_id))
    assert reel.data.read_bytes() == b"".join(pieces) and reel.is_ended
    assert host.say(k="begin", take=take, mime=MKV, age=0)["k"] == "ended"


def test_sessions_ingest__is_for_those_who_run_the_class(studio: Stage) -> None:
    for person in (studio.sam, studio.eve):
        with pytest.raises(InvalidStatus) as refusal:
            Studio(studio, person)
        assert refusal.value.response.status_code == 403


def test_sessions_ingest__answers_nonsense_with_a_sentence(studio: Stage) -> None:
    host = Studio(studio, studio.root)
    assert host.send(0, b"before begin")["rule"] == "shape"
    assert host.say(k="dance")["rule"] == "shape"
    assert host.say(k="begin", take=str(uuid4()), mime="text/html", age=0)["rule"] == "mime"
    host.line.send(b"x" * 70_000)
    assert host.closed() == 1009


def test_sessions_ingest__sends_the_older_window_away_and_hears_the_end(studio: Stage) -> None:
    one, two = Studio(studio, studio.ada), Studio(studio, studio.ada)
    one.say(k="begin", take=str(uuid4()), mime=MKV, age=0)
    one.send(0, b"first")
    assert two.say(k="begin", take=str(uuid4()), mime=MKV, age=0)["next"] == 0
    assert one.closed() == 4409
    two.send(0, b"second")
    with db.unit_of_work(CHANNEL):
        operations.end_session(queries.get_session(studio.room_id), by=studio.root.actor)
    run_jobs()
    two.line.send((1).to_bytes(4) + b"late")
    assert two.hear()["k"] == "over" and two.closed() == 1000
    with db.unit_of_work(CHANNEL) as work:
        assert work.execute(select(Session.state).where(Session.id == studio.room_id)).scalar_one() == "ended"
        assert [(take.number, take.ended_at is not None) for take in queries.takes_of(studio.room_id)] == [(1, True), (2, True)]
