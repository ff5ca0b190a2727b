"""Door 2: uploads in parts that go on after a dropped line, uploads in one piece, and what becomes of each file."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from lms.content import operations, queries
from lms.content.models import Asset
from lms.content.reports import Assets
from lms.core import db, signing
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.ids import uuid7
from lms.core.storage import LocalStorage
from tests.client import Browser, Page
from tests.conftest import CHANNEL, run_jobs
from tests.factories import people

MIB = 1 << 20


def start(browser: Browser, filename: str, size: int, kind: str = "", **options: Any) -> Page:
    return browser.post("/admin/content/uploads", json={"filename": filename, "size": size, "kind": kind}, check=False, **options)


def send(browser: Browser, state: dict[str, Any], data: bytes, numbers: set[int] | None = None) -> None:
    """Send the parts (or those numbers) as the browser's script does."""
    for part in state["parts"]:
        if numbers is None or part["number"] in numbers:
            begin = (part["number"] - 1) * state["part_size"]
            answer = browser.raw.put(part["url"], data=data[begin : begin + part["size"]], base_url="http://localhost")
            assert answer.status_code == 204, answer.get_data()


def asset_of(state: dict[str, Any]) -> Asset:
    with db.unit_of_work(CHANNEL):
        return queries.get_asset(UUID(state["asset_id"]))


def test_uploads__sends_a_video_in_parts_and_makes_it_ready(as_ada: Browser, films: Path) -> None:
    data = (films / "talk.mp4").read_bytes()
    state = start(as_ada, "talk.mp4", len(data), status=201).json
    assert (state["part_size"], state["part_count"], state["missing"]) == (8 * MIB, 1, 1)
    send(as_ada, state, data)
    done = as_ada.post(state["complete_url"], json={}, check=False, status=200).json
    assert done["state"] == "checking"
    run_jobs()
    asset = asset_of(state)
    assert (asset.state, asset.kind, asset.sha256) == ("ready", "video", hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"filename": "a.mp4", "size": 0}, "empty"),
        ({"filename": "a.mp4", "size": 21 << 30}, "larger than 20 GB"),
        ({"filename": "a.png", "size": 26 << 20}, "larger than 25 MB"),
        ({"filename": "a.mp4", "size": 5, "kind": "nonsense"}, "kind"),
        ({"filename": "", "size": 5}, "missing"),
        ({"filename": "a.mp4"}, "missing"),
        ({"filename": "a.mp4", "size": -1}, "missing"),
        ({"filename": "a" * 1001, "size": 5}, "missing"),
        ({"filename": "a.mp4", "size": 5, "state": "ready"}, "missing"),
        ([], "missing"),
    ],
)
def test_uploads__refuses_in_words(as_ada: Browser, body: Any, words: str) -> None:
    page = as_ada.post("/admin/content/uploads", json=body, check=False, status=422, headers={"Accept": "application/json"})
    assert words in page.json["title"]


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a\0b.mp4", "x" * 300 + ".mp4", "evil\u202e4pm.exe", "CON.mp4", "a/b\\c.mp4", "double.mp4.exe", "\u2028.mp4"],
)
def test_uploads__never_uses_the_name_for_a_place(as_ada: Browser, name: str) -> None:
    asset = asset_of(start(as_ada, name, 5, "video", status=201).json)
    assert asset.original_key == f"{CHANNEL}/uploads/{asset.id}/original"
    assert len(asset.filename) <= 150 and not set(asset.filename) & set("/\\\0\u202e\u2028")


def test_uploads__is_for_staff_with_a_form_token(as_sam: Browser, client: Browser, as_ada: Browser) -> None:
    assert start(as_sam, "a.mp4", 5).status == 403
    assert start(client, "a.mp4", 5).status in (401, 403)
    assert as_ada.post("/admin/content/uploads", json={"filename": "a.mp4", "size": 5}, token=False, check=False).status == 403


