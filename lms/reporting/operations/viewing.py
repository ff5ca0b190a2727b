"""Saved views: a list as somebody likes it, under a name."""

from urllib.parse import parse_qs
from uuid import UUID

from sqlalchemy import select, update

from lms.core import audit, bin, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid, Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.reports import Report, View
from lms.reporting import queries
from lms.reporting.models import SavedView

MOST = 100
PINS = ("", "me", "all")


def save_view(
    report: Report,
    query: str,
    title: str,
    *,
    path: str = "",
    is_shared: bool = False,
    is_default: bool = False,
    pin: str = "",
    by: Actor,
) -> SavedView:
    """Keep a view of a list under a name; one's own view of that name is replaced."""
    user_id = _person(by)
    is_shared = _pinned(pin, is_shared, by)
    canonical, title = canonical_view(report, query, by.zone).query_string(), _title(title)
    found = db.session().scalar(
        select(SavedView).where(
            SavedView.user_id == user_id, SavedView.report == report.name, SavedView.title == title, SavedView.deleted_at.is_(None)
        )
    )
    if is_default:
        _no_other_default(user_id, report.name)
    if found is not None:
        audit.update(found, "reporting.save_view", by=by, query=canonical, path=path, is_shared=is_shared, is_default=is_default, pin=pin)
        return found
    if len(queries.views_for(by)) >= MOST:
        raise Invalid(_("There are %(count)s views already. Delete some that nobody uses.", count=MOST))
    made = SavedView(
        user_id=user_id, report=report.name, title=title, query=canonical, path=path, is_shared=is_shared, is_default=is_default, pin=pin
    )
    db.session().add(made)
    db.session().flush()
    audit.record("reporting.save_view", made, by=by, after={"report": report.name, "query": canonical, "is_shared": is_shared})
    return made


def edit_view(view: SavedView, *, title: str, is_shared: bool, is_default: bool, pin: str = "", by: Actor) -> bool:
    """Rename a view, share it or not, open its list with it or not, pin it or not; false when nothing changed."""
    title, is_shared = _title(title), _pinned(pin, is_shared, by)
    taken = select(SavedView.id).where(
        SavedView.user_id == view.user_id,
        SavedView.report == view.report,
        SavedView.title == title,
        SavedView.id != view.id,
        SavedView.deleted_at.is_(None),
    )
    if db.session().scalar(taken) is not None:
        raise Invalid(_("There is a view of that name already."), fields={"title": _("There is a view of that name already.")})
    if is_default and not view.is_default:
        _no_other_default(view.user_id, view.report)
    return audit.update(view, "reporting.edit_view", by=by, title=title, is_shared=is_shared, is_default=is_default, pin=pin)


def delete_view(view: SavedView, *, by: Actor) -> None:
    """Take a view away; its schedules rest until it is brought back. Deleting twice changes nothing."""
    if view.deleted_at is None:
        audit.update(view, "reporting.delete_view", by=by, deleted_at=now(), is_default=False)
        bin.put("view", view.id, view.title, by=by)


def restore_view(view: SavedView, *, by: Actor) -> None:
    """Bring a deleted view back; under a new name when the old one is taken."""
    if view.deleted_at is None:
        return
    bin.expect_kept("view", view.id)
    taken = select(SavedView.id).where(
        SavedView.user_id == view.user_id, SavedView.report == view.report, SavedView.title == view.title, SavedView.deleted_at.is_(None)
    )
    title = view.title if db.session().scalar(taken) is None else f"{view.title} ({now():%Y-%m-%d %H:%M:%S})"
    audit.update(view, "reporting.restore_view", by=by, deleted_at=None, title=title)
    bin.take_out("view", [view.id], by=by)


def canonical_view(report: Report, query: str, zone_name: str) -> View:
    """The view a query string asks for; raises Invalid when the list does not understand it."""
    return report.read_view(parse_qs(query.lstrip("?")[:4000], max_num_fields=100), zone_name=zone_name)


def _pinned(pin: str, is_shared: bool, by: Actor) -> bool:
    """Whether the view is shared by now: what is pinned for everybody is. Raises Invalid, beside the field."""
    if pin not in PINS:
        raise Invalid(_("Choose where to pin it."), fields={"pin": _("Choose where to pin it.")})
    if pin == "all" and not by.is_admin:
        sentence = _("Only an admin can pin a view for everybody. Pin it on your own dashboard, or ask an admin.")
        raise Invalid(sentence, fields={"pin": sentence})
    return is_shared or pin == "all"


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not 1 <= len(title) <= 120:
        raise Invalid(_("Give the view a name of up to 120 letters."), fields={"title": _("Give the view a name of up to 120 letters.")})
    return title


def _no_other_default(user_id: UUID, report: str) -> None:
    statement = update(SavedView).where(SavedView.user_id == user_id, SavedView.report == report, SavedView.is_default)
    db.session().execute(statement.values(is_default=False).execution_options(synchronize_session="fetch"))


def _person(by: Actor) -> UUID:
    if by.user_id is None:
        raise Unauthenticated(_("Sign in first."))
    return by.user_id
