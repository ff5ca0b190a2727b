"""Downloads: files made by a worker."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.storage import storage
from lms.reporting import jobs, operations, policies, queries
from lms.reporting.admin.door import asked_query, asked_report, bp
from lms.reporting.errors import NoView
from lms.web.access import actor, allow
from lms.web.answers import fragment, moved
from lms.web.toasts import toast

SECONDS = 300


@bp.route("/downloads")
def downloads() -> ResponseReturnValue:
    """My files, newest first, each with how far it is."""
    allow(policies.can_see_reports(actor()))
    user_id = actor().user_id
    if user_id is None:
        raise Unauthenticated(_("Sign in first."))
    found = queries.downloads_of(user_id)
    titles = {name: str(report.title) for name, report in ((one.report, queries.find_report(one.report)) for one in found) if report}
    return render_template(
        "reporting/admin/downloads.html",
        downloads=found,
        jobs=queries.progress_of(found),
        titles=titles,
        refused=queries.refused_by(user_id),
    )


@bp.route("/downloads/start", methods=["POST"])
def downloads_start() -> ResponseReturnValue:
    """Have the file of a view made."""
    report = asked_report()
    allow(policies.can_read(actor(), report))
    download = operations.begin_download(report, asked_query(), request.form.get("format", "csv"), by=actor())
    download.job_id = jobs.make_download.put({"download_id": download.id})
    toast(_("The file is being made. You can go on working; you will be told when it is there."))
    return moved(url_for(".downloads"))


@bp.route("/downloads/<uuid:download_id>/status")
def downloads_status(download_id: UUID) -> ResponseReturnValue:
    """How far one file is."""
    download = queries.get_download(download_id)
    allow(policies.can_fetch(actor(), download))
    report = queries.find_report(download.report)
    title = str(report.title) if report else download.report
    job = queries.progress_of([download]).get(download.id)
    return fragment("reporting/admin/_download.html", page=url_for(".downloads"), download=download, job=job, title=title)


@bp.route("/downloads/<uuid:download_id>/file")
def downloads_file(download_id: UUID) -> ResponseReturnValue:
    """The file itself."""
    download = queries.get_download(download_id)
    allow(policies.can_fetch(actor(), download))
    if download.state != "ready":
        raise NoView(_("This file is not here any more. Have it made again."))
    return redirect(storage().get_url(download.key, SECONDS, filename=download.filename), 302)


@bp.route("/downloads/<uuid:download_id>/cancel", methods=["POST"])
def downloads_cancel(download_id: UUID) -> ResponseReturnValue:
    """Call off a file that is being made."""
    download = queries.get_download(download_id)
    allow(policies.can_fetch(actor(), download))
    is_off = operations.cancel_download(download, by=actor())
    toast(_("The file is called off.") if is_off else _("There was nothing left to call off."))
    return moved(url_for(".downloads"))


@bp.route("/downloads/<uuid:download_id>/delete", methods=["POST"])
def downloads_delete(download_id: UUID) -> ResponseReturnValue:
    """Put a file into the bin before its time."""
    download = queries.get_download(download_id, deleted=True)
    allow(policies.can_fetch(actor(), download))
    operations.delete_download(download, by=actor())
    toast(_("The file is deleted."), undo=url_for(".downloads_restore", download_id=download.id))
    return moved(url_for(".downloads"))


@bp.route("/downloads/<uuid:download_id>/restore", methods=["POST"])
def downloads_restore(download_id: UUID) -> ResponseReturnValue:
    """Bring a deleted file back."""
    download = queries.get_download(download_id, deleted=True)
    allow(policies.can_fetch(actor(), download))
    operations.restore_download(download, by=actor())
    toast(_("The file is back."))
    return moved(url_for(".downloads"))
