"""Who may read, write and moderate in the room of a session."""

from datetime import datetime
from uuid import UUID

from lms.core.decisions import Actor, Decision, no, yes
from lms.core.i18n import gettext as _
from lms.streaming import policies as streaming
from lms.streaming.models import Session
from lms.streaming.queries import Standing


def can_read(actor: Actor, standing: Standing) -> Decision:
    """Read a room: whoever may see its session."""
    return streaming.can_see(actor, standing.session, standing.instructor_id, enrolled=standing.enrolled)


def can_moderate(actor: Actor, session: Session, instructor_id: UUID) -> Decision:
    """Delete others' messages, mute, slow the room: whoever runs the session."""
    return streaming.can_run(actor, session, instructor_id)


def can_post(actor: Actor, standing: Standing, *, muted_until: datetime | None, at: datetime) -> Decision:
    """Write in a room: whoever may read it, while it is open and nobody muted them."""
    reads = can_read(actor, standing)
    if not reads:
        return reads
    if standing.session.is_over:
        return no(_("This class is over; its chat can be read, not written."), rule="ended")
    if standing.session.state == "scheduled" and not can_moderate(actor, standing.session, standing.instructor_id):
        return no(_("The chat opens with the room, 15 minutes before the start."), rule="early")
    if muted_until is not None and muted_until > at:
        return no(_("The moderator asked you to only read for a while."), rule="muted")
    return yes()


def can_delete(actor: Actor, author_id: UUID, session: Session, instructor_id: UUID) -> Decision:
    """Delete a message: its author and the moderators."""
    if actor.user_id is not None and actor.user_id == author_id:
        return yes("own")
    if can_moderate(actor, session, instructor_id):
        return yes("moderator")
    return no(_("Only its author and the moderators can delete a message. You can report it."), rule="moderator")
