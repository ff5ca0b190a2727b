"""The whole walk through the API alone: from an empty academy to a reviewed course and a report that adds up."""

import hashlib
import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import text

from lms.core import db, mail, sandbox
from lms.core.storage import LocalStorage, use_storage
from tests.conftest import CHANNEL, newest_code, outbox_errors, run_jobs
from tests.factories import people
from tests.machine import Machine

PASSWORD = "a long password of mine"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real video of three seconds."""
    target = tmp_path_factory.mktemp("film") / "talk.mp4"
    recipe = "-f lavfi -i testsrc2=s=320x180:d=3:r=30 -f lavfi -i sine=d=3 -c:v libx264 -pix_fmt yuv420p -c:a aac"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *recipe.split(), str(target)], check=True)
    return target.read_bytes()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, modules: None) -> None:
    use_storage(LocalStorage(tmp_path / "storage"))
    sandbox.use_scratch(tmp_path / "scratch")


def signed_in(app: Flask, email: str, password: str) -> Machine:
    """A machine of somebody who works here: the password, then the code from the mail."""
    machine = Machine(app)
    flow = machine.post("/auth/token", {"email": email, "password": password}, status=202)["flow"]
    machine.token = machine.post("/auth/token", {"email": email, "code": newest_code(email), "flow": flow})["access_token"]
    return machine


def registered(app: Flask, name: str, email: str) -> Machine:
    """A machine of somebody who has just made an account."""
    machine = Machine(app)
    new = {"name": name, "email": email, "password": PASSWORD}
    flow = machine.post("/auth/register", new, status=202)["flow"]
    confirmed = machine.post("/auth/register/confirm", {**new, "code": newest_code(email), "flow": flow}, status=201)
    machine.token = confirmed["access_token"]
    return machine


def invited(root: Machine, app: Flask, name: str, email: str) -> Machine:
    """An instructor whom the admin invites; they take the account over with a password."""
    person = root.post("/channels/people", {"name": name, "email": email, "role": "instructor"}, status=201)
    assert (person["role"], person["status"]) == ("instructor", "invited")
    with db.unit_of_work(CHANNEL):
        letter = mail.newest(1, email)[0]
        token = re.search(r"/auth/invitations/(\S+)", mail.readable(letter, letter.body_text))
    assert token
    Machine(app).post("/auth/invitations/accept", {"invitation": token[1], "password": PASSWORD})
    return signed_in(app, email, PASSWORD)


def uploaded(machine: Machine, data: bytes) -> str:
    """The id of a video sent in parts to signed addresses and made playable by the worker."""
    state = machine.post("/content/uploads", {"filename": "talk.mp4", "size": len(data)}, status=201)
    for part in state["parts"]:
        begin = (part["number"] - 1) * state["part_size"]
        answer = machine.raw.put(part["url"], data=data[begin : begin + part["size"]], base_url="http://localhost")
        assert answer.status_code == 204, answer.get_data()
    assert machine.get(f"/content/uploads/{state['asset_id']}")["missing"] == []
    machine.post(f"/content/uploads/{state['asset_id']}/complete")
    run_jobs()
    asset = machine.get(f"/content/assets/{state['asset_id']}")
    assert (asset["state"], asset["kind"], asset["sha256"]) == ("ready", "video", hashlib.sha256(data).hexdigest()), outbox_errors()
    return str(asset["id"])


def written(ada: Machine, film: bytes) -> dict[str, Any]:
    """A course with a text and a video, submitted."""
    course = ada.post(
        "/courses",
        {"title": "Notes on Engines", "summary": "From cards to numbers.", "price": {"minor": 2500, "currency": "EUR"}},
        status=201,
    )
    section = ada.post(f"/courses/{course['id']}/sections", {"title": "Beginnings"}, status=201)
    words = ada.post(f"/courses/sections/{section['id']}/lessons", {"title": "Cards", "body": "# Cards\n\nHoles."}, status=201)
    video = ada.post(
        f"/courses/sections/{section['id']}/lessons", {"title": "Talk", "kind": "video", "asset_id": uploaded(ada, film)}, status=201
    )
    for lesson in (words, video):
        assert ada.post(f"/courses/lessons/{lesson['id']}/publish")["status"] == "published"
    assert ada.post(f"/courses/{course['id']}/publish", status=403)["rule"] == "approval"
    assert ada.post(f"/courses/{course['id']}/submit")["status"] == "submitted"
    return {"course": course, "words": words, "video": video}


def test_walk__through_the_api_alone(app: Flask, connection: sa.Connection, film: bytes) -> None:
    with db.unit_of_work(CHANNEL):
        people.root()
    root = signed_in(app, "root@example.org", people.PASSWORD)
    ada = invited(root, app, "Ada Lovelace", "ada@example.org")
    made = written(ada, film)
    course = made["course"]
    assert root.post(f"/courses/{course['id']}/publish")["status"] == "published"
    run_jobs()

    batch = root.money(
        "/vouchers/batches",
        {"label": "Spring", "value": {"minor": 3000, "currency": "EUR"}, "count": 5, "prefix": "SPRING", "per_person": 1},
        status=201,
    )
    assert len(set(batch["codes"])) == 5 and all(code.startswith("SPRING-") for code in batch["codes"])

    sam = registered(app, "Sam Student", "sam@example.org")
    assert [row["id"] for row in Machine(app).get("/courses/catalogue?q=engines")["rows"]] == [course["id"]]
    assert [row["title"] for row in sam.get("/search?q=engines")["rows"]] == ["Notes on Engines"]
    assert sam.get(f"/enrollments/lessons/{made['video']['id']}", status=403)["rule"] == "enrolled"
    enroll = f"/enrollments/courses/{course['id']}/enroll"
    sam.money(enroll, {"price": course["price"]}, status=409)
    assert sam.money("/vouchers/redeem", {"code": batch["codes"][0]})["amount"] == {"minor": 3000, "currency": "EUR"}
    sam.money(enroll, {"price": {"minor": 1, "currency": "EUR"}}, status=409)
    enrollment = sam.money(enroll, {"price": course["price"]})
    assert (enrollment["status"], enrollment["source"]) == ("active", "wallet")
    assert sam.get("/wallet")["balance"] == {"minor": 500, "currency": "EUR"}
    assert [line["amount"]["minor"] for line in sam.get("/wallet/statement")["rows"]] == [-2500, 3000]

    learned(app, sam, made, enrollment)
    agreed(root, sam, course, batch)


def learned(app: Flask, sam: Machine, made: dict[str, Any], enrollment: dict[str, Any]) -> None:
    """The student watches and reads: media plays with the token, ranges are kept, the course is completed."""
    lesson = sam.get(f"/enrollments/lessons/{made['video']['id']}")
    address = lesson["playback"]["hls_url"]
    with_token = sam.raw.get(address, headers={"Authorization": f"Bearer {sam.token}"}, base_url="http://localhost")
    assert with_token.status_code == 200 and b"#EXTM3U" in with_token.data
    assert Machine(app).raw.get(address, base_url="http://localhost").status_code in (401, 403)
    path = f"/enrollments/lessons/{made['video']['id']}/heartbeat"
    beat = sam.post(path, {"pass": lesson["pass"], "played": [{"from": 0, "to": 2}], "position": 2})
    assert beat["watched_seconds"] == 2 and not beat["is_done"]
    with db.unit_of_work(CHANNEL) as session:  # the clock of the real world moves on by a minute
        session.execute(text("UPDATE enrollments.lesson_progress SET clock_at = clock_at - interval '1 minute'"))
    assert sam.post(path, {"pass": lesson["pass"], "played": [{"from": 1, "to": 3}], "position": 3})["is_done"]
    assert sam.post(f"/enrollments/lessons/{made['words']['id']}/done")["progress"] == 100
    run_jobs()
    progress = sam.get(f"/enrollments/courses/{made['course']['id']}/progress")
    assert progress["enrollment"]["status"] == "completed" and len(progress["lessons"]) == 2
    assert sam.get("/enrollments/mine")["rows"][0]["lessons_done"] == 2
    Machine(app, sam.token).get(f"/enrollments/{enrollment['id']}")


def agreed(root: Machine, sam: Machine, course: dict[str, Any], batch: dict[str, Any]) -> None:
    """A review, what everybody was told, and books, lists and reports that agree."""
    review = sam.post(f"/community/courses/{course['id']}/reviews", {"rating": 5, "body": "Clear."})
    shown = Machine(sam.app).get(f"/community/courses/{course['id']}/reviews")
    assert (shown["count"], shown["average"], shown["rows"][0]["id"]) == (1, 5.0, review["id"])
    root.post(f"/community/reviews/{review['id']}/hide", {"reason": "Checking"})
    assert Machine(sam.app).get(f"/community/courses/{course['id']}/reviews")["rows"] == []

    run_jobs()
    assert "enrolled" in {row["kind"] for row in sam.get("/notifications")["rows"]}
    assert "batch" in {row["kind"] for row in root.get("/notifications")["rows"]}

    standing = root.get(f"/vouchers/batches/{batch['id']}")
    assert standing["standing"]["redeemed"] == 1 and standing["faults"] == []
    orders = root.get("/payments/orders?status=paid")
    assert orders["count"] == 1 and orders["totals"]["amount"] == [{"minor": 2500, "currency": "EUR"}]
    for name in ("enrollments.enrollments", "payments.orders", "vouchers.batches", "wallet.entries", "courses.courses", "channels.people"):
        table = root.get(f"/reporting/reports/{name}")
        assert table["count"] == len(table["rows"]) and len(table["checksum"]) == 64, name
    view = root.post("/reporting/views", {"report": "payments.orders", "query": "status=paid", "title": "Paid"}, status=201)
    schedule = root.post("/reporting/schedules", {"view_id": view["id"], "recipients": ["root@example.org"]}, status=201)
    assert schedule["is_on"] and schedule["next_run_at"]
    sam.get("/reporting/reports/payments.orders", status=403)
    assert outbox_errors() == []
