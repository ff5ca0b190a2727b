"""Lists of content: every file, and what became of it."""

from typing import Any

from sqlalchemy import Select, extract, select

from lms.channels.models import Member
from lms.content.models import Asset
from lms.core.decisions import Actor, Decision, staff
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report

STATES = (
    ("uploading", _l("Uploading")),
    ("checking", _l("Waiting")),
    ("processing", _l("Being prepared")),
    ("ready", _l("Ready")),
    ("failed", _l("Failed")),
)
KINDS = (("video", _l("Video")), ("audio", _l("Sound")), ("image", _l("Picture")), ("document", _l("Document")), ("file", _l("Other file")))
TONES = {"ready": "success", "failed": "danger", "processing": "info", "checking": "info", "uploading": "warning"}


class Assets(Report):
    """Every file, newest first; instructors see their own."""

    name = "content.assets"
    path = "/admin/content/assets"
    title = _l("Files")
    lead = _l("Videos, sound, pictures and documents: how big, how long, and how long it took to prepare them.")
    key = Asset.id
    href = "/admin/content/assets/{id}"
    sort = "-created_at"
    empty = ("film", _l("No files yet"), _l("Upload one here, or in a lesson."))
    columns = (
        Column("filename", _l("File"), Asset.filename),
        Column("kind", _l("Kind"), Asset.kind, kind="state", words=dict(KINDS)),
        Column("state", _l("State"), Asset.state, kind="state", words=dict(STATES), tones=TONES),
        Column("size", _l("Size"), Asset.size, kind="bytes", total=True),
        Column("duration_seconds", _l("Length"), Asset.duration_seconds, kind="duration", total=True),
        Column("processing", _l("Time to prepare"), extract("epoch", Asset.ready_at - Asset.started_at), kind="duration", total=True),
        Column("made_bytes", _l("Made of it"), Asset.made_bytes, kind="bytes", total=True, shown=False),
        Column("owner", _l("Owner"), Member.name),
        Column("created_at", _l("Uploaded"), Asset.created_at, kind="time"),
        Column("progress", _l("Percent"), Asset.progress, kind="int", shown=False),
        Column("failure", _l("Reason"), Asset.failure, shown=False),
        Column("sha256", _l("SHA-256"), Asset.sha256, shown=False),
    )
    filters = (
        Choice("state", _l("State"), Asset.state, options=STATES),
        Choice("kind", _l("Kind"), Asset.kind, options=KINDS),
        Period("created", _l("Uploaded"), Asset.created_at),
    )
    search = (Asset.filename, Member.name)

    def query(self, by: Actor) -> Select[Any]:
        """The files this person may look after."""
        found = select(Asset).join(Member, Member.id == Asset.owner_id).where(Asset.state != "deleted")
        return found if by.is_admin else found.where(Asset.owner_id == by.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Instructors and admins."""
        return staff(by)
