"""Who signed in: each time, and person by person."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Select, and_, case, func, select, true

from lms.auth.models import BROWSERS, SYSTEMS, SignInSession
from lms.channels.models import Member
from lms.channels.reports import ROLES, people_by
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Period, Report
from lms.core.reports.fields import Words
from lms.reporting import policies


def _kind(marks: Any, device: Any) -> Any:
    return case(*((device.contains(mark), name) for mark, name in marks), else_="")


DEVICE = func.concat_ws(
    " · ", func.nullif(_kind(BROWSERS, SignInSession.device), ""), func.nullif(_kind(SYSTEMS, SignInSession.device), "")
)


class SignIns(Report):
    """Each time somebody signed in: when, with what, from where."""

    name = "reporting.sign_ins"
    title = _l("Sign-ins")
    lead = _l("Each time somebody signed in: when, with what, and from where.")
    key = SignInSession.id
    href = "/admin/channels/people/{user_id}"
    sort = "-created_at"
    figures: ClassVar[Mapping[str, Words]] = {
        "sign_ins": _l("Each time somebody signed in on one of these days of the academy's own zone; twice on a day counts twice."),
    }
    empty = ("log-in", _l("Nobody has signed in yet"), "")
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/channels/people/{user_id}", nullable=False),
        Column("email", _l("E-mail"), Member.email, nullable=False),
        Column("created_at", _l("Signed in"), SignInSession.created_at, kind="time", nullable=False),
        Column("seen_at", _l("Last seen"), SignInSession.seen_at, kind="time", nullable=False),
        Column("ended_at", _l("Signed out"), SignInSession.ended_at, kind="time"),
        Column("device", _l("Browser"), func.coalesce(func.nullif(DEVICE, ""), func.left(SignInSession.device, 60)), sortable=False),
        Column("address", _l("Address"), SignInSession.address, shown=False),
        Column("user_id", _l("Person id"), SignInSession.user_id, shown=False),
    )
    filters = (
        Period("created", _l("Signed in"), SignInSession.created_at),
        Flag("open", _l("Still signed in"), and_(SignInSession.ended_at.is_(None), SignInSession.expires_at > func.now())),
    )
    search = (Member.name, Member.email)

    def query(self, by: Actor) -> Select[Any]:
        """Every sign-in of the channel."""
        return select(SignInSession).join(Member, Member.id == SignInSession.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)


SIGNED_IN = (
    select(
        func.count().label("times"),
        func.max(SignInSession.created_at).label("last_at"),
        func.count().filter(and_(SignInSession.ended_at.is_(None), SignInSession.expires_at > func.now())).label("open"),
        func.string_agg(func.nullif(DEVICE, "").distinct(), ", ").label("devices"),
    )
    .where(SignInSession.channel_id == Member.channel_id, SignInSession.user_id == Member.id)
    .correlate(Member)
    .lateral("signed_in")
)


class Logins(Report):
    """Each person's sign-ins added up: the last one, how many, and with what."""

    name = "reporting.logins"
    title = _l("Sign-ins by person")
    lead = _l("When each person signed in last, how often, and with which browsers.")
    key = Member.id
    href = "/admin/channels/people/{id}"
    sort = "-seen_at"
    empty = ("log-in", _l("Nobody here yet"), _l("Each person gets a row here."))
    figures: ClassVar[Mapping[str, Words]] = {
        "logins": _l("Everybody of the academy with all the times they ever signed in; a browser they stayed signed in with counts once."),
    }
    columns = (
        Column("name", _l("Person"), Member.name, href="/admin/channels/people/{id}"),
        Column("email", _l("E-mail"), Member.email),
        Column("role", _l("Role"), Member.role, kind="state", words=dict(ROLES), shown=False),
        Column("seen_at", _l("Last here"), Member.seen_at, kind="time"),
        Column("last_at", _l("Last sign-in"), SIGNED_IN.c.last_at, kind="time", sortable=False, nullable=True),
        Column("times", _l("Sign-ins"), SIGNED_IN.c.times, kind="int", sortable=False, nullable=False),
        Column("open", _l("Signed in now"), SIGNED_IN.c.open, kind="int", sortable=False, nullable=False, shown=False),
        Column("devices", _l("Browsers"), SIGNED_IN.c.devices, sortable=False, nullable=True),
    )
    filters = (
        Choice("role", _l("Role"), Member.role, options=ROLES),
        Period("seen", _l("Last here"), Member.seen_at),
        Flag("never", _l("Never here"), Member.seen_at.is_(None)),
    )
    search = (people_by(Member.id),)

    def query(self, by: Actor) -> Select[Any]:
        """Everybody but the deleted, with what their sign-ins add up to."""
        return self.bare(by).outerjoin(SIGNED_IN, true())

    def bare(self, by: Actor) -> Select[Any]:
        """Everybody but the deleted."""
        return select(Member).where(Member.status != "deleted")

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)
