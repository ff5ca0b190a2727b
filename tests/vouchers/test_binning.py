"""Voids taken back whatever their number, and batches in the bin."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lms.core import bin, db
from lms.core.errors import Conflict, Refusal
from lms.core.models import AuditRow
from lms.vouchers import operations, queries
from lms.vouchers.models import Batch
from lms.vouchers.reports import Batches
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.people import a_student, root, sam
from tests.factories.vouchers import a_batch
from tests.machine import Machine


def the_void(work: Session, batch: Batch) -> AuditRow:
    """The receipt of the newest void."""
    return work.scalars(select(AuditRow).where(AuditRow.action == "vouchers.void", AuditRow.target_id == batch.id)).one()


def test_undo_void__brings_back_any_number_used_in_part_or_not_as_they_were(work: Session) -> None:
    made = a_batch(600, uses_per_code=2)
    operations.mark_handed_out(made.batch, "printed", by=root())
    operations.redeem(made.codes[0], by=sam())
    lost = [queries.find_code_id(made.batch.id, 2)]
    operations.void_codes(made.batch, lost, reason="Lost", by=root())
    work.execute(text("UPDATE vouchers.codes SET state_at = state_at - interval '1 minute' WHERE state = 'void'"))
    assert operations.void_codes(made.batch, reason="Over", by=root()) == 599
    change = queries.changes_of(made.batch.id)[0]
    assert operations.undo_void(made.batch, change, by=root()) == 599 and operations.undo_void(made.batch, change, by=root()) == 0
    assert queries.get_code(lost[0]).state == "void"
    operations.redeem(made.codes[0], by=a_student("Bo"))
    assert queries.get_code(queries.find_code_id(made.batch.id, 3)).state == "printed"
    assert queries.reconcile(made.batch).faults == ()


def test_delete_batch__lies_in_the_bin_with_void_codes_and_comes_back(work: Session) -> None:
    made = a_batch(2)
    assert operations.delete_batch(made.batch, by=root()) and not operations.delete_batch(made.batch, by=root())
    with pytest.raises(Refusal, match="withdrawn"):
        operations.redeem(made.codes[0], by=sam())
    with pytest.raises(Conflict, match="bin"):
        operations.undo_void(made.batch, the_void(work, made.batch), by=root())
    bin.restore(bin.lying("vouchers", made.batch.id), by=root())
    assert not operations.restore_batch(made.batch, by=root())
    operations.redeem(made.codes[0], by=sam())
    with pytest.raises(Conflict, match="books"), work.begin_nested():
        operations.delete_batch(made.batch, by=root())


def test_batches_delete__offers_the_way_back(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        batch = a_batch(2, label="Bin batch").batch
    path = f"/admin/vouchers/batches/{batch.id}"
    as_root.post(f"{path}/delete", status=303)
    assert "Bin batch lies in the bin" in as_root.get("/admin/vouchers/batches", status=200).words
    assert "Bin batch" not in as_root.get("/admin/vouchers/batches", status=200).words
    assert "lies in the bin" in as_root.get(path, status=200).words
    assert "Bin batch" in as_root.get("/admin/bin", status=200).words


def test_archive_batch__only_when_nothing_is_outstanding_and_back_when_something_is_again(work: Session) -> None:
    made = a_batch(2)
    operations.redeem(made.codes[0], by=sam())
    with pytest.raises(Conflict, match="outstanding"):
        operations.archive_batch(made.batch, by=root())
    operations.void_codes(made.batch, reason="Over", by=root())
    assert operations.archive_batch(made.batch, by=root()) and not operations.archive_batch(made.batch, by=root())
    report = Batches()
    asked = [report.count(report.read_view({"state": [state]} if state else {}), root()) for state in ("", "running", "archived", "any")]
    assert asked == [0, 0, 1, 1]
    assert operations.unarchive_batch(made.batch, by=root()) and not operations.unarchive_batch(made.batch, by=root())
    operations.archive_batch(made.batch, by=root())
    operations.undo_void(made.batch, the_void(work, made.batch), by=root())
    assert made.batch.archived_at is None


def test_batches_archive__batches_unarchive__and_the_undo_of_the_toast(as_root: Browser, as_ada: Browser, api_root: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        batch = a_batch(1, label="Old batch").batch
        operations.void_codes(batch, reason="Over", by=root())
    path, where = f"/admin/vouchers/batches/{batch.id}", "/admin/vouchers/batches"
    as_ada.post(f"{path}/archive", status=403)
    as_root.post(f"{path}/archive", status=303)
    page = as_root.get(where, status=200)
    undo = page.all("//*[contains(@class, 'toast')]//form/@action")[0]
    assert "Old batch" not in page.text("//table") and "Old batch" in as_root.get(f"{where}?state=archived", status=200).text("//table")
    as_root.post(str(undo), status=303)
    assert "Old batch" in as_root.get(where, status=200).text("//table")
    as_root.post(f"{path}/archive", status=303)
    assert "lies in the archive" in as_root.get(path, status=200).words
    as_root.post(f"{path}/unarchive", status=303)
    assert api_root.post(f"/vouchers/batches/{batch.id}/archive")["id"] == str(batch.id)
    api_root.post(f"/vouchers/batches/{batch.id}/unarchive")
