"""Door 1: files and media by signed addresses; the exact one works, every other does not."""

import io
import re
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from flask import Flask, Response
from PIL import Image
from sqlalchemy import select

from lms.auth.models import SignInSession
from lms.content import operations, queries
from lms.content.gateways import grants
from lms.content.models import Asset
from lms.core import db, signing
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Refusal
from lms.core.redis import RedisError, redis
from lms.core.storage import LocalStorage
from lms.web import passes
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, run_jobs
from tests.factories import people

KEY = f"{CHANNEL}/assets/one/notes.pdf"


def a_film(films: Path) -> UUID:
    """A ready video of Ada's."""
    with db.unit_of_work(CHANNEL):
        asset_id = operations.receive_path(films / "talk.mp4", "talk.mp4", "video", by=people.ada()).id
    run_jobs()
    return asset_id


def open_for(browser: Browser, asset_id: UUID) -> queries.Playback:
    """What a lesson page does: the viewer of this browser may watch from now on."""
    with db.unit_of_work(CHANNEL):
        return queries.playback_of(queries.get_asset(asset_id), viewer=viewer_of(browser))


def viewer_of(browser: Browser) -> Actor:
    """The actor of a signed-in browser, session and all."""
    with db.unit_of_work(CHANNEL) as session:
        rows = session.scalars(select(SignInSession).where(SignInSession.user_id == browser.person.user_id)).all()
        newest = max(rows, key=lambda row: row.created_at)
        return Actor(user_id=browser.person.user_id, role=browser.person.role, channel_id=CHANNEL, session_id=newest.id)


def test_files_show__downloads_with_name_type_and_safe_headers(client: Browser, store: LocalStorage) -> None:
    store.put(KEY, b"%PDF-1.7 hello")
    page = client.get(store.get_url(KEY, 60, filename="Übung 1.pdf"), status=200, check=False)
    headers = page.response.headers
    assert page.response.data == b"%PDF-1.7 hello" and headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith("attachment; ") and "%C3%9Cbung" in headers["Content-Disposition"]
    assert headers["Content-Security-Policy"].startswith("sandbox") and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["ETag"] and headers["Cache-Control"] == "private, no-store"


def test_files_show__gives_ranges_and_304(client: Browser, store: LocalStorage) -> None:
    store.put(KEY, bytes(range(100)))
    url = store.get_url(KEY, 60)
    part = client.get(url, headers={"Range": "bytes=10-19"}, status=206, check=False).response
    assert part.data == bytes(range(10, 20)) and part.headers["Content-Range"] == "bytes 10-19/100"
    assert client.get(url, headers={"If-None-Match": part.headers["ETag"]}, status=304, check=False)
    assert client.get(url, headers={"Range": "bytes=200-"}, status=416, check=False)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/xml", "application/javascript"])
def test_files_show__never_opens_active_types_in_the_browser(client: Browser, store: LocalStorage, kind: str) -> None:
    store.put(KEY, b"<script>alert(1)</script>")
    page = client.get(store.get_url(KEY, 60, inline=True, content_type=kind), status=200, check=False)
    assert page.response.headers["Content-Disposition"] == "attachment"


