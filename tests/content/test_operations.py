"""Operations of content: each rule, and doing it twice."""

import io
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.content import handlers, operations, policies, queries
from lms.content.errors import TooManyScreens
from lms.content.events import AssetDeleted, AssetReceived
from lms.content.models import Asset
from lms.core import db, limits
from lms.core.clock import now
from lms.core.decisions import STRANGER, Actor, the_platform
from lms.core.errors import Refusal, TooMany
from lms.core.ids import uuid7
from lms.core.models import AuditRow, EventRow, Outbox
from lms.core.storage import LocalStorage
from tests.conftest import CHANNEL
from tests.factories import people

GIB = 1 << 30


def actions(work: Session) -> list[str]:
    return list(work.scalars(select(AuditRow.action).where(AuditRow.action.like("content.%")).order_by(AuditRow.id)))


@pytest.mark.parametrize(
    ("size", "part_size", "count"), [(1, 8, 1), (8 << 20, 8, 1), ((8 << 20) + 1, 8, 2), (10 * GIB, 11, 931), (20 * GIB, 21, 976)]
)
def test_start_upload__cuts_the_file_into_at_most_a_thousand_parts(work: Session, size: int, part_size: int, count: int) -> None:
    upload = operations.start_upload("a.mp4", size, "video", by=people.ada())
    assert (upload.part_size, upload.part_count) == (part_size << 20, count)
    assert sum(upload.size_of(number) for number in range(1, count + 1)) == size and upload.size_of(count) > 0
    assert actions(work) == ["content.upload"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("A.MP4", "video"), ("b.flac", "audio"), ("c.jpeg", "image"), ("d.PDF", "document"), ("e.zip", "file"), ("f", "file")],
)
def test_kind_of_name__believes_the_end_of_the_name_until_the_content_says(name: str, kind: str) -> None:
    assert operations.kind_of_name(name) == kind


def test_start_upload__is_limited_and_needs_a_person(work: Session) -> None:
    ada = people.ada()
    for _ in range(500):
        limits.hit("content.upload", f"{CHANNEL}:{ada.user_id}", most=500, seconds=3600)
    with pytest.raises(TooMany):
        operations.start_upload("a.mp4", 5, "video", by=ada)
    with pytest.raises(Refusal):
        operations.start_upload("a.mp4", 5, "video", by=the_platform(CHANNEL))


