"""Devices with a limit: remembered by a cookie, refused in words, freed now and then, cleared by an admin; settled by the database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from lms.channels.queries import actor_of_user
from lms.content import operations, policies, queries
from lms.content.models import Device
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import STRANGER
from lms.courses.models import Lesson
from tests.client import Browser
from tests.conftest import CHANNEL, machine_of, signed_in
from tests.factories import people
from tests.factories.courses import a_course, a_lesson
from tests.factories.enrollments import an_enrollment

PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
DESK = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAD = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1"


JSON = {"Accept": "application/json"}


def a_film(most: int) -> tuple[Lesson, str]:
    """A course with a film and Sam in it, where so many devices play; the lesson and its page."""
    with db.unit_of_work(CHANNEL):
        operations.set_watching(None, has_watermark=False, most_devices=most, by=people.root())
        course = a_course(lessons=0)
        film = a_lesson(course, title="A film", kind="video")
        an_enrollment(people.sam(), course)
        return film, f"/enrollments/courses/{course.id}/lessons/{film.id}"


def plays(browser: Browser, path: str, agent: str) -> bool:
    """Whether the lesson page of this browser has a film on it; else it says why."""
    page = browser.get(path, status=200, headers={"User-Agent": agent})
    if page.all("//video/source"):
        return True
    assert "Not on this device" in page.words and not page.all("//*[@data-pass]")
    return False


def known() -> list[str]:
    with db.unit_of_work(CHANNEL):
        user_id = people.sam().user_id
        assert user_id is not None
        return sorted(one.name for one in queries.devices_of(user_id, 2).known)


def test_devices__are_limited_at_every_door_that_signs_a_film(app: Flask, as_sam: Browser, as_root: Browser) -> None:
    film, path = a_film(2)
    desk, pad = signed_in(app, people.sam), signed_in(app, people.sam)
    assert plays(as_sam, path, PHONE) and plays(desk, path, DESK) and plays(as_sam, path, PHONE)
    assert known() == ["Chrome on Android", "Firefox on Linux"]
    assert not plays(pad, path, PAD)
    refused = pad.get(path, status=200, headers={"User-Agent": PAD})
    assert "2 of your devices" in refused.words and "Chrome on Android" in refused.words and "forget one of them" in refused.words
    machine = machine_of(app, people.sam)
    assert "devices" in machine.get(f"/enrollments/lessons/{film.id}", status=403)["title"]
    why = as_root.get(f"/admin/enrollments/why?user={as_sam.person.user_id}&lesson={film.id}", status=200).words
    assert "Films on a new device: closed" in why and "Firefox on Linux" in why

    again = signed_in(app, people.sam)  # the same browser after signing out and in: the cookie stays
    cookie = as_sam.raw.get_cookie("lectern_device", domain="localhost")
    assert cookie is not None and cookie.http_only
    again.raw.set_cookie("lectern_device", cookie.value, domain="localhost")
    assert plays(again, path, PHONE) and len(known()) == 2
    pad.raw.set_cookie("lectern_device", cookie.value[:-3] + "AAA", domain="localhost")
    assert not plays(pad, path, PAD)
    root_page = as_root.get(path, status=200)  # staff are not counted
    assert root_page.all("//video/source") and len(known()) == 2


def test_devices_forget__frees_a_place_at_once_and_not_all_day(app: Flask, as_sam: Browser, as_root: Browser, as_ada: Browser) -> None:
    film, path = a_film(1)
    desk = signed_in(app, people.sam)
    assert plays(as_sam, path, PHONE) and not plays(desk, path, DESK)
    signed = as_sam.get(path, status=200).all("//*[@data-pass]")[0].get("data-pass")
    source = as_sam.get(path, status=200).all("//video/source")[0].get("src").partition("#")[0]
    for _change in range(3):
        row = desk.get("/content/devices", status=200).all("//form[contains(@action, '/forget')]")[0]
        as_ada.post(row.get("action"), status=403, check=False)
        desk.post(row.get("action"), status=303)
        as_sam.get(source, status=403, check=False)  # what played there is over, and does not take its place back by itself
        report = {"pass": signed, "played": [{"from": 0, "to": 1, "rate": 1}]}
        beat = as_sam.post(f"/enrollments/lessons/{film.id}/heartbeat", json=report, status=409, check=False, headers=JSON)
        assert "forgotten" in beat.json["title"] or "one of your devices" in beat.json["title"]
        desk.post(row.get("action"), status=404, check=False)
        assert plays(desk, path, DESK)
    page = desk.get("/content/devices", status=200)
    assert "You changed your devices 3 times in 30 days" in page.words and not page.all("//form[contains(@action, '/forget')]")
    assert not plays(as_sam, path, PHONE)
    piece = as_root.get(f"/admin/content/people/{as_sam.person.user_id}/devices", htmx=True, status=200)
    assert "Firefox on Linux" in piece.words and "Changed 3 times" in piece.words
    as_ada.get("/admin/reporting/reports/content.devices", status=403)
    rows = machine_of(app, people.root).get("/reporting/reports/content.devices?state=known")["rows"]
    assert [(row["device"], row["devices"], row["changes"]) for row in rows] == [("Firefox · Linux", 1, 3)]
    clear = f"/admin/content/people/{as_sam.person.user_id}/devices/clear"
    as_ada.post(clear, status=403, check=False)
    assert "Changed 0 times" in as_root.post(clear, htmx=True, status=200).words
    assert as_root.post(clear, status=303).location.endswith("/sign-ins")
    assert plays(as_sam, path, PHONE) and known() == ["Chrome on Android"]
    machine = machine_of(app, people.sam)
    listed = machine.get("/content/devices")
    assert (listed["most"], [one["name"] for one in listed["rows"]]) == (1, ["Chrome on Android"])
    machine.delete(f"/content/devices/{listed['rows'][0]['id']}")
    api_root = machine_of(app, people.root)
    assert api_root.get(f"/content/people/{as_sam.person.user_id}/devices")["rows"] == []
    api_root.delete(f"/content/people/{as_sam.person.user_id}/devices")


def test_remember_device__lets_old_ones_go_and_keeps_to_a_lower_limit(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        sam = replace(people.sam(), session_id=UUID(int=1))
        assert sam.user_id is not None

        def come(mark: str, most: int) -> bool:
            assert sam.user_id is not None
            found = queries.devices_of(sam.user_id, most)
            return bool(policies.can_watch_on(sam, found, mark, at=now())) and operations.remember_device(sam, mark, PHONE, found)

        assert come("a", 3) and come("b", 3) and come("c", 3) and not come("d", 3)
        assert come("a", 1) and not come("b", 1)  # the limit went down: the first place stays
        with time_machine.travel(now() + timedelta(days=61)):
            assert come("d", 1) and not come("a", 1)
            assert [one.mark for one in queries.devices_of(sam.user_id, 1).known] == ["d"]
            assert not queries.devices_of(sam.user_id, 1).changed
        with time_machine.travel(now() + timedelta(days=61 + 400)):
            operations.purge_devices()
        assert db.session().query(Device).count() == 1
        devices = queries.devices_of(sam.user_id, 1)
        assert policies.can_watch_on(people.ada(), devices, "x", at=now()).rule == "uncounted"
        assert policies.can_watch_on(replace(sam, viewer_id=people.root().user_id), devices, "x", at=now()).rule == "uncounted"
        assert policies.can_forget(STRANGER, devices.known[0], devices, at=now()).rule == "sign_in"


@pytest.mark.usefixtures("real_database")
def test_remember_device__gives_a_place_once_however_many_come() -> None:
    with db.unit_of_work(CHANNEL):
        user_id = people.sam().user_id
        assert user_id is not None
    barrier = Barrier(8)

    def come(number: int) -> bool:
        with db.unit_of_work(CHANNEL):
            sam, found = actor_of_user(user_id), queries.devices_of(user_id, 3)
            barrier.wait(20)
            return operations.remember_device(sam, f"device {number // 2}", "", found)

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(come, range(8)))
    with db.unit_of_work(CHANNEL):
        rows = queries.devices_of(user_id, 3).known
    assert sorted(one.place for one in rows) == [1, 2, 3] and len({one.mark for one in rows}) == 3
    assert sum(came) == 6, "two pages of the same browser are one device"
