"""Who may upload, and who may look after a file."""

from datetime import datetime

from babel.dates import format_date

from lms.content.models import Asset, Device, Devices
from lms.core.clock import local_day
from lms.core.decisions import Actor, Decision, admins, no, staff, yes
from lms.core.i18n import gettext as _
from lms.core.i18n import locale


def can_upload(actor: Actor) -> Decision:
    """Instructors and admins upload."""
    return staff(actor)


def can_manage(actor: Actor, asset: Asset) -> Decision:
    """Admins look after every file, instructors after their own."""
    working_here = staff(actor)
    if not working_here or actor.is_admin or asset.owner_id == actor.user_id:
        return working_here
    return no(_("This file belongs to somebody else. Its owner or an admin can change it."), rule="owner")


def can_caption(actor: Actor, asset: Asset) -> Decision:
    """Captions and chapters: whoever looks after the file, when it is one that plays."""
    allowed = can_manage(actor, asset)
    if allowed and asset.kind not in ("video", "audio"):
        return no(_("Captions and chapters belong to videos and sound; this file does not play."), rule="kind")
    return allowed


def can_view(actor: Actor, asset: Asset) -> Decision:
    """Whoever may look after a file may view it in the back office; learners see it in their lessons."""
    return can_manage(actor, asset)


def can_rule(actor: Actor) -> Decision:
    """Say how videos may be watched: admins."""
    return admins(actor)


def can_play(grant_stands: bool) -> Decision:
    """Whoever holds a grant that still stands plays on."""
    if grant_stands:
        return yes("grant")
    return no(_("This video is closed here. Open the lesson again to go on."), rule="grant")


def is_counted(viewer: Actor) -> bool:
    """Whether the devices this person watches on are counted: not where they work here or look as somebody else."""
    return viewer.user_id is not None and not viewer.is_staff and viewer.viewer_id is None


def can_watch_on(viewer: Actor, devices: Devices, mark: str, *, at: datetime) -> Decision:
    """Whether this person may watch on the device of that mark: a known one, or a new one while there is a place."""
    if devices.most is None or not is_counted(viewer):
        return yes("uncounted")
    mine = devices.find(mark)
    if mine is not None and devices.holds_place(mine, at):
        return yes("device")
    used = devices.in_use(at)
    if len(used) < devices.most:
        return yes("new_device")
    names = ", ".join(one.name for one in used)
    if devices.most > 1:
        full = _("Films play on %(most)s of your devices, and those are %(names)s.", most=devices.most, names=names)
    else:
        full = _("Films play on one of your devices, and that is %(names)s.", names=names)
    changes = _may_change(viewer, devices, at)
    return no(f"{full} {changes.sentence or _('To watch here, forget one of them under Profile, Devices.')}", rule="devices")


def can_go_on_here(viewer: Actor, devices: Devices, mark: str) -> Decision:
    """Whether what plays on the device of that mark may go on: not once the person gave it up, or it would take its place back at once."""
    if devices.most is not None and is_counted(viewer) and devices.was_given_up(mark):
        return no(_("This device was forgotten. Open the lesson again to watch on it."), rule="forgotten")
    return yes("device")


def can_forget(actor: Actor, device: Device, devices: Devices, *, at: datetime) -> Decision:
    """Whether this person may take a device off the list: their own, now and then; admins anybody's, at any time."""
    if not actor.is_known and not actor.is_machine:
        return no(_("Sign in first."), rule="sign_in")
    if actor.is_admin and actor.user_id != device.user_id:
        return yes("admin")
    if actor.user_id != device.user_id:
        return no(_("This is somebody else's device."), rule="own")
    return _may_change(actor, devices, at)


def _may_change(actor: Actor, devices: Devices, at: datetime) -> Decision:
    again = devices.next_change(at)
    if again is None:
        return yes("own")
    sentence = _(
        "You changed your devices %(times)s times in %(days)s days. You can forget one again from %(day)s on, or ask the academy.",
        times=devices.MOST_CHANGES,
        days=devices.CHANGES.days,
        day=format_date(local_day(again, actor.zone), "d MMMM y", locale=locale()),
    )
    return no(sentence, rule="changes")
