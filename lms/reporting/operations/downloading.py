"""Downloads: files made by a worker, for lists too long to wait for."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from lms.core import audit, bin, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid, Unauthenticated
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.reports import Report
from lms.core.storage import storage
from lms.reporting import queries
from lms.reporting.errors import CalledOff, TooManyDownloads
from lms.reporting.events import DownloadFailed, DownloadReady
from lms.reporting.models import FORMATS, Download
from lms.reporting.operations.making import Made
from lms.reporting.operations.viewing import canonical_view

KEPT = timedelta(days=7)
RUNS_KEPT = timedelta(days=14)
AT_ONCE = 5
BIN = "download"


def begin_download(report: Report, query: str, ending: str, *, by: Actor) -> Download:
    """Note that somebody wants the file of a view; a job makes it."""
    if by.user_id is None:
        raise Unauthenticated(_("Sign in first."))
    if ending not in FORMATS:
        raise Invalid(_("A list comes as csv or xlsx."))
    if queries.waiting_downloads(by.user_id) >= AT_ONCE:
        raise TooManyDownloads(_("%(count)s files are being made for you. Wait for one of them.", count=AT_ONCE))
    view = canonical_view(report, query, by.zone)
    made = Download(
        user_id=by.user_id,
        report=report.name,
        query=view.query_string(),
        format=ending,
        zone=by.zone,
        locale=by.locale,
        expires_at=now() + KEPT,
    )
    db.session().add(made)
    db.session().flush()
    audit.record(
        "reporting.download", made, by=by, name=str(report.title), after={"report": report.name, "query": made.query, "format": ending}
    )
    return made


def cancel_download(download: Download, *, by: Actor) -> bool:
    """Call off a file that is being made; false when there is nothing left to call off. The worker stops at its next thousand rows."""
    gone = update(Download).where(Download.id == download.id, Download.state == "waiting").values(state="cancelled").returning(Download.id)
    if db.session().scalar(gone.execution_options(synchronize_session=False)) is None:
        return False
    db.session().refresh(download)
    audit.record("reporting.cancel_download", download, by=by, after={"report": download.report})
    return True


def check_wanted(download_id: UUID) -> None:
    """Raise CalledOff when nobody waits for a file any more."""
    if db.session().scalar(select(Download.state).where(Download.id == download_id)) != "waiting":
        raise CalledOff(_("This file was called off."))


def finish_download(download: Download, report: Report, made: Made, key: str) -> None:
    """Note that the file is there, and say so; the file of one that was called off meanwhile is thrown away."""
    db.session().refresh(download, with_for_update=True)
    if download.state == "cancelled":
        storage().delete(key)
    if download.state != "waiting":
        return
    download.state, download.key, download.filename, download.size = "ready", key, made.filename, made.size
    download.row_count, download.checksum, download.ready_at = made.count, made.checksum, now()
    download.expires_at = now() + KEPT
    emit(
        DownloadReady(
            download_id=download.id,
            user_id=download.user_id,
            title=str(report.title),
            row_count=made.count,
            expires_at=download.expires_at,
        )
    )


def refuse_download(download: Download, title: str, reason: str) -> None:
    """Note why the file cannot be made, and say so."""
    if download.state == "waiting":
        download.state, download.failure = "failed", reason
        emit(DownloadFailed(download_id=download.id, user_id=download.user_id, title=title, reason=reason))


def delete_download(download: Download, *, by: Actor) -> None:
    """Put a file into the bin, where it lies until its time is over; deleting twice changes nothing."""
    if download.state != "expired" and download.deleted_at is None:
        audit.update(download, "reporting.delete_download", by=by, deleted_at=now())
        bin.put(BIN, download.id, download.filename or download.report, by=by)


def restore_download(download: Download, *, by: Actor) -> None:
    """Bring a file back; twice changes nothing. Raises Conflict when its time is over."""
    if download.deleted_at is None:
        return
    bin.expect_kept(BIN, download.id)
    if download.state == "expired":
        raise Conflict(_("The time of this file is over. Have it made again from its list."), rule="expired")
    audit.update(download, "reporting.restore_download", by=by, deleted_at=None)
    bin.take_out(BIN, [download.id], by=by)


def purge_download(download_id: UUID) -> None:
    """Take a file of the bin away for good."""
    for download in db.session().scalars(select(Download).where(Download.id == download_id, Download.deleted_at.is_not(None))):
        _drop(download)


def expire_files() -> int:
    """Take away downloads past their time, and the files of runs whose links have ended; the number of files."""
    gone = 0
    for download in queries.expired_downloads(now()):
        _drop(download)
        gone += 1
    for run in queries.old_runs(now() - RUNS_KEPT):
        storage().delete(run.key)
        run.key = ""
        gone += 1
    return gone


def _drop(download: Download) -> None:
    if download.key:
        storage().delete(download.key)
    download.state, download.key = "expired", ""
