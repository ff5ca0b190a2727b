"""Originals go to the cold place, are used from there, and are never lost on the way."""

import errno
import os
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from lms.content import jobs, operations, queries
from lms.content.jobs import cooling
from lms.core import db
from lms.core.storage import LocalStorage, Missing, cold
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.content.test_jobs import process_file, reread
from tests.factories.people import ada, root
from tests.machine import Machine


def cool(asset_id: UUID) -> list[str]:
    """A worker has the original lie in the cold place; what went wrong."""
    with db.unit_of_work(CHANNEL):
        jobs.cool_original.put({"asset_id": str(asset_id)})
    run_jobs()
    return outbox_errors()


def find(days: int = 0, *, later: bool = False) -> None:
    """The hour strikes so many days later, and what it brings is done; `later`: also what waits for its time."""
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text(f"UPDATE content.assets SET ready_at = ready_at - interval '{days} days'"))
        jobs.find_originals.run()
    run_jobs()
    if later:
        with db.unit_of_work(platform=True) as session:
            session.execute(text("UPDATE core.outbox SET run_at = clock_timestamp() WHERE done_at IS NULL"))
        run_jobs()


@pytest.mark.usefixtures("connection")
def test_find_originals__moves_what_is_old_enough_and_it_is_used_from_there(films: Path, store: LocalStorage) -> None:
    asset = process_file(films / "talk.mp4")
    warm = asset.original_key
    find(8)
    assert not reread(asset.id).is_cold, "nobody asked for it"
    with db.unit_of_work(CHANNEL):
        operations.set_cooling(9, by=root())
    find()
    assert not reread(asset.id).is_cold
    find(2)
    held = reread(asset.id)
    assert (held.original_key, held.is_cold, store.exists(warm), store.exists(cold(warm))) == (cold(warm), True, True, True)
    find(later=True)
    assert not store.exists(warm) and store.size(cold(warm)) == held.size and outbox_errors() == []
    with db.unit_of_work(CHANNEL):
        operations.remake_asset(queries.lock_asset(asset.id), by=ada())
    run_jobs()
    again = reread(asset.id)
    assert (again.state, again.failure, again.is_cold) == ("ready", None, True) and again.run != asset.run
    with db.unit_of_work(CHANNEL):
        operations.delete_asset(queries.lock_asset(asset.id), by=ada())
        operations.purge_files(asset.id)
    assert not list(store.root.rglob("original"))


@pytest.mark.usefixtures("connection")
def test_cool_original__killed_or_overtaken_on_the_way_loses_and_leaves_nothing(
    films: Path, store: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = process_file(films / "song.mp3", "audio")
    warm = asset.original_key
    monkeypatch.setattr(cooling, "_moved", killed)
    assert "killed" in cool(asset.id)[0]
    assert store.exists(warm) and store.exists(cold(warm)) and not reread(asset.id).is_cold
    monkeypatch.undo()
    with db.unit_of_work(CHANNEL):
        operations.delete_asset(queries.lock_asset(asset.id), by=ada())
    cool(asset.id)
    assert store.exists(warm) and not store.exists(cold(warm)), "a copy of what is deleted stayed"
    with db.unit_of_work(CHANNEL):
        operations.restore_asset(queries.find_deleted(asset.id), by=ada())
    monkeypatch.setattr(os, "link", another_disk)
    for _turn in range(2):
        cool(asset.id)
    assert reread(asset.id).is_cold and store.size(cold(warm)) == asset.size
    store.delete(cold(warm))  # somebody took the cold disk away: the warm one is not given up
    with db.unit_of_work(CHANNEL), pytest.raises(Missing):
        operations.drop_warm(queries.get_asset(asset.id), warm)
    assert store.exists(warm)


def test_room__says_what_files_take_and_keeps_the_rules(
    as_root: Browser, as_ada: Browser, api_root: Machine, films: Path, store: LocalStorage
) -> None:
    asset = process_file(films / "song.mp3", "audio")
    as_ada.get("/admin/content/room", status=403)
    as_root.get("/admin/content/room", status=200)
    assert "1 to 3650." in as_root.post("/admin/content/room", {"cold_after_days": "0"}, status=422).words
    as_root.post("/admin/content/room", {"cold_after_days": "1", "price_stored": "0.023"}, status=303)
    page = as_root.get("/admin/content/room", status=200)
    assert [page.all(f"//input[@name='{name}']")[0].get("value", "") for name in ("price_stored", "price_given")] == ["0.023", ""]
    find(2)
    told = api_root.get("/api/v1/content/room")
    assert (told["originals"], told["cold"], told["cold_after_days"], told["price_stored"]) == (0, asset.size, 1, "0.023000")
    assert told["made"] > 0
    assert api_root.send("PUT", "/api/v1/content/room", {"cold_after_days": None}, status=200)["cold_after_days"] is None
    found = as_ada.get(f"/admin/content/assets/{asset.id}/original", check=False, status=302)
    assert as_ada.get(found.location, check=False, status=200).response.data == (films / "song.mp3").read_bytes()
    assert api_root.get(f"/api/v1/content/assets/{asset.id}/original")["is_cold"]
    rule = {"most_screens": 2, "most_devices": None, "has_watermark": True}
    assert api_root.send("PUT", "/api/v1/content/watching", rule, status=200) == rule
    assert api_root.get("/api/v1/content/watching") == rule


def killed(*_arguments: object) -> bool:
    raise RuntimeError("killed")


def another_disk(*_arguments: object) -> None:
    raise OSError(errno.EXDEV, "another disk")


@pytest.mark.usefixtures("connection")
def test_drop_warm__leaves_what_the_row_names(films: Path, store: LocalStorage) -> None:
    with db.unit_of_work(CHANNEL):
        asset = operations.receive_path(films / "song.mp3", "song.mp3", "audio", by=ada())
        operations.drop_warm(asset, asset.original_key)
        assert store.exists(asset.original_key) and not operations.show_cold(asset, asset.original_key), "not ready yet"
