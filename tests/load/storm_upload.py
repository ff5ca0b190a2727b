"""An upload of five gigabytes that is cut, doubled, out of order, and whose server is killed on the way; and fifty at once where room is short (T062)."""

import hashlib
import http.client
import json
import os
import random
import struct
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
from sqlalchemy import text

from lms.content import jobs, operations, queries
from lms.core import db
from lms.core.storage import LocalStorage, storage
from tests.factories import people
from tests.load.bench_media import film, run
from tests.load.figure import Figure, Wish
from tests.load.stage import PORT, Stage, a_stage, served
from tests.machine import token_of

SENDERS, RUSH = 3, 50
KILLED_AT = 0.37


@dataclass(slots=True)
class Client:
    """A program that sends one file in parts, badly: some parts are cut half-way, some sent twice at once, all in any order."""

    path: Path
    token: str
    dice: random.Random
    sent: Counter[str] = field(default_factory=Counter)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request of the API; its status and what it says."""
        line = http.client.HTTPConnection("localhost", PORT, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Content-Type": "application/json"} if body is not None else {})
        try:
            line.request(method, f"/api/v1/content{path}", json.dumps(body) if body is not None else None, headers)
            answer = line.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            line.close()

    def send(self, part: dict[str, Any], part_size: int) -> None:
        """Send one part, whole or cut off; a server that is gone is none of this part's business."""
        fault = self.dice.choice(["cut", "twice", *["whole"] * 12])
        with suppress(OSError, http.client.HTTPException):
            if fault == "twice":
                other = threading.Thread(target=self._put, args=(part, part_size, "twice"))
                other.start()
                self._put(part, part_size, "whole")
                other.join()
            else:
                self._put(part, part_size, fault)

    def _put(self, part: dict[str, Any], part_size: int, how: str) -> None:
        with suppress(OSError, http.client.HTTPException), self.path.open("rb") as file:
            file.seek((part["number"] - 1) * part_size)
            data = file.read(part["size"])
            url = urlsplit(part["url"])
            line = http.client.HTTPConnection("localhost", PORT, timeout=120)
            try:
                line.putrequest("PUT", f"{url.path}?{url.query}", skip_accept_encoding=True)
                line.putheader("Content-Length", str(len(data)))
                line.endheaders()
                line.send(data[: len(data) // 2] if how == "cut" else data)
                status = "cut" if how == "cut" else str(line.getresponse().status)
            finally:
                line.close()
            with self.guard:
                self.sent[f"{how} {status}"] += 1


def upload(wish: Wish) -> list[Figure]:
    """The one big file, then the rush for the last of the room."""
    size = (200 << 20) + 12_345 if wish.quick else 5_000_000_000
    with a_stage(20) as stage:
        path = stage.config.home / "big.mp4"
        digest = _source(path, size)
        with db.unit_of_work(stage.channel_id):
            teacher = people.a_person("Ada Upload", "instructor", "ada.upload@example.org")
        client = Client(path, token_of(teacher, stage.channel_id).access_token, random.Random(62 + wish.turn))
        figures = [_one(stage, client, size, digest), _rush(stage, client)]
    return figures


def _source(path: Path, size: int) -> str:
    """A film of a few seconds, and behind it a box that is to be skipped, with noise up to the size; its SHA-256."""
    film(path, "640x360", 20)
    digest, room = hashlib.sha256(path.read_bytes()), size - path.stat().st_size
    with path.open("ab") as file:
        head = struct.pack(">I4sQ", 1, b"free", room)
        file.write(head)
        digest.update(head)
        while (left := size - file.tell()) > 0:
            data = os.urandom(min(left, 1 << 22))
            file.write(data)
            digest.update(data)
    return digest.hexdigest()


def _one(stage: Stage, client: Client, size: int, digest: str) -> Figure:
    """The file, with the server killed when 37 % are there; then resumed, ended too early, ended, and read by a worker."""
    with ExitStack() as servers:
        server = servers.enter_context(served(stage))
        status, state = client.ask("POST", "/uploads", {"filename": "big.mp4", "size": size, "kind": "video"})
        if status != 201:
            raise RuntimeError(f"the upload did not begin: {state}")
        place, rounds, deaths, early = f"/uploads/{state['asset_id']}", 0, 0, 0
        while state["missing"]:
            parts = client.dice.sample(state["parts"], len(state["parts"]))
            with ThreadPoolExecutor(SENDERS) as senders:
                doing = [senders.submit(client.send, part, state["part_size"]) for part in parts]
                if not deaths and len(state["received"]) + len(parts) >= KILLED_AT * state["part_count"]:
                    doing[len(parts) // 3].result()
                    _kill(server.pid)
                    deaths += 1
            if deaths == 1 and server.poll() is not None:
                server = servers.enter_context(served(stage))
                deaths += 1
            if client.ask("GET", place)[1]["missing"]:
                early += client.ask("POST", f"{place}/complete")[0] == 409
            status, state = client.ask("POST", f"{place}/resume")
            if status != 200:
                raise RuntimeError(f"the upload does not go on: {state}")
            rounds += 1
            if rounds > 1000:
                break
        ended = [client.ask("POST", f"{place}/complete")[0] for _ in range(2)]
    run(jobs.process.name)
    asset_id = UUID(state["asset_id"])
    with db.unit_of_work(stage.channel_id):
        asset = queries.get_asset(asset_id)
        stored, plays, said = asset.original_key or "", asset.is_playable, asset.sha256
    store = storage()
    assert isinstance(store, LocalStorage)
    same = said == digest == _digest(store.path_of(stored)) if stored else False
    staged = [one.name for one in store.root.glob(".staging/*")]
    what = f"{size / 1e9:.1f} GB in {state['part_count']} parts, each cut, doubled or out of order by turns; the server killed at {KILLED_AT:.0%}"
    value = (
        f"{'plays' if plays else asset.failure}, bytes {'the same' if same else 'NOT THE SAME'}; {rounds} rounds, ended too early {early} times and refused,"
        f" at the end {ended}; {dict(client.sent)}; left aside: {staged}"
    )
    good = plays and same and not staged and deaths == 2 and ended[0] == 200
    return Figure("upload", what, value, "", "one right file, nothing left aside", good)


def _kill(pid: int) -> None:
    """End a server with all its processes, as a power cut would."""
    everybody = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for one in everybody:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(everybody, timeout=10)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rush(stage: Stage, client: Client) -> Figure:
    """Fifty uploads at once of a hundredth of the room each, of which five hundredths are left."""
    with db.unit_of_work(stage.channel_id) as session:
        held = session.execute(text("SELECT held_bytes FROM content.usage")).scalar_one()
        room = max(int(held / 0.95), 1_000_000)
        operations.set_quota(room, by=people.root())
    size = room // 100
    fits = (room - held) // size
    with served(stage), ThreadPoolExecutor(RUSH) as crowd:
        body = {"filename": "small.bin", "size": size, "kind": "file"}
        answers = Counter(status for status, _said in crowd.map(lambda _n: client.ask("POST", "/uploads", body), range(RUSH)))
    with db.unit_of_work(stage.channel_id) as session:
        taken = session.execute(text("SELECT held_bytes FROM content.usage")).scalar_one()
    what = f"{RUSH} uploads at once of 1 % of the room each, {held / room:.0%} of which is held"
    value = f"{answers[201]} begun, {RUSH - answers[201]} refused {dict(answers)}; {max(taken - room, 0)} bytes past the quota"
    return Figure("upload", what, value, "", f"{fits} begun, 0 bytes past it", answers[201] == fits and taken <= room)
