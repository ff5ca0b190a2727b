"""The same walk with files in a bucket: parts go straight there, segments come straight from there."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import requests
from moto.server import ThreadedMotoServer

from lms.config import S3
from lms.content import jobs, queries
from lms.core import db
from lms.core.storage import cold, use_storage
from lms.core.storage.bucket import S3Storage
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs


@pytest.fixture
def bucket() -> Iterator[S3Storage]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made = S3Storage(
        S3(bucket="files", region="us-east-1", endpoint_url=f"http://{host}:{port}", access_key_id="key", secret_access_key="secret")
    )
    made.client.create_bucket(Bucket="files")
    use_storage(made)
    yield made
    server.stop()


def test_uploads__to_a_bucket_become_a_video_that_plays_from_it(as_ada: Browser, films: Path, bucket: S3Storage) -> None:
    data = (films / "talk.mp4").read_bytes()
    state = as_ada.post(
        "/admin/content/uploads", json={"filename": "talk.mp4", "size": len(data), "kind": "video"}, check=False, status=201
    ).json
    assert state["parts"][0]["url"].startswith(bucket.origins()[0])
    assert requests.put(state["parts"][0]["url"], data=data, timeout=5).status_code == 200
    assert as_ada.get(state["upload_url"], check=False).json["received"] == [1]
    as_ada.post(state["complete_url"], json={}, check=False, status=200)
    run_jobs()
    page = as_ada.get(state["asset_url"], status=200)
    assert bucket.origins()[0] in page.response.headers["Content-Security-Policy"]
    master = str(page.all("//video")[0].get("data-hls"))
    assert as_ada.get(master, check=False, status=200).body.startswith("#EXTM3U")
    segment = as_ada.get(master.replace("master.m3u8", "180p/seg_0001_00000.m4s"), check=False, status=302)
    assert segment.response.headers["Cache-Control"] == "private, max-age=30" and "X-Amz-Expires=60" in segment.location
    assert requests.get(segment.location, headers={"Range": "bytes=0-9"}, timeout=5).status_code == 206
    assert as_ada.get(f"/content/files/{'a' * 30}", check=False).status == 404
    with db.unit_of_work(CHANNEL):
        asset = queries.get_asset(UUID(state["asset_id"]))
    assert asset.sha256
    with db.unit_of_work(CHANNEL):
        jobs.cool_original.put({"asset_id": str(asset.id)})
    run_jobs()
    download = as_ada.get(f"/admin/content/assets/{asset.id}/original", status=302).location
    assert "/files/cold/" in download and requests.get(download, timeout=5).content == data


def test_copy__of_a_big_file_goes_in_parts_inside_the_bucket(bucket: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lms.core.storage.bucket.COPY_BYTES", 5 << 20)
    key, data, told = f"{CHANNEL}/uploads/x/original", b"0123456789" * (1 << 20), []
    bucket.put(key, data)
    bucket.copy(key, cold(key), lambda: told.append(1))
    assert bucket.open(cold(key)).read() == data and len(told) == 2
    bucket.delete_channel(CHANNEL)
    assert not bucket.exists(cold(key))
