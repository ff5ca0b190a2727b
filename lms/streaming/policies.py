"""Who may plan, run, see and join a live class."""

from datetime import datetime
from uuid import UUID

from lms.core.decisions import Actor, Decision, admins, no, signed_in, staff, yes
from lms.core.i18n import gettext as _
from lms.streaming.models import Session


def can_list(actor: Actor) -> Decision:
    """The list of sessions in the back office: staff; an instructor sees their own."""
    return staff(actor)


def can_schedule(actor: Actor, instructor_id: UUID | None = None) -> Decision:
    """Plan a class: an admin for any course, an instructor for a course of theirs."""
    if actor.is_admin:
        return admins(actor)
    if not staff(actor):
        return staff(actor)
    if instructor_id is None or instructor_id == actor.user_id:
        return yes("instructor")
    return no(_("Only the instructor of this course and admins can plan its live classes."), rule="instructor")


def can_run(actor: Actor, session: Session, instructor_id: UUID) -> Decision:
    """Change, open, start, end and cancel a class: admins, the course's instructor and the host."""
    if actor.is_admin:
        return admins(actor)
    if not staff(actor):
        return staff(actor)
    if actor.user_id in (instructor_id, session.host_id):
        return yes("instructor")
    return no(_("Only the instructor of this course and admins can run this class."), rule="instructor")


def can_see(actor: Actor, session: Session, instructor_id: UUID, *, enrolled: bool) -> Decision:
    """See the class and its chat: those who run it and those enrolled in the course."""
    if not actor.is_known and not actor.is_machine:
        return signed_in(actor)
    if can_run(actor, session, instructor_id):
        return yes("instructor")
    return yes("enrolled") if enrolled else no(_("You are not enrolled in this course. Enrol to join its live classes."), rule="enrolled")


def can_join(actor: Actor, session: Session, instructor_id: UUID, *, enrolled: bool, at: datetime) -> Decision:
    """Go into the room: those who may see it, while it is open to them."""
    seen = can_see(actor, session, instructor_id, enrolled=enrolled)
    if not seen:
        return seen
    if session.state == "cancelled":
        return no(_("This class was cancelled."), rule="cancelled")
    if session.is_over or (session.state == "open" and at >= session.ends_at):
        return no(_("This class is over."), rule="ended")
    if session.is_running and can_run(actor, session, instructor_id):
        return yes("instructor")
    if session.is_joinable(at):
        return yes("open")
    return no(_("The room is not open yet. It opens 15 minutes before the start."), rule="early")


def can_broadcast(actor: Actor, session: Session, instructor_id: UUID) -> Decision:
    """Send camera, screen and sound into a class: those who run it, when it is held in the browser and not over."""
    where = _("This class is not held in the browser. Choose that under Edit.")
    return _can_send(actor, session, instructor_id, fits=session.provider == "browser", where=where)


def can_stream(actor: Actor, session: Session, instructor_id: UUID) -> Decision:
    """Send a class over RTMP, and see its key: those who run it, when it is held that way and not over."""
    where = _("This class is not sent by OBS. Choose that under Edit.")
    return _can_send(actor, session, instructor_id, fits=session.provider == "rtmp", where=where)


def _can_send(actor: Actor, session: Session, instructor_id: UUID, *, fits: bool, where: str) -> Decision:
    """Whether this person may send a class; `where` says why not when it `fits` another way of sending."""
    runs = can_run(actor, session, instructor_id)
    if not runs:
        return runs
    if not fits:
        return no(where, rule="provider")
    if session.is_over:
        return no(_("This class is over. Plan a new one."), rule="ended")
    return yes("instructor")


def can_ask(*, known: bool) -> Decision:
    """Ask whether a stream is wanted: the nginx of this install, which knows the door."""
    return yes("door") if known else no(_("This address is not known."), rule="door")


def can_go_on(*, wanted: bool) -> Decision:
    """Go on sending: while the class is live and nothing newer came."""
    return yes("wanted") if wanted else no(_("Nothing more is taken of this stream."), rule="over")


def can_report(*, signed: bool) -> Decision:
    """Report what happens in an outside room: whoever signs with the academy's secret, within five minutes."""
    return yes("signature") if signed else no(_("The signature does not fit, or it is older than five minutes."), rule="signature")
