"""What the audit log calls the acts on saved views, schedules and downloads, and which of them one click takes back."""

from typing import Any

from sqlalchemy import delete

from lms.core import bin, db
from lms.core.bin import Kind
from lms.core.decisions import Actor
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow
from lms.reporting import operations, policies, queries
from lms.reporting.models import SavedView, Schedule


def _put(view: SavedView, values: dict[str, Any], by: Actor) -> None:
    stands = {key: getattr(view, key) for key in ("title", "is_shared", "is_default")}
    operations.edit_view(view, **{**stands, **values}, by=by)


register(
    Deeds(
        "reporting",
        _l("Reports"),
        {
            "reporting.save_view": Deed(_l("saved the view"), "bookmark"),
            "reporting.edit_view": Deed(_l("changed the view"), "pencil"),
            "reporting.delete_view": Deed(_l("deleted the view"), "trash-2"),
            "reporting.restore_view": Deed(_l("brought the view back"), "undo-2"),
            "reporting.add_schedule": Deed(_l("had the list sent by mail"), "mail"),
            "reporting.edit_schedule": Deed(_l("changed when the list is sent"), "pencil"),
            "reporting.pause_schedule": Deed(_l("paused the mails of the list"), "pause"),
            "reporting.resume_schedule": Deed(_l("let the mails of the list go on"), "play"),
            "reporting.delete_schedule": Deed(_l("ended the mails of the list"), "trash-2"),
            "reporting.restore_schedule": Deed(_l("had the list sent by mail again"), "undo-2"),
            "reporting.send_now": Deed(_l("sent the list at once"), "send"),
            "reporting.unsubscribe": Deed(_l("left the mails of the list"), "user-minus"),
            "reporting.download": Deed(_l("had a file made of the list"), "download"),
            "reporting.cancel_download": Deed(_l("called off the file of the list"), "x"),
            "reporting.delete_download": Deed(_l("deleted the file of the list"), "trash-2"),
            "reporting.restore_download": Deed(_l("brought the file of the list back"), "undo-2"),
            "reporting.recount": Deed(_l("had the figures counted again"), "refresh-cw"),
        },
        {
            "views": Thing(_l("Saved view"), "/admin/reporting/views/{id}"),
            "schedules": Thing(_l("List by mail"), "/admin/reporting/schedules/{id}"),
            "downloads": Thing(_l("Download"), "/admin/reporting/downloads"),
            "daily": Thing(_l("Figures"), "/admin/reporting/usage"),
        },
        {
            "title": Label(_l("Name")),
            "query": Label(_l("View")),
            "is_shared": Label(_l("Shared"), "bool"),
            "is_default": Label(_l("Opens first"), "bool"),
            "recipients": Label(_l("Goes to")),
            "format": Label(_l("Format")),
            "deleted_at": Label(_l("Deleted"), "time"),
            "is_on": Label(_l("On"), "bool"),
        },
        {"reporting.edit_view": Revert(queries.get_view, policies.can_edit_view, _put)},
    )
)


def _restore(row: BinRow, by: Actor) -> None:
    operations.restore_view(queries.get_view(row.target_id, deleted=True), by=by)


def _purge(row: BinRow, by: Actor) -> None:
    db.session().execute(delete(SavedView).where(SavedView.id == row.target_id))


def _send_again(row: BinRow, by: Actor) -> None:
    operations.restore_schedule(queries.get_schedule(row.target_id, deleted=True), by=by)


def _end_for_good(row: BinRow, _by: Actor) -> None:
    db.session().execute(delete(Schedule).where(Schedule.id == row.target_id, Schedule.deleted_at.is_not(None)))


def _bring_file_back(row: BinRow, by: Actor) -> None:
    operations.restore_download(queries.get_download(row.target_id, deleted=True), by=by)


def _drop_file(row: BinRow, _by: Actor) -> None:
    operations.purge_download(row.target_id)


bin.register(Kind("schedule", _l("List by mail"), "mail", "reporting.schedules", _send_again, _end_for_good))
bin.register(Kind("download", _l("Download"), "download", "reporting.downloads", _bring_file_back, _drop_file))
bin.register(Kind("view", _l("Saved view"), "bookmark", "reporting.views", _restore, _purge))