def test_files_show__refuses_every_other_address(client: Browser, store: LocalStorage) -> None:
    other = f"{OTHER_CHANNEL}/assets/one/notes.pdf"
    for key in (KEY, other):
        store.put(key, b"x")
    url = store.get_url(KEY, 60)
    token = url.rpartition("/")[2]
    body, _, signature = token.partition(".")
    wrong = [f"/content/files/{token[:i]}{'A' if token[i] != 'A' else 'B'}{token[i + 1 :]}" for i in range(0, len(token), len(token) // 20)]
    wrong += [
        f"{url}?x=1",
        f"{url}?key={other}",
        f"{url}.{signature}",
        f"/content/files/{body}",
        f"/content/files/{body}.",
        f"/content/files/.{signature}",
    ]
    wrong += [
        f"/content/files/{signing.sign('content:watch', {'k': KEY}, seconds=60)}",
        store.part_url(KEY, store.begin(KEY), 1, 1).replace("parts", "files"),
    ]
    wrong += [store.get_url(other, 60), store.get_url(KEY, -1), url.replace("/files/", "/watch/") + "/video.mp4"]
    for address in wrong:
        assert client.get(address, check=False).status in (403, 404), address
    assert client.get(url, status=200, check=False)
    with time_machine.travel(now().timestamp() + 62):
        assert client.get(url, status=403, check=False)
    assert client.post(url, status=405, check=False) and client.get(f"{url}/x", status=404, check=False)


def put(browser: Browser, url: str, data: bytes, **options: object) -> int:
    return browser.raw.put(url, data=data, base_url="http://localhost", **options).status_code


def test_parts_show__takes_exactly_the_part_that_was_agreed(client: Browser, store: LocalStorage) -> None:
    upload_id = store.begin(KEY, part_size=20 << 20)
    url = store.part_url(KEY, upload_id, 1, 20 << 20)
    data = bytes(20 << 20)
    assert put(client, url, data) == 204 and put(client, url, data) == 204
    assert [part[:2] for part in store.parts(KEY, upload_id)] == [(1, 20 << 20)]
    small = store.part_url(KEY, upload_id, 2, 10)
    assert put(client, small, b"x" * 11) == 422 and put(client, small, b"x" * 9) == 422
    assert put(client, small, b"", headers={"Transfer-Encoding": "chunked"}) == 422
    assert put(client, small + "A", b"x" * 10) == 403 and put(client, small + "?a=1", b"x" * 10) == 403
    assert len(store.parts(KEY, upload_id)) == 1
    store.abort(KEY, upload_id)
    assert put(client, small, b"x" * 10) == 404


def test_watch_show__plays_everything_for_the_viewer(films: Path, as_sam: Browser) -> None:
    playback = open_for(as_sam, a_film(films))
    assert playback.duration == pytest.approx(3, abs=0.1)
    master = as_sam.get(playback.hls_url, status=200, check=False)
    assert master.response.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    names = re.findall(r"^[^#\n].*$", master.body, re.MULTILINE)
    base = playback.hls_url.rpartition("/")[0]
    media = as_sam.get(f"{base}/{names[0]}", status=200, check=False).body
    pieces = re.findall(r"^[^#\n].*$", media, re.MULTILINE) + re.findall(r'URI="([^"]+)"', media)
    for piece in pieces:
        page = as_sam.get(f"{base}/{names[0].rpartition('/')[0]}/{piece}", status=200, check=False)
        assert len(page.queries) <= 3 and len(page.response.data) > 100
    part = as_sam.get(playback.mp4_url, headers={"Range": "bytes=0-99"}, status=206, check=False).response
    assert len(part.data) == 100 and part.headers["Content-Type"] == "video/mp4"
    assert as_sam.get(playback.poster_url, status=200, check=False).response.data[:2] == b"\xff\xd8"
    assert len(playback.hls_url) < 600
    assert client_pass(part) == ""


def client_pass(response: Response) -> str:
    """The pass for nginx an answer gives."""
    return next((value for value in response.headers.getlist("Set-Cookie") if value.startswith(passes.COOKIE)), "")


def test_watch_show__gives_nginx_a_pass_for_this_film_alone_and_for_less_than_a_minute(films: Path, as_sam: Browser) -> None:
    asset_id = a_film(films)
    playback = open_for(as_sam, asset_id)
    given = client_pass(as_sam.get(playback.hls_url, headers={passes.ASKED: "1"}, status=200, check=False).response)
    assert f"Path=/content/watch/{CHANNEL}/{asset_id}/" in given and "HttpOnly" in given and "Max-Age=55" in given
    with db.unit_of_work(CHANNEL):
        operations.revoke_grants(as_sam.person.user_id, [asset_id])
    assert not client_pass(as_sam.get(playback.hls_url, headers={passes.ASKED: "1"}, status=403, check=False).response)


def test_watch_show__is_dead_for_a_stranger_at_once(films: Path, app: Flask, as_sam: Browser, client: Browser) -> None:
    playback = open_for(as_sam, a_film(films))
    urls = [playback.hls_url, playback.mp4_url, playback.sound_url, playback.hls_url.replace("master.m3u8", "180p/seg_0001_00000.m4s")]
    for url in urls:
        assert client.get(url, check=False).status == 403
        assert Browser(app, "beta.example").get(url, check=False).status in (403, 421)
    with db.unit_of_work(CHANNEL):
        eve = people.a_student("Eve")
    other = Browser(app)
    other.sign_in(eve.email, people.PASSWORD)
    assert {other.get(url, check=False).status for url in urls} == {403}
    assert {as_sam.get(url, check=False).status for url in urls} == {200}


def test_watch_show__goes_on_past_five_minutes_while_the_heart_beats(films: Path, as_sam: Browser) -> None:
    asset_id = a_film(films)
    playback = open_for(as_sam, asset_id)
    viewer = viewer_of(as_sam)
    key = f"content:grant:{CHANNEL}:{viewer.session_id}:{asset_id}"
    assert 290 < int(redis().ttl(key)) <= 300
    for _ in range(3):
        redis().expire(key, 1)  # five minutes go by
        with db.unit_of_work(CHANNEL):
            operations.renew_grant(asset_id, viewer)
        assert as_sam.get(playback.mp4_url, check=False).status == 200
    redis().delete(key)  # no heartbeat for five minutes
    assert as_sam.get(playback.mp4_url, check=False).status == 403
    with db.unit_of_work(CHANNEL):
        operations.renew_grant(asset_id, viewer)
    assert as_sam.get(playback.mp4_url, check=False).status == 200


def test_watch_show__is_dead_at_once_when_the_right_ends(films: Path, as_sam: Browser) -> None:
    asset_id = a_film(films)
    playback = open_for(as_sam, asset_id)
    with db.unit_of_work(CHANNEL):
        assert operations.revoke_grants(as_sam.person.user_id, [UUID(int=1)]) == 0
        assert as_sam.get(playback.hls_url, check=False).status == 200
        assert operations.revoke_grants(as_sam.person.user_id, [asset_id]) == 1
    assert as_sam.get(playback.hls_url, check=False).status == 403
    assert as_sam.get(playback.hls_url.replace("master.m3u8", "180p/seg_0001_00000.m4s"), check=False).status == 403


def test_watch_show__is_dead_when_the_viewer_signs_out(films: Path, as_sam: Browser) -> None:
    playback = open_for(as_sam, a_film(films))
    as_sam.post("/auth/sign-out", check=False)
    assert as_sam.get(playback.mp4_url, check=False).status == 403


def test_watch_show__gives_no_other_file_of_the_folder(films: Path, as_sam: Browser, store: LocalStorage) -> None:
    playback = open_for(as_sam, a_film(films))
    base = playback.mp4_url.rpartition("/")[0]
    for name in (
        "original",
        "..%2f..%2foriginal",
        "hls/../video.mp4",
        "hls/180p/../../video.mp4",
        "video.mp4/",
        "VIDEO.MP4",
        "hls/180p/x.m4s",
        "hls/master.m3u8%00",
    ):
        assert as_sam.get(f"{base}/{name}", check=False).status in (403, 404), name


def test_watch_show__public_previews_play_for_anybody(films: Path, client: Browser) -> None:
    asset_id = a_film(films)
    with db.unit_of_work(CHANNEL):
        playback = queries.playback_of(queries.get_asset(asset_id), viewer=Actor(), public=True)
        with pytest.raises(Forbidden):
            queries.playback_of(queries.get_asset(asset_id), viewer=Actor())
    assert client.get(playback.hls_url, check=False).status == 200


def test_watch_show__goes_on_for_five_minutes_without_redis(films: Path, as_sam: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    playback = open_for(as_sam, a_film(films))
    ticket_token = playback.mp4_url.split("/")[5]

    def away(*_: object) -> None:
        raise RedisError

    monkeypatch.setattr("lms.content.gateways.grant.redis", away)
    with db.unit_of_work(CHANNEL):
        ticket = queries.read_ticket(ticket_token)
        assert queries.grant_stands(ticket, viewer_of(as_sam))
        with pytest.raises(Refusal):
            queries.grant_stands(ticket._replace(since=ticket.since - 301), viewer_of(as_sam))
        grants().open(CHANNEL, ticket.asset_id, "x", None)
        assert grants().shut(CHANNEL, UUID(int=1)) == 0


def test_playback_of__has_nothing_for_what_is_not_made_yet(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        asset: Asset = queries.get_asset(operations.start_upload("a.mp4", 5, "video", by=people.ada()).asset_id)
        assert queries.playback_of(asset, viewer=people.sam()) == queries.Playback("", "", "", 0.0, asset.id)
        assert queries.picture_url(asset) == "" == queries.download_url(asset) == queries.picture_url(None)


def test_picture_url__is_the_same_all_day(connection: object, store: LocalStorage, client: Browser) -> None:
    data = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(data, "PNG")
    data.seek(0)
    with db.unit_of_work(CHANNEL):
        asset_id = operations.receive_file("cover.png", data, "image", by=people.ada()).id
    run_jobs()
    with db.unit_of_work(CHANNEL):
        asset = queries.get_asset(asset_id)
        with time_machine.travel("2026-05-05T01:00:00Z", tick=False):
            early = queries.picture_url(asset)
        with time_machine.travel("2026-05-05T23:00:00Z", tick=False):
            assert queries.picture_url(asset) == early
        url = queries.picture_url(asset)
    page = client.get(url, status=200, check=False).response
    assert page.headers["Content-Type"] == "image/webp" and page.headers["Content-Disposition"] == "inline"
