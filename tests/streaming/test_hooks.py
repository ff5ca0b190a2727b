"""Reports of outside rooms: signed, stored first, the same result in any order and however often."""

import hashlib
import hmac
import itertools
import json
import time
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session as Work

from lms.core import db
from lms.core.clock import now
from lms.streaming import operations, queries
from lms.streaming.gateways import signature_fits
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import ada, sam
from tests.factories.streaming import a_session, enrol


def signed(secret: str, body: bytes, *, at: float | None = None) -> str:
    """The header of a report."""
    stamp = str(int(at or time.time()))
    return f"t={stamp},v1={hmac.new(secret.encode(), stamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def test_hooks__take_what_is_signed_once(app: Flask, client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live", provider="webhook")
        enrol(sam(), session)
        secret = queries.hook_secret()
        email = sam().email
    machine = app.test_client()

    def report(header: str | None = None, **changes: object) -> int:
        body = json.dumps(
            {"id": "1", "session": str(session.id), "kind": "join", "person": email, "at": now().isoformat(), **changes}
        ).encode()
        headers = {"Lectern-Signature": header if header is not None else signed(secret, body), "Host": "localhost"}
        return machine.post("/streaming/hooks", data=body, headers=headers, content_type="application/json").status_code

    assert [report(), report(), report(id="2", person="nobody@example.org"), report(id="3", kind="dance")] == [202] * 4
    assert report("") == 403 and report("t=1,v1=00", id="4") == 403 and report(id="") == 422
    run_jobs()
    with db.unit_of_work(CHANNEL):
        reasons = {one.event_id: one.reason for one in queries.newest_receipts()}
        assert reasons["1"] == "" and "Nobody" in reasons["2"] and "join, a leave" in reasons["3"] and set(reasons) == {"1", "2", "3"}
        assert [one.name for one in queries.attendance_of(session.id)] == ["Sam Student"]


def test_hook_secrets__the_one_before_counts_for_a_day(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        before = queries.hook_secrets()
    as_root.post("/admin/streaming/settings", {"wish": "secret"}, status=303)
    with db.unit_of_work(CHANNEL):
        after = queries.hook_secrets()
        assert after == [queries.hook_secret(), *before] and after[0] not in before
        with time_machine.travel(now() + timedelta(hours=25)):
            assert queries.hook_secrets() == after[:1]
    assert "still counts" in as_root.get("/admin/streaming/settings", status=200).words


def test_signature_fits__only_what_was_signed_within_five_minutes() -> None:
    body, moment = b'{"id":"1"}', 1_000_000.0
    header = signed("secret", body, at=moment)
    assert signature_fits("secret", header, body, at=moment + 299)
    for wrong in (header[:-1], header.replace("t=1", "t=2"), "", "t=x,v1=y", header.replace("v1", "v0")):
        assert not signature_fits("secret", wrong, body, at=moment)
    assert not signature_fits("secret", header, body, at=moment + 301)
    assert not signature_fits("other", header, body, at=moment) and not signature_fits("secret", header, body + b" ", at=moment)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_take_receipt__gives_the_same_attendance_in_any_order(work: Work, order: tuple[int, ...]) -> None:
    session = a_session(state="live", provider="webhook")
    begun = now() - timedelta(minutes=60)
    session.opened_at = begun
    work.flush()
    told = [("join", 0), ("leave", 10), ("join", 20), ("leave", 50)]
    for place in (*order, *order):
        kind, minute = told[place]
        at = (begun + timedelta(minutes=minute)).isoformat()
        made = operations.store_receipt({"id": f"{place}", "session": str(session.id), "kind": kind, "person": sam().email, "at": at})
        if made is not None:
            operations.take_receipt(made)
            operations.take_receipt(made)
    (found,) = queries.attendance_of(session.id)
    assert ([round(stay.seconds / 60) for stay in found.stays], operations.recompute_attendance(session)) == ([10, 30], 1)
    assert queries.attendance_of(session.id) == [found]


def test_take_receipt__of_a_recording_has_it_fetched_once(work: Work) -> None:
    session, url = a_session(state="ended", provider="webhook"), "https://meet.example/r/1"
    wanted = []
    for name in ("a", "a", "b"):
        made = operations.store_receipt({"id": name, "session": str(session.id), "kind": "recording", "url": url})
        if made is not None:
            wanted.append(operations.take_receipt(made))
    recording = queries.find_recording(session.id)
    assert recording is not None and (recording.state, recording.url, wanted) == ("fetching", url, [session.id, None])
    assert [one.reason for one in queries.newest_receipts()] == ["A recording of this class is here already, or on its way.", ""]
    for body in ({"id": "c", "session": str(uuid4()), "kind": "join", "person": ada().email, "at": now().isoformat()},
                 {"id": "d", "session": str(session.id), "kind": "recording"}):  # fmt: skip
        wrong = operations.store_receipt(body)
        assert wrong is not None and operations.take_receipt(wrong) is None
        assert queries.lock_receipt(wrong).reason
