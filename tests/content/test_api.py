"""Uploads by machine: in parts, resumed, refused in words."""

from pathlib import Path
from uuid import uuid4

from flask import Flask

from lms.content import operations
from lms.core import db
from tests.conftest import CHANNEL, machine_of, run_jobs
from tests.factories import people
from tests.machine import Machine


def send(machine: Machine, url: str, data: bytes) -> int:
    return int(machine.raw.put(url, data=data, base_url=f"http://{machine.host}").status_code)


def test_uploads_create__takes_a_file_in_parts_and_goes_on_after_a_break(api_ada: Machine) -> None:
    data = b"x" * (8 * 1024 * 1024) + b"rest"
    state = api_ada.post("/content/uploads", {"filename": "notes.bin", "size": len(data), "kind": "file"}, status=201)
    assert (state["part_count"], state["missing"]) == (2, [1, 2])
    assert send(api_ada, state["parts"][1]["url"], b"rest") == 204
    path = f"/content/uploads/{state['asset_id']}"
    api_ada.post(f"{path}/complete", status=409)
    state = api_ada.post(f"{path}/resume")
    assert (state["received"], state["missing"]) == ([2], [1])
    assert send(api_ada, state["parts"][0]["url"], data[: state["part_size"]]) == 204
    assert api_ada.post(f"{path}/complete")["state"] == "checking"
    run_jobs()
    asset = api_ada.get(f"/content/assets/{state['asset_id']}")
    assert (asset["state"], asset["size"]) == ("ready", len(data)) and asset["download_url"]


def test_uploads_create__refuses_in_words(api_ada: Machine, api_sam: Machine) -> None:
    for body in ({"filename": "a.mp4", "size": 0}, {"filename": "a.mp4", "size": 21 << 30}, {"filename": "", "size": 5}):
        assert api_ada.post("/content/uploads", body, status=422)["title"]
    assert "state" in api_ada.post("/content/uploads", {"filename": "a.mp4", "size": 5, "state": "ready"}, status=422)["fields"]
    api_sam.post("/content/uploads", {"filename": "a.mp4", "size": 5}, status=403)


def test_uploads_show__and_the_rest_are_for_the_owner_and_admins(api_ada: Machine, api_root: Machine, app: Flask) -> None:
    asset_id = api_ada.post("/content/uploads", {"filename": "a.mp4", "size": 5}, status=201)["asset_id"]
    ivo = machine_of(app, people.an_instructor)
    assert ivo.get(f"/content/uploads/{asset_id}", status=403)["rule"] == "owner"
    for act in ("resume", "complete", "cancel"):
        ivo.post(f"/content/uploads/{asset_id}/{act}", status=403)
    ivo.delete(f"/content/assets/{asset_id}", status=403)
    api_root.get(f"/content/uploads/{asset_id}")
    api_ada.post(f"/content/uploads/{asset_id}/cancel", status=204)
    api_ada.get(f"/content/uploads/{uuid4()}", status=404)


def test_assets_show__says_why_a_hostile_file_was_refused_and_retry_that_it_is_of_no_use(api_ada: Machine, tmp_path: Path) -> None:
    data = b"#EXTM3U\nfile:///etc/passwd\n"
    state = api_ada.post("/content/uploads", {"filename": "talk.mp4", "size": len(data)}, status=201)
    assert send(api_ada, state["parts"][0]["url"], data) == 204
    api_ada.post(f"/content/uploads/{state['asset_id']}/complete")
    run_jobs()
    asset = api_ada.get(f"/content/assets/{state['asset_id']}")
    assert asset["state"] == "failed" and asset["failure"]
    assert api_ada.post(f"/content/assets/{state['asset_id']}/retry", status=409)["title"]
    api_ada.delete(f"/content/assets/{state['asset_id']}")
    run_jobs()
    api_ada.get(f"/content/assets/{state['asset_id']}", status=404)


def test_assets_tracks_create__adds_captions_that_are_read_replaced_and_taken_away(api_ada: Machine, api_sam: Machine, films: Path) -> None:
    with db.unit_of_work(CHANNEL):
        asset_id = operations.receive_path(films / "talk.mp4", "talk.mp4", "video", by=people.ada()).id
    path, words = f"/content/assets/{asset_id}/tracks", "1\n00:00:01,000 --> 00:00:02,000\nHello\n"
    api_sam.post(path, {"body": words, "language": "en"}, status=403)
    assert "language" in api_ada.post(path, {"body": words, "language": "english please"}, status=422)["fields"]
    track = api_ada.post(path, {"body": words, "language": "en", "label": "English"}, status=201)
    assert [row["id"] for row in api_ada.get(path)["rows"]] == [track["id"]]
    assert "WEBVTT" in api_ada.get(f"/content/tracks/{track['id']}")["body"]
    api_sam.get(f"/content/tracks/{track['id']}", status=403)
    api_ada.delete(f"/content/tracks/{track['id']}", status=204)
    assert api_ada.get(path)["rows"] == []
    assert api_ada.post(f"/content/assets/{asset_id}/poster", {"seconds": 1.0}, status=409)["title"]  # not to be played yet