def test_uploads_show__goes_on_after_a_dropped_line(as_ada: Browser, films: Path, store: LocalStorage) -> None:
    data = (films / "talk.mp4").read_bytes() + os.urandom(18 * MIB)
    state = start(as_ada, "talk.mp4", len(data), "video").json
    send(as_ada, state, data, {2})
    part = state["parts"][0]
    broken = as_ada.raw.put(part["url"], data=data[:1000], base_url="http://localhost")
    assert broken.status_code == 422
    assert as_ada.post(state["complete_url"], json={}, check=False, headers={"Accept": "application/json"}).json["rule"] == "parts"
    again = as_ada.post(state["upload_url"], json={}, check=False, status=200).json
    assert (again["received"], [part["number"] for part in again["parts"]], again["missing"]) == ([2], [1, 3], 2)
    send(as_ada, again, data)
    seen = as_ada.get(state["upload_url"], check=False, status=200).json
    assert (seen["received"], seen["parts"]) == ([1, 2, 3], [])
    for _ in range(2):
        assert as_ada.post(state["complete_url"], json={}, check=False).status == 200
    run_jobs()
    asset = asset_of(state)
    assert asset.sha256 == hashlib.sha256(data).hexdigest() and asset.size == len(data)
    assert as_ada.get(state["upload_url"], check=False).json["state"] == "completed"
    assert list(store.staging.iterdir()) == []
    assert as_ada.post(state["upload_url"], json={}, check=False).status == 409


def test_uploads_show__is_for_the_owner_and_admins(as_ada: Browser, app: Flask, as_sam: Browser, as_root: Browser) -> None:
    state = start(as_ada, "a.mp4", 5).json
    with db.unit_of_work(CHANNEL):
        ivo = people.an_instructor()
    other = Browser(app)
    other.sign_in(ivo.email, people.PASSWORD)
    for browser in (as_sam, other):
        for url in ("upload_url", "complete_url", "cancel_url"):
            assert browser.post(state[url], json={}, check=False).status in (401, 403)
        assert browser.get(state["status_url"], check=False, htmx=True).status in (401, 403)
    assert as_root.get(state["upload_url"], check=False).status == 200
    assert as_ada.get(f"/admin/content/uploads/{uuid7()}", check=False).status == 404


def test_uploads_cancel__takes_the_parts_away(as_ada: Browser, store: LocalStorage) -> None:
    state = start(as_ada, "a.mp4", 5).json
    send(as_ada, state, b"12345")
    assert as_ada.post(state["cancel_url"], json={}, check=False).status == 204
    run_jobs()
    assert list(store.staging.iterdir()) == []
    assert as_ada.get(state["upload_url"], check=False).status == 404
    assert as_ada.post(state["complete_url"], json={}, check=False).status == 404


def ticket_of(page: Page) -> str:
    return str(page.all("//form[@enctype]")[0].get("action"))


def test_uploads_new__takes_one_file_without_javascript(as_ada: Browser, films: Path) -> None:
    page = as_ada.get("/admin/content/uploads/new", status=200)
    answer = as_ada.post(ticket_of(page), {"file": ((films / "song.mp3").open("rb"), "song.mp3"), "kind": ""}, status=303, token=False)
    run_jobs()
    shown = as_ada.get(answer.location, status=200)
    assert "Ready" in shown.words and shown.text("//h1") == "song.mp3"


def test_uploads_new__takes_more_than_other_forms(as_ada: Browser) -> None:
    page = as_ada.get("/admin/content/uploads/new")
    big = io.BytesIO(b"%PDF-1.7\n" + bytes(20 * MIB))
    assert as_ada.post(ticket_of(page), {"file": (big, "big.pdf"), "kind": "document"}, token=False, check=False).status == 303


def test_uploads_new__refuses_no_file_and_foreign_tickets(as_ada: Browser, as_root: Browser, as_sam: Browser) -> None:
    page = as_ada.get("/admin/content/uploads/new")
    refused = as_ada.post(ticket_of(page), {"kind": ""}, token=False, status=422)
    assert "Choose a file" in refused.words
    empty = as_ada.post(ticket_of(page), {"file": (io.BytesIO(b""), "a.mp4"), "kind": ""}, token=False, status=422)
    assert "empty" in empty.words
    for browser, address in ((as_root, ticket_of(page)), (as_ada, "/admin/content/uploads/new"), (as_sam, ticket_of(page))):
        assert browser.post(address, {"file": (io.BytesIO(b"x"), "a.mp4")}, token=False, check=False).status == 403
    assert signing.unsign("content:plain-upload", ticket_of(page).partition("ticket=")[2])


def a_file(path: Path, kind: str) -> str:
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(path, path.name, kind, by=people.ada())
        return f"/admin/content/assets/{asset.id}"


