"""Saved views, schedules with their runs, and downloads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import contains_eager

from lms.core import db
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.models import Outbox, Plan
from lms.reporting.errors import NoView
from lms.reporting.models import Download, Run, SavedView, Schedule
from lms.reporting.queries.lists import find_report


def _views() -> Select[SavedView]:
    return select(SavedView).join(SavedView.owner).options(contains_eager(SavedView.owner)).order_by(SavedView.title, SavedView.id)


def _schedules() -> Select[Schedule]:
    return (
        select(Schedule)
        .join(Schedule.view)
        .join(Schedule.owner)
        .options(contains_eager(Schedule.view), contains_eager(Schedule.owner))
        .order_by(Schedule.next_run_at, Schedule.id)
    )


def get_view(view_id: UUID, *, deleted: bool = False) -> SavedView:
    """One saved view with its owner; deleted ones only when asked for."""
    found = db.session().scalars(_views().where(SavedView.id == view_id)).one_or_none()
    if found is None or (found.deleted_at is not None and not deleted):
        raise NoView(_("This view is not here any more."))
    return found


def views_for(by: Actor) -> Sequence[SavedView]:
    """A person's own views and the shared ones, by title, with their owners."""
    mine = or_(SavedView.user_id == by.user_id, SavedView.is_shared)
    return db.session().scalars(_views().where(mine, SavedView.deleted_at.is_(None))).all()


def views_of_report(report: str, by: Actor) -> Sequence[SavedView]:
    """A person's own views of one list and the shared ones."""
    mine = or_(SavedView.user_id == by.user_id, SavedView.is_shared)
    return db.session().scalars(_views().where(mine, SavedView.report == report, SavedView.deleted_at.is_(None))).all()


PINNED = """
    SELECT id, report, title, query, path FROM reporting.views
    WHERE channel_id = %(channel)s AND deleted_at IS NULL AND (pin = 'all' OR (pin = 'me' AND user_id = %(user_id)s)) AND pin <> ''
    ORDER BY title, id LIMIT 12
"""


def pinned_views(by: Actor) -> list[Any]:
    """The views on a person's dashboard, of lists they may see: id, report, title, query, path. One query."""
    return [row for row in db.rows(PINNED, user_id=by.user_id) if (report := find_report(row.report)) is not None and report.allowed(by)]


DEFAULT_QUERY = """
    SELECT query FROM reporting.views
    WHERE channel_id = %(channel)s AND user_id = %(user_id)s AND report = %(report)s AND is_default AND deleted_at IS NULL
"""


def default_query(report: str, user_id: UUID | None) -> str:
    """The query string a person wants a list to open with; "" when none was chosen."""
    if user_id is None:
        return ""
    found = db.rows(DEFAULT_QUERY, user_id=user_id, report=report)
    return str(found[0].query) if found else ""


def get_schedule(schedule_id: UUID, *, deleted: bool = False) -> Schedule:
    """One schedule with its view and owner; one that lies in the bin only when asked for."""
    found = db.session().scalars(_schedules().where(Schedule.id == schedule_id)).one_or_none()
    if found is None or (found.deleted_at is not None and not deleted):
        raise NoView(_("This schedule is not here any more."))
    return found


def schedules_for(by: Actor) -> Sequence[Schedule]:
    """A person's own schedules (everybody's for admins), the next due first, with views and owners."""
    query = _schedules().where(SavedView.deleted_at.is_(None), Schedule.deleted_at.is_(None))
    return db.session().scalars(query if by.is_admin else query.where(Schedule.user_id == by.user_id)).all()


def due_schedules(moment: datetime) -> Sequence[Schedule]:
    """The schedules whose time has come, each held by this transaction; others leave them alone."""
    alive = select(SavedView.id).where(SavedView.deleted_at.is_(None))
    stands = (Schedule.is_on, Schedule.deleted_at.is_(None), Schedule.view_id.in_(alive))
    query = select(Schedule).where(Schedule.next_run_at <= moment, *stands)
    return db.session().scalars(query.order_by(Schedule.next_run_at).with_for_update(skip_locked=True)).all()


def get_run(run_id: UUID, *, lock: bool = False) -> Run:
    """One run, held when asked to."""
    query = select(Run).where(Run.id == run_id)
    query = query.with_for_update().execution_options(populate_existing=True) if lock else query
    found = db.session().scalars(query).one_or_none()
    if found is None:
        raise NoView(_("This run is not here any more."))
    return found


def runs_of(schedule_id: UUID, *, limit: int = 20) -> Sequence[Run]:
    """The newest runs of a schedule."""
    return db.session().scalars(select(Run).where(Run.schedule_id == schedule_id).order_by(Run.due_at.desc()).limit(limit)).all()


def old_runs(before: datetime) -> Sequence[Run]:
    """Runs made before the moment whose file is still kept."""
    return db.session().scalars(select(Run).where(Run.made_at < before, Run.key != "").limit(1000)).all()


def get_download(download_id: UUID, *, deleted: bool = False) -> Download:
    """One download; one that lies in the bin only when asked for."""
    found = db.session().scalars(select(Download).where(Download.id == download_id)).one_or_none()
    if found is None or (found.deleted_at is not None and not deleted):
        raise NoView(_("This file is not here any more."))
    return found


def downloads_of(user_id: UUID, *, limit: int = 50) -> Sequence[Download]:
    """A person's downloads, newest first."""
    query = select(Download).where(Download.user_id == user_id, Download.deleted_at.is_(None))
    query = query.order_by(Download.created_at.desc(), Download.id.desc())
    return db.session().scalars(query.limit(limit)).all()


def refused_by(user_id: UUID, *, limit: int = 20) -> Sequence[Plan]:
    """A person's bulk acts that left rows out, newest first: their files say why."""
    query = select(Plan).where(Plan.made_by == user_id, Plan.refused_count > 0, Plan.forgotten_at.is_(None), ~Plan.is_single)
    return db.session().scalars(query.order_by(Plan.created_at.desc()).limit(limit)).all()


def waiting_downloads(user_id: UUID) -> int:
    """How many files are being made for a person."""
    return len(db.session().scalars(select(Download.id).where(Download.user_id == user_id, Download.state == "waiting")).all())


def expired_downloads(moment: datetime) -> Sequence[Download]:
    """Downloads past their time that have not been taken away yet."""
    return db.session().scalars(select(Download).where(Download.expires_at < moment, Download.state != "expired").limit(1000)).all()


def progress_of(downloads: Sequence[Download]) -> dict[UUID, Outbox]:
    """The job of each download that is still in the making, by the download's id."""
    wanted = {download.job_id: download.id for download in downloads if download.state == "waiting" and download.job_id}
    rows = db.session().scalars(select(Outbox).where(Outbox.id.in_(wanted))) if wanted else ()
    return {wanted[row.id]: row for row in rows}
