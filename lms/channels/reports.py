"""Lists of channels: the people."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Select, select

from lms.channels.models import Member
from lms.channels.queries import name_of
from lms.core.decisions import Actor
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Only, Period, Report, Sought
from lms.core.reports.fields import Words

ROLES = (("student", _l("Student")), ("instructor", _l("Instructor")), ("admin", _l("Admin")), ("owner", _l("Owner")))
STATUSES = (("active", _l("Active")), ("invited", _l("Invited")), ("suspended", _l("Suspended")))


def people_by(key: Any) -> Sought:
    """Search among people by their name and address, for a list whose column `key` holds their ids."""
    return Sought(key, (Member.name, Member.email), "channels.find_members")


def of_person(key: Any) -> Only:
    """What belongs to one person, for a list whose column `key` holds people's ids; links from the person's page set it."""
    return Only("person", _l("Person"), key, name_of)


class People(Report):
    """Everybody of the channel."""

    name = "channels.people"
    title = _l("People")
    lead = _l("Everybody who learns, teaches or works here.")
    key = Member.id
    href = "/admin/channels/people/{id}"
    path = "/admin/channels/people"
    sort = "name"
    empty = ("users", _l("Nobody here yet"), _l("Invite somebody, or let students register themselves."))
    figures: ClassVar[Mapping[str, Words]] = {
        "here": _l(
            "People who opened a page or learnt something while signed in, the last time on one of these days of the academy's own zone."
        ),
    }
    columns = (
        Column("name", _l("Name"), Member.name, href="/admin/channels/people/{id}"),
        Column("email", _l("E-mail"), Member.email),
        Column(
            "role",
            _l("Role"),
            Member.role,
            kind="state",
            words=dict(ROLES),
            tones={"admin": "primary", "owner": "primary", "instructor": "info"},
        ),
        Column(
            "status",
            _l("Status"),
            Member.status,
            kind="state",
            words=dict(STATUSES),
            tones={"active": "success", "invited": "warning", "suspended": "danger"},
        ),
        Column("joined_at", _l("Joined"), Member.joined_at, kind="time"),
        Column("seen_at", _l("Last here"), Member.seen_at, kind="time", shown=False),
        Column("title", _l("Title"), Member.title, shown=False, sortable=False),
        Column("phone", _l("Phone"), Member.phone, shown=False, sortable=False),
    )
    filters = (
        Choice("role", _l("Role"), Member.role, options=ROLES),
        Choice("status", _l("Status"), Member.status, options=STATUSES),
        Period("joined", _l("Joined"), Member.joined_at),
        Period("seen", _l("Last here"), Member.seen_at),
    )
    search = (people_by(Member.id),)

    def bare(self, by: Actor) -> Select[Any]:
        """There is nothing to leave out."""
        return self.query(by)

    def query(self, by: Actor) -> Select[Any]:
        """Everybody but the deleted."""
        return select(Member).where(Member.status != "deleted")