def test_assets__lists_the_files_a_person_looks_after(as_ada: Browser, as_root: Browser, as_sam: Browser, app: Flask, films: Path) -> None:
    a_file(films / "song.mp3", "audio")
    run_jobs()
    for browser in (as_ada, as_root):
        page = browser.get("/admin/content/assets", status=200)
        assert "song.mp3" in page.words and "Ready" in page.words and "0:02" in page.words
    assert "song.mp3" in as_ada.get("/admin/content/assets?q=song&state=ready&format=csv", check=False).body
    assert as_sam.get("/admin/content/assets", check=False).status == 403
    with db.unit_of_work(CHANNEL):
        ivo = people.an_instructor()
        assert list(Assets().query(ivo).with_only_columns(Asset.id).compile().params.values())
        assert db.session().execute(Assets().query(ivo)).all() == []


def test_assets_show__plays_what_is_ready(as_ada: Browser, films: Path) -> None:
    url = a_file(films / "talk.mp4", "video")
    run_jobs()
    page = as_ada.get(url, status=200)
    video = page.all("//video")[0]
    assert as_ada.get(str(video.get("data-hls")), check=False).status == 200
    assert as_ada.get(str(page.all("//video/source")[0].get("src")), check=False).status == 200
    assert as_ada.post(str(video.get("data-renew")), check=False).status == 204
    assert "0:03" in page.words


def test_assets_status__asks_again_only_while_it_is_worked_on(as_ada: Browser, films: Path) -> None:
    url = a_file(films / "song.mp3", "audio")
    waiting = as_ada.get(f"{url}/status", htmx=True, status=200)
    root = waiting.all("//body/div")[0]
    assert root.get("hx-trigger") == "every 2s" and waiting.all("//progress") and "Waiting for a free worker" in waiting.words
    assert as_ada.get(f"{url}/status", status=303, check=False).location.endswith(url)
    run_jobs()
    ready = as_ada.get(f"{url}/status", htmx=True, status=200)
    assert ready.all("//body/div")[0].get("hx-trigger") is None and "Ready" in ready.words


def test_assets_status__offers_documents_for_download(as_ada: Browser, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7\n")
    url = a_file(tmp_path / "notes.pdf", "document")
    run_jobs()
    link = as_ada.get(f"{url}/status", htmx=True).all("//a")[0].get("href")
    assert as_ada.get(str(link), check=False, status=200).body.startswith("%PDF")


def test_assets_status__says_why_a_file_was_refused(as_ada: Browser, tmp_path: Path) -> None:
    (tmp_path / "lecture.mp4").write_bytes(b"#EXTM3U\n")
    url = a_file(tmp_path / "lecture.mp4", "video")
    run_jobs()
    page = as_ada.get(f"{url}/status", htmx=True)
    assert "playlist" in page.words and not page.all("//form")
    assert as_ada.post(f"{url}/retry", check=False).status == 409


def test_assets_retry__tries_again_what_failed_for_our_reasons(as_ada: Browser, films: Path) -> None:
    url = a_file(films / "song.mp3", "audio")
    with db.unit_of_work(CHANNEL):
        asset = queries.get_asset(UUID(url.rpartition("/")[2]))
        operations.fail_asset(asset, Refusal("The disk was full."), refused=False)
    run_jobs()
    page = as_ada.get(f"{url}/status", htmx=True)
    assert "The disk was full." in page.words and page.all("//form")
    assert "Waiting" in as_ada.post(f"{url}/retry", htmx=True, status=200).words
    assert as_ada.post(f"{url}/retry", status=303).location.endswith(url)
    run_jobs()
    assert "Ready" in as_ada.get(f"{url}/status", htmx=True).words


def test_assets_heartbeat__is_for_those_who_may_view(as_sam: Browser, as_ada: Browser, films: Path) -> None:
    url = a_file(films / "song.mp3", "audio")
    assert as_sam.post(f"{url}/heartbeat", check=False).status == 403


def test_watching__is_set_by_admins_and_holds(as_root: Browser, as_ada: Browser) -> None:
    path = "/admin/content/watching"
    as_ada.get(path, status=403)
    as_root.post(path, {"most_screens": "21"}, status=422)
    as_root.post(path, {"most_screens": "1", "has_watermark": "1"}, status=303)
    with db.unit_of_work(CHANNEL):
        rule = queries.watching_rule()
        assert (rule.most_screens, rule.has_watermark) == (1, True)
        assert queries.watermark_of(people.sam(), rule) and not queries.watermark_of(Actor(), rule)
    as_root.post(path, {"most_screens": ""}, status=303)
    with db.unit_of_work(CHANNEL):
        rule = queries.watching_rule()
        assert rule.most_screens is None and queries.watermark_of(people.sam(), rule) == ""
