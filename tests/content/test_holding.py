"""Room for files: reserved by conditional update, given back, and the same file recognised before it is sent again."""

import threading

import pytest
from click.testing import CliRunner
from flask import Flask

from lms.content import operations, queries
from lms.content.commands import quota
from lms.core import db
from lms.core.errors import Conflict
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories import people


def test_start_upload__takes_no_more_room_than_there_is_even_at_once(real_database: str, app: Flask) -> None:
    """Eight uploads of 10 bytes race for room for three."""
    with db.unit_of_work(CHANNEL):
        operations.set_quota(30, by=people.root())
        ada = people.ada()
    came: list[bool] = []

    def upload() -> None:
        try:
            with app.app_context(), db.unit_of_work(CHANNEL):
                operations.start_upload("a.mp4", 10, "video", by=ada)
            came.append(True)
        except Conflict as refusal:
            assert refusal.rule == "quota"
            came.append(False)

    threads = [threading.Thread(target=upload) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == [False] * 5 + [True] * 3


def test_purge_files__gives_the_room_back_once(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        upload = operations.start_upload("a.mp4", 10, "video", by=people.ada())
        operations.start_upload("b.mp4", 5, "video", by=people.ada())
        operations.cancel_upload(upload, queries.get_asset(upload.asset_id), by=people.ada())
    run_jobs()
    with db.unit_of_work(CHANNEL):
        operations.purge_files(upload.asset_id)
        held = queries.usage()
        assert held is not None and (held.held_bytes, held.quota_bytes) == (5, None)


def test_uploads__offers_the_same_file_that_is_here_already(as_ada: Browser, as_root: Browser) -> None:
    said = {"filename": "a.mp4", "size": 10, "kind": "video", "mark": "abc"}
    with db.unit_of_work(CHANNEL):
        upload = operations.start_upload("a.mp4", 10, "video", by=people.ada(), mark="abc")
        queries.get_asset(upload.asset_id).state = "ready"
    twin = as_ada.post("/admin/content/uploads", json={**said, "filename": "copy.mp4"}, check=False, status=200).json["twin"]
    assert (twin["asset_id"], twin["name"]) == (str(upload.asset_id), "a.mp4")
    assert as_ada.post("/admin/content/uploads", json={**said, "again": True}, check=False, status=201)
    assert as_ada.post("/admin/content/uploads", json={**said, "size": 11}, check=False, status=201)
    assert "held" in as_root.get("/admin/content/assets", status=200).words


@pytest.mark.parametrize(("size", "code"), [("lots", 1), ("", 1)])
def test_quota__refuses_what_is_no_size(size: str, code: int) -> None:
    assert CliRunner().invoke(quota, [size]).exit_code == code