def test_receive_file__of_more_than_512_mb_is_refused(work: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lms.content.operations.uploads.MAX_PLAIN", 10)
    with pytest.raises(Refusal, match="JavaScript"):
        operations.receive_file("a.pdf", io.BytesIO(b"x" * 11), "document", by=people.ada())


def test_delete_asset__twice_writes_one_audit_row_and_its_files_go(work: Session, store: LocalStorage, tmp_path: Path) -> None:
    ada = people.ada()
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    asset = operations.receive_path(tmp_path / "a.pdf", "a.pdf", "document", by=ada)
    store.put(f"{CHANNEL}/assets/{asset.id}/x/file.pdf", b"x")
    operations.purge_files(asset.id)
    assert store.exists(asset.original_key), "only deleted files are purged"
    operations.delete_asset(asset, by=ada)
    operations.delete_asset(asset, by=ada)
    assert actions(work) == ["content.uploaded", "content.delete"]
    handlers.purge_its_files(AssetDeleted(asset_id=asset.id))
    handlers.purge_its_files(AssetDeleted(asset_id=asset.id))
    assert not list((store.root / str(CHANNEL)).rglob("*.*")) and asset.original_key == ""
    with pytest.raises(queries.NoSuchAsset):
        queries.get_asset(asset.id)
    assert queries.assets_by_id([asset.id, None]) == {}


def test_process_it__writes_one_job_however_often_it_is_told(work: Session) -> None:
    upload = operations.start_upload("a.mp4", 5, "video", by=people.ada())
    for _ in range(2):
        handlers.process_it(AssetReceived(asset_id=upload.asset_id))
    assert len(work.scalars(select(Outbox).where(Outbox.key == f"asset:{upload.asset_id}")).all()) == 1


def test_begin_run__only_of_what_waits_and_note_progress_only_of_the_newest_run(work: Session) -> None:
    upload = operations.start_upload("a.mp4", 5, "video", by=people.ada())
    asset = queries.get_asset(upload.asset_id)
    assert operations.begin_run(asset) is None
    asset.state = "checking"
    folder = operations.begin_run(asset)
    work.flush()
    assert folder == f"{CHANNEL}/assets/{asset.id}/{asset.run}"
    assert operations.note_progress(asset.id, asset.run or "", 40, "encode")
    assert not operations.note_progress(asset.id, "older", 50, "encode")


def test_make_ready__and_fail_asset_tell_everybody(work: Session) -> None:
    upload = operations.start_upload("a.mp4", 5, "video", by=people.ada())
    asset = queries.get_asset(upload.asset_id)
    asset.state, asset.started_at = "processing", now()
    operations.make_ready(
        asset, f"{CHANNEL}/assets/{asset.id}/r", {"mp4_key": f"{CHANNEL}/assets/{asset.id}/r/video.mp4", "duration_seconds": 61.5}
    )
    assert asset.is_ready and asset.is_playable and asset.processing_seconds is not None
    operations.fail_asset(asset, Refusal("Broken."), refused=True)
    assert not asset.is_playable and not asset.can_retry and asset.mp4_key is None
    with pytest.raises(Refusal):
        operations.retry_asset(asset, by=people.ada())
    facts = {row.name: row.payload for row in work.scalars(select(EventRow))}
    assert facts["AssetReady"]["duration_seconds"] == 61.5 and facts["AssetFailed"]["reason"] == "Broken."


def test_retry_asset__while_it_is_worked_on_changes_nothing(work: Session) -> None:
    asset = queries.get_asset(operations.start_upload("a.mp4", 5, "video", by=people.ada()).asset_id)
    asset.state = "processing"
    operations.retry_asset(asset, by=people.ada())
    assert asset.state == "processing"


def test_go_on__of_an_upload_that_is_over_is_refused(work: Session) -> None:
    ada = people.ada()
    upload = operations.start_upload("a.mp4", 5, "video", by=ada)
    operations.cancel_upload(upload, queries.get_asset(upload.asset_id), by=ada)
    operations.cancel_upload(upload, work.get_one(Asset, upload.asset_id), by=ada)
    for act in (
        lambda: operations.go_on(upload, by=ada),
        lambda: operations.complete_upload(upload, work.get_one(Asset, upload.asset_id), by=ada),
    ):
        with pytest.raises(Refusal, match="over"):
            act()


def test_renew_grant__of_a_stranger_opens_nothing(work: Session) -> None:
    operations.renew_grant(uuid7(), STRANGER)
    assert operations.revoke_grants(uuid7()) == 0


def test_revoke_grants__of_everything_shuts_every_browser(work: Session) -> None:
    sam, film = people.sam(), uuid7()
    for _ in range(3):
        operations.renew_grant(film, Actor(user_id=sam.user_id, session_id=uuid7()))
    operations.renew_grant(uuid7(), sam)
    assert operations.revoke_grants(sam.user_id or uuid7()) == 4
    assert operations.revoke_grants(sam.user_id or uuid7()) == 0


def test_can_manage__is_for_admins_and_the_owner(work: Session) -> None:
    ada = people.ada()
    asset = queries.get_asset(operations.start_upload("a.mp4", 5, "video", by=ada).asset_id)
    assert policies.can_manage(ada, asset) and policies.can_manage(people.root(), asset) and policies.can_view(ada, asset)
    assert policies.can_manage(people.an_instructor(), asset).rule == "owner"
    assert policies.can_manage(people.sam(), asset).rule == "staff" and policies.can_manage(STRANGER, asset).rule == "sign_in"
    assert policies.can_upload(ada) and not policies.can_upload(people.sam())
    assert policies.can_play(True) and policies.can_play(False).rule == "grant"


def test_take_screen__refuses_one_more_screen_until_another_was_quiet_for_a_minute(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        phone, desk = (replace(people.sam(), session_id=UUID(int=number)) for number in (1, 2))
        operations.take_screen(phone)
        operations.take_screen(desk)  # where nobody made a rule, any number
        operations.set_watching(1, has_watermark=False, by=people.root())
        operations.take_screen(phone)
        operations.take_screen(phone)
        with pytest.raises(TooManyScreens, match="another screen"):
            operations.take_screen(desk)
        operations.take_screen(Actor())
        with time_machine.travel(now().timestamp() + 62):
            operations.take_screen(desk)
            with pytest.raises(TooManyScreens):
                operations.take_screen(phone)
