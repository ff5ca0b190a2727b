"""Door 2: moderating the room of a session: who only reads, how fast people may write."""

from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.policies import can_manage_people
from lms.channels.queries import get_member
from lms.chat import operations, policies, queries
from lms.chat.forms import MuteForm, SlowForm
from lms.core.i18n import gettext as _
from lms.streaming.queries import Standing, get_standing
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.toasts import toast

bp = Blueprint("chat_admin", __name__, url_prefix="/admin/chat")


@bp.route("/rooms/<uuid:room_id>")
def rooms_show(room_id: UUID) -> ResponseReturnValue:
    """One room under moderation: its reports, its mutes, its pace."""
    standing = _moderated(room_id)
    return render_template(
        "chat/admin/rooms_show.html", **_room(standing, SlowForm(data={"seconds": queries.get_room(room_id).slow_seconds}))
    )


@bp.route("/messages/<uuid:message_id>")
def messages_show(message_id: UUID) -> ResponseReturnValue:
    """One message with its author, for a case about it (a piece)."""
    line, room_id = queries.get_line(message_id)
    _moderated(room_id)
    return fragment("chat/admin/_message.html", page=url_for(".rooms_show", room_id=room_id), line=line, message_id=message_id)


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """What one person wrote and others reported (a piece of their page)."""
    person = get_member(user_id)
    allow(can_manage_people(actor()))
    page = url_for("channels_admin.people_messages", user_id=user_id)
    return fragment("chat/admin/_people_show.html", page=page, person=person, reported=queries.reported_of(user_id))


@bp.route("/rooms/<uuid:room_id>/mutes", methods=["POST"])
def rooms_mutes(room_id: UUID) -> ResponseReturnValue:
    """Let a person only read for some minutes, or write again."""
    standing, form = _moderated(room_id), MuteForm()
    if not form.validate():
        return invalid("chat/admin/rooms_show.html", page="chat/admin/rooms_show.html", **_room(standing, SlowForm(formdata=None)))
    person = get_member(UUID(form.user_id.data))
    operations.mute_person(standing, person, minutes=form.minutes.data or 0, by=actor())
    words = _("%(name)s only reads for %(minutes)s minutes.", name=person.name, minutes=form.minutes.data)
    toast(words if form.minutes.data else _("%(name)s may write again.", name=person.name))
    return moved(url_for(".rooms_show", room_id=room_id))


@bp.route("/rooms/<uuid:room_id>/slow", methods=["POST"])
def rooms_slow(room_id: UUID) -> ResponseReturnValue:
    """Set the pace of the room."""
    standing, form = _moderated(room_id), SlowForm()
    if not form.validate():
        return invalid("chat/admin/rooms_show.html", page="chat/admin/rooms_show.html", **_room(standing, form))
    operations.slow_room(standing, seconds=form.seconds.data or 0, by=actor())
    toast(_("Slow mode is on.") if form.seconds.data else _("Slow mode is off."))
    return moved(url_for(".rooms_show", room_id=room_id))


def _moderated(room_id: UUID) -> Standing:
    standing = get_standing(room_id, actor().user_id)
    allow(policies.can_moderate(actor(), standing.session, standing.instructor_id))
    return standing


def _room(standing: Standing, form: SlowForm) -> dict[str, object]:
    room_id = standing.session.id
    return {
        "session": standing.session,
        "reported": queries.reported_lines(room_id),
        "lines": queries.last_lines(room_id),
        "mutes": queries.mutes_of(room_id),
        "form": form,
    }
