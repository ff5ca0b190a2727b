"""Storage: one contract, held by the local folder and by a real S3 server through real boto3."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from moto.server import ThreadedMotoServer

from lms.config import S3
from lms.core import signing
from lms.core.errors import Forbidden
from lms.core.storage import (
    LocalStorage,
    Missing,
    Storage,
    TooLarge,
    WrongKey,
    WrongPart,
    checked_key,
    disposition,
    make_storage,
    storage,
    use_storage,
)
from lms.core.storage.bucket import S3Storage
from lms.core.storage.keys import safe_name
from tests.conftest import SECRET

CHANNEL = "0190a000-0000-7000-8000-000000000001"
KEY = f"{CHANNEL}/assets/one/video.mp4"
MIB = 1 << 20


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    signing.use_secret(SECRET)
    return LocalStorage(tmp_path / "storage")


@pytest.fixture
def bucket(s3_server: str) -> S3Storage:
    made = S3Storage(S3(bucket="files", region="us-east-1", endpoint_url=s3_server, access_key_id="key", secret_access_key="secret"))
    made.client.create_bucket(Bucket="files")
    made.delete_all(f"{CHANNEL}/assets")
    return made


@pytest.fixture(params=["local", "bucket"])
def store(request: pytest.FixtureRequest) -> Storage:
    made: Storage = request.getfixturevalue(request.param)
    return made


def read(store: Storage, key: str, start: int = 0, length: int | None = None) -> bytes:
    with store.open(key, start, length) as source:
        return source.read()


def test_put__stores_replaces_and_tells_size_and_hash(store: Storage) -> None:
    stored = store.put(KEY, b"first")
    assert stored == (5, "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e")
    assert store.put(KEY, io.BytesIO(b"second one")).size == 10
    assert read(store, KEY) == b"second one" and store.size(KEY) == 10 and store.exists(KEY)


def test_open__reads_a_stretch(store: Storage) -> None:
    store.put(KEY, bytes(range(100)))
    assert read(store, KEY, 10, 5) == bytes(range(10, 15))
    assert read(store, KEY, 95) == bytes(range(95, 100))
    assert read(store, KEY, 3, 0) == b""


def test_delete__makes_it_missing_and_twice_changes_nothing(store: Storage) -> None:
    store.put(KEY, b"x")
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    for ask in (lambda: store.size(KEY), lambda: store.open(KEY)):
        with pytest.raises(Missing):
            ask()


def test_delete_all__takes_one_prefix_and_no_neighbour(store: Storage) -> None:
    for name in ("assets/a/1.m4s", "assets/a/v0/2.m4s", "assets/ab/3.m4s"):
        store.put(f"{CHANNEL}/{name}", b"x")
    store.delete_all(f"{CHANNEL}/assets/a")
    assert [store.exists(f"{CHANNEL}/{name}") for name in ("assets/a/1.m4s", "assets/a/v0/2.m4s", "assets/ab/3.m4s")] == [
        False,
        False,
        True,
    ]
    with pytest.raises(WrongKey):
        store.delete_all(CHANNEL)


def test_fetch__copies_to_this_machine_with_the_hash(store: Storage, tmp_path: Path) -> None:
    data = os.urandom(3 * MIB + 17)
    put = store.put(KEY, data)
    assert store.fetch(KEY, tmp_path / "copy") == put
    assert (tmp_path / "copy").read_bytes() == data
    assert store.put_file(f"{CHANNEL}/assets/two.bin", tmp_path / "copy") == put


def test_complete__makes_one_file_of_parts_out_of_order_and_doubled(store: Storage) -> None:
    pieces = [os.urandom(5 * MIB), os.urandom(5 * MIB), os.urandom(123)]
    upload_id = store.begin(KEY, part_size=5 * MIB)
    store.put_part(KEY, upload_id, 3, io.BytesIO(pieces[2]), len(pieces[2]))
    store.put_part(KEY, upload_id, 1, io.BytesIO(os.urandom(5 * MIB)), 5 * MIB)
    store.put_part(KEY, upload_id, 1, io.BytesIO(pieces[0]), 5 * MIB)
    assert [(part.number, part.size) for part in store.parts(KEY, upload_id)] == [(1, 5 * MIB), (3, 123)]
    with pytest.raises(WrongPart):
        store.complete(KEY, upload_id)
    assert not store.exists(KEY)
    store.put_part(KEY, upload_id, 2, io.BytesIO(pieces[1]), 5 * MIB)
    assert store.complete(KEY, upload_id).size == 10 * MIB + 123
    assert read(store, KEY) == b"".join(pieces)
    assert store.complete(KEY, upload_id).size == 10 * MIB + 123


def test_put_part__refuses_a_part_that_broke_off(store: Storage) -> None:
    upload_id = store.begin(KEY)
    with pytest.raises(WrongPart):
        store.put_part(KEY, upload_id, 1, io.BytesIO(b"half"), 8)
    assert store.parts(KEY, upload_id) == []


def test_abort__forgets_the_parts(store: Storage) -> None:
    upload_id = store.begin(KEY)
    store.put_part(KEY, upload_id, 1, io.BytesIO(b"half"), 4)
    store.abort(KEY, upload_id)
    store.abort(KEY, upload_id)
    with pytest.raises(Missing):
        store.parts(KEY, upload_id)


BAD_KEYS = ("", "a", CHANNEL, f"{CHANNEL}/", f"{CHANNEL}/../x", f"{CHANNEL}/a/../../x", f"/{CHANNEL}/a", f"{CHANNEL}//a", f"{CHANNEL}/.staging/x",
            f"{CHANNEL}/a\n", f"{CHANNEL}/a\0b", f"{CHANNEL}/é", f"{CHANNEL}\\..\\x", "../" * 8 + "etc/passwd", f"{CHANNEL}/" + "a" * 101,
            f"{CHANNEL}/" + "/".join("abcdefghi"), f"{CHANNEL.upper()}x/a", f"{CHANNEL}/a b", f"{CHANNEL}/%2e%2e/x")  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
def test_checked_key__refuses_what_we_did_not_make(store: Storage, key: str) -> None:
    for ask in (
        lambda: checked_key(key),
        lambda: store.put(key, b"x"),
        lambda: store.open(key),
        lambda: store.get_url(key),
        lambda: store.begin(key),
    ):
        with pytest.raises(WrongKey):
            ask()


def test_get_url__of_the_bucket_downloads_with_name_type_and_range(bucket: S3Storage) -> None:
    bucket.put(KEY, b"0123456789")
    url = bucket.get_url(KEY, 60, filename="Lektion Ä.mp4")
    answer = requests.get(url, timeout=5)
    assert answer.content == b"0123456789" and answer.headers["Content-Type"] == "video/mp4"
    assert "Lektion%20%C3%84.mp4" in answer.headers["Content-Disposition"] and "X-Amz-Signature=" in url and "AWS4-HMAC-SHA256" in url
    assert requests.get(url, headers={"Range": "bytes=2-4"}, timeout=5).content == b"234"


def test_part_url__of_the_bucket_takes_a_real_put_with_the_length_signed(bucket: S3Storage) -> None:
    upload_id = bucket.begin(KEY)
    url = bucket.part_url(KEY, upload_id, 1, 4)
    assert "content-length" in url.split("X-Amz-SignedHeaders=")[1].split("&")[0]
    assert requests.put(url, data=b"data", timeout=5).status_code == 200
    assert bucket.complete(KEY, upload_id).size == 4 and read(bucket, KEY) == b"data"


def test_put__to_the_bucket_sends_big_files_in_parts(bucket: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lms.core.storage.bucket.PUT_IN_PARTS", 6 * MIB)
    monkeypatch.setattr("lms.core.storage.bucket.PART_BYTES", 5 * MIB)
    data = os.urandom(12 * MIB)
    stored = bucket.put(KEY, io.BytesIO(data))
    assert stored.size == 12 * MIB and read(bucket, KEY) == data


def test_let_pages_in__sets_the_cors_rules(bucket: S3Storage) -> None:
    bucket.let_pages_in(["https://learn.example"])
    assert bucket.client.get_bucket_cors(Bucket="files")["CORSRules"][0]["AllowedMethods"] == ["GET", "HEAD", "PUT"]
    assert bucket.origins()[0].startswith("http://127.0.0.1:")


def test_put_part__of_the_folder_refuses_more_than_announced(local: LocalStorage) -> None:
    upload_id = local.begin(KEY)
    with pytest.raises(TooLarge):
        local.put_part(KEY, upload_id, 1, io.BytesIO(b"12345"), 4)
    with pytest.raises(Forbidden):
        local.put_part(f"{CHANNEL}/other", upload_id, 1, io.BytesIO(b"1234"), 4)
    with pytest.raises(WrongKey):
        local.parts(KEY, "../../" + upload_id)
    assert local.parts(KEY, upload_id) == [] and {path.name for path in (local.staging / upload_id).iterdir()} == {"key", "data"}


def test_put_part__of_the_folder_counts_a_part_that_broke_off_the_second_time_as_missing(local: LocalStorage) -> None:
    upload_id = local.begin(KEY, part_size=4)
    local.put_part(KEY, upload_id, 1, io.BytesIO(b"1234"), 4)
    local.put_part(KEY, upload_id, 2, io.BytesIO(b"5"), 1)
    with pytest.raises(WrongPart):
        local.put_part(KEY, upload_id, 1, io.BytesIO(b"9"), 4)
    assert [part.number for part in local.parts(KEY, upload_id)] == [2]
    with pytest.raises(WrongPart, match="larger"):
        local.put_part(KEY, upload_id, 1, io.BytesIO(b"12345"), 5)


def test_complete__of_the_folder_refuses_a_short_part_between(local: LocalStorage) -> None:
    upload_id = local.begin(KEY, part_size=4)
    local.put_part(KEY, upload_id, 1, io.BytesIO(b"123"), 3)
    local.put_part(KEY, upload_id, 2, io.BytesIO(b"5"), 1)
    with pytest.raises(WrongPart, match="shorter"):
        local.complete(KEY, upload_id)


def test_move_file__takes_plain_files_and_nothing_a_program_could_point_elsewhere(local: LocalStorage, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_bytes(b"film")
    place = made.stat().st_ino
    assert local.move_file(KEY, made) == (4, "") and not made.exists()
    assert local.path_of(KEY).stat().st_ino == place
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "folder").symlink_to(tmp_path)
    for path in (tmp_path / "link", tmp_path / "folder" / "secret", tmp_path):
        with pytest.raises(WrongKey):
            local.move_file(KEY, path)
    assert read(local, KEY) == b"film"


def test_read_grant__takes_the_exact_address_alone(local: LocalStorage) -> None:
    token = local.get_url(KEY, 60, filename="a.mp4").rpartition("/")[2]
    assert local.read_grant(token).key == KEY
    part = local.part_url(KEY, local.begin(KEY), 1, 5).rpartition("/")[2]
    assert local.part_grant(part)[2:] == (1, 5)
    changed = {token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in range(0, len(token), max(1, len(token) // 40))}
    for wrong in (*changed, part, "", ".", token + "A", token[:-1], token.upper(), token + "." + token, token.replace(".", ""), "ü.ü"):
        with pytest.raises(Forbidden):
            local.read_grant(wrong)
    with pytest.raises(Forbidden):
        local.part_grant(token)
    with pytest.raises(Forbidden):
        local.read_grant(local.get_url(KEY, -1).rpartition("/")[2])


def test_sweep__takes_what_nobody_touched(local: LocalStorage) -> None:
    old, new = local.begin(KEY), local.begin(KEY)
    for path in ((local.staging / old), *(local.staging / old).iterdir()):
        os.utime(path, (1, 1))
    assert local.sweep() == 1
    assert local.parts(KEY, new) == []
    with pytest.raises(Missing):
        local.parts(KEY, old)


NAMES = {
    "../../etc/passwd": "_.._etc_passwd",
    "a\r\nSet-Cookie: x=1.mp4": "aSet-Cookie_ x=1.mp4",
    "evil\u202e4pm.exe": "evil4pm.exe",
    "nul\0byte.mp4": "nulbyte.mp4",
    "...": "file",
    "ü" * 300 + ".mp4": "ü" * 146 + ".mp4",
}


@pytest.mark.parametrize("name", NAMES)
def test_disposition__is_one_safe_header(name: str) -> None:
    assert safe_name(name) == NAMES[name]
    header = disposition(name, inline=False)
    assert header.startswith("attachment; ") and header.isascii() and header.isprintable() and header.count('"') == 2
    assert disposition(None, inline=True) == "inline"


def test_use_storage__makes_it_the_store_of_the_process(local: LocalStorage) -> None:
    use_storage(local)
    assert storage() is local


def test_make_storage__follows_the_settings(tmp_path: Path) -> None:
    class Settings:
        s3 = None
        storage_dir = tmp_path

    assert isinstance(make_storage(Settings()), LocalStorage)  # type: ignore[arg-type]
    Settings.s3 = S3("our-files", "eu-west-1", None, "k", "s")  # type: ignore[assignment]
    assert make_storage(Settings()).origins() == ("https://our-files.s3.eu-west-1.amazonaws.com",)  # type: ignore[arg-type]
