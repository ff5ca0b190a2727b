"""Lists of content: every file and what became of it, and the devices people watch on."""

from typing import Any

from sqlalchemy import Select, case, extract, func, literal, select
from sqlalchemy.orm import aliased

from lms.auth.models import BROWSERS, SYSTEMS
from lms.channels.models import Member
from lms.channels.reports import people_by
from lms.content.models import Asset, Device, Devices
from lms.core.decisions import Actor, Decision, admins, staff
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


Other = aliased(Device)
_others = select(func.count()).where(Other.channel_id == Device.channel_id, Other.user_id == Device.user_id).correlate(Device)
KNOWN = _others.where(Other.forgotten_at.is_(None)).scalar_subquery()
CHANGED = _others.where(
    Other.forgotten_by == Device.user_id, Other.forgotten_at > func.now() - func.make_interval(0, 0, 0, Devices.CHANGES.days)
).scalar_subquery()
DEVICE = func.concat_ws(
    " · ",
    case(*((Device.agent.contains(mark), literal(name)) for mark, name in BROWSERS)),
    case(*((Device.agent.contains(mark), literal(name)) for mark, name in SYSTEMS)),
)


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


class DevicesOfPeople(Report):
    """The devices people watch on, where an academy limits their number: who has how many, and who changes them often."""

    name = "content.devices"
    title = _l("Devices people watch on")
    lead = _l("Browsers and phones on which films were opened while their number is limited. Those given up stay in the list for a year.")
    key = Device.id
    href = "/admin/channels/people/{user_id}/sign-ins"
    sort = "-seen_at"
    empty = ("monitor", _l("No devices are counted"), _l("Say under Files, Watching on how many devices one person may watch."))
    columns = (
        Column("person", _l("Person"), Member.name, href="/admin/channels/people/{user_id}/sign-ins"),
        Column("email", _l("E-mail"), Member.email),
        Column("device", _l("Device"), DEVICE, sortable=False, nullable=False),
        Column("devices", _l("Devices of this person"), KNOWN, kind="int", nullable=False),
        Column("changes", _l("Given up in a month"), CHANGED, kind="int", nullable=False),
        Column("first_seen_at", _l("First here"), Device.first_seen_at, kind="time"),
        Column("seen_at", _l("Last here"), Device.seen_at, kind="time"),
        Column("forgotten_at", _l("Given up"), Device.forgotten_at, kind="time"),
        Column("user_id", _l("Person id"), Device.user_id, shown=False),
    )
    filters = (
        Choice(
            "state",
            _l("State"),
            lambda raw: Device.forgotten_at.is_(None) if raw == "known" else Device.forgotten_at.is_not(None),
            options=(("known", _l("Known")), ("gone", _l("Given up"))),
        ),
        Period("seen", _l("Last here"), Device.seen_at),
    )
    search = (people_by(Device.user_id),)

    def query(self, by: Actor) -> Select[Any]:
        """Every device that is known or was given up lately, with its person."""
        return select(Device).join(Member, Member.id == Device.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return admins(by)
