"""May this actor…? about views, schedules, downloads and figures."""

from lms.core.decisions import Actor, Decision, admins, no, staff, yes
from lms.core.i18n import gettext as _
from lms.core.reports import Report
from lms.reporting.models import Download, SavedView, Schedule


def can_see_reports(actor: Actor) -> Decision:
    """Everybody who works here has lists to see."""
    return staff(actor)


def can_see_figures(actor: Actor) -> Decision:
    """The whole academy's figures are its admins'."""
    return admins(actor)


def can_read(actor: Actor, report: Report) -> Decision:
    """A list decides itself who may see it."""
    return report.allowed(actor)


def can_open_view(actor: Actor, view: SavedView, report: Report) -> Decision:
    """One's own views and shared ones, of lists one may see."""
    if view.user_id != actor.user_id and not view.is_shared:
        return staff(actor) & no(_("This view is somebody else's and is not shared."), rule="own_view")
    return report.allowed(actor)


def can_edit_view(actor: Actor, view: SavedView) -> Decision:
    """A view is changed by its owner; a shared one by admins too."""
    if view.user_id == actor.user_id or (view.is_shared and actor.is_admin):
        return staff(actor)
    return staff(actor) & no(_("Only its owner can change this view. Save your own under another name."), rule="own_view")


def can_edit_schedule(actor: Actor, schedule: Schedule) -> Decision:
    """A schedule is changed by its owner and by admins."""
    if schedule.user_id == actor.user_id:
        return staff(actor)
    return admins(actor)


def can_write_to(actor: Actor, is_outside: bool) -> Decision:
    """Lists go to members on anybody's word who may see them; to others only on an admin's."""
    if is_outside and not actor.is_admin:
        return no(_("Only an admin can send lists to people outside the academy."), rule="outside")
    return yes()


def can_fetch(actor: Actor, download: Download) -> Decision:
    """A download is its person's alone."""
    if download.user_id == actor.user_id:
        return staff(actor)
    return staff(actor) & no(_("This file was made for somebody else."), rule="own_download")
