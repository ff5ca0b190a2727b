"""Door 1: the room of a session to read and write in without script, and the ticket a browser opens its socket with."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, jsonify, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.chat import operations, policies, queries
from lms.chat.forms import FlagForm, MessageForm
from lms.core.clock import now
from lms.core.errors import Forbidden, NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.courses.queries import get_lesson
from lms.enrollments.policies import can_open
from lms.enrollments.queries import desk
from lms.streaming.queries import Standing, get_standing
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid
from lms.web.socket_doors import socket_url
from lms.web.toasts import toast

bp = Blueprint("chat", __name__, url_prefix="/chat")


@bp.route("/rooms/<uuid:room_id>")
def rooms_show(room_id: UUID) -> ResponseReturnValue:
    """The chat of a class as a page of its own."""
    standing = _entered(room_id)
    return render_template("chat/rooms_show.html", **_room(standing, MessageForm(formdata=None)))


@bp.route("/rooms/<uuid:room_id>/box")
def rooms_box(room_id: UUID) -> ResponseReturnValue:
    """The chat of a class as a piece of another page."""
    standing = _entered(room_id)
    return fragment("chat/_room.html", page=url_for(".rooms_show", room_id=room_id), **_room(standing, MessageForm(formdata=None)))


@bp.route("/rooms/<uuid:room_id>/messages", methods=["POST"])
def rooms_messages(room_id: UUID) -> ResponseReturnValue:
    """Post a message without a socket."""
    standing, form = _entered(room_id), MessageForm()
    if form.validate():
        try:
            operations.post_message(room_id, form.text.data or "", client_id=UUID(form.ref.data), by=actor())
            room = _room(standing, MessageForm(formdata=None))
            return changed("chat/_room.html", otherwise=url_for(".rooms_show", room_id=room_id, _anchor="chat-write"), **room)
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid("chat/_room.html", page="chat/rooms_show.html", **_room(standing, form))


@bp.route("/rooms/<uuid:room_id>/messages/<int:seq>/delete", methods=["POST"])
def rooms_messages_delete(room_id: UUID, seq: int) -> ResponseReturnValue:
    """Take a message out of sight."""
    standing = _entered(room_id)
    message = queries.get_message(room_id, seq)
    allow(policies.can_delete(actor(), message.author_id, standing.session, standing.instructor_id))
    operations.delete_message(message, by=actor())
    room = _room(standing, MessageForm(formdata=None))
    return changed("chat/_room.html", otherwise=url_for(".rooms_show", room_id=room_id), **room)


@bp.route("/rooms/<uuid:room_id>/messages/<int:seq>/flag", methods=["GET", "POST"])
def rooms_messages_flag(room_id: UUID, seq: int) -> ResponseReturnValue:
    """Report a message to the moderators, with a reason when one is given."""
    _entered(room_id)
    message, form, page = queries.get_message(room_id, seq), FlagForm(), "chat/rooms_messages_flag.html"
    if not form.is_submitted():
        return render_template(page, form=form, message=message)
    if not form.validate():
        return invalid(page, page=page, form=form, message=message)
    operations.flag_message(message, reason=form.reason.data or "", by=actor())
    toast(_("The moderators will look at it."))
    standing = get_standing(room_id, actor().user_id)
    room = _room(standing, MessageForm(formdata=None))
    return changed("chat/_room.html", otherwise=url_for(".rooms_show", room_id=room_id), **room)


@bp.route("/rooms/<uuid:room_id>/tickets", methods=["POST"])
def rooms_tickets(room_id: UUID) -> ResponseReturnValue:
    """A one-time ticket for this browser's socket, and where to use it."""
    _entered(room_id)
    if actor().session_id is None:
        raise Forbidden(_("Sign in to chat."), rule="sign_in")
    made = operations.make_ticket(room_id, session.digest, by=actor())  # type: ignore[attr-defined]
    return jsonify(url=socket_url(f"/ws/chat/rooms/{room_id}"), ticket=made)


@bp.route("/lessons/<uuid:lesson_id>/replay")
def lessons_replay(lesson_id: UUID) -> ResponseReturnValue:
    """What was said in a recorded class, each line at its second, beside the lesson; `?after=` goes on behind a line."""
    course_id = get_lesson(lesson_id).course_id
    lesson, course, enrollment = desk(course_id, lesson_id, actor().user_id)
    allow(can_open(actor(), lesson, enrollment, at=now(), course=course))
    if lesson.session_id is None:
        raise NotFound(_("This lesson is no recording of a live class."))
    page = url_for("enrollments.courses_lessons_show", course_id=course_id, lesson_id=lesson_id)
    lines = queries.replay_of(lesson.session_id, after=request.args.get("after", 0, type=int))
    rest = lines[-1].line.seq if len(lines) == queries.REPLAYED else None
    if request.args.get("after"):
        return fragment("chat/_replay_lines.html", page=page, lesson=lesson, lines=lines, rest=rest)
    chapters = queries.chapters_of(lesson.session_id)
    return fragment("chat/_replay.html", page=page, lesson=lesson, lines=lines, rest=rest, chapters=chapters)


def _entered(room_id: UUID) -> Standing:
    standing = get_standing(room_id, actor().user_id)
    allow(policies.can_read(actor(), standing))
    return standing


def _room(standing: Standing, form: MessageForm) -> dict[str, Any]:
    """What the room's template reads: the newest lines, and whether this person may write."""
    person, room_id = actor(), standing.session.id
    until = queries.muted_until(room_id, person.user_id) if person.user_id else None
    form.ref.data = form.ref.data or str(uuid4())
    return {
        "session": standing.session,
        "room": queries.get_room(room_id),
        "lines": queries.last_lines(room_id),
        "may": policies.can_post(person, standing, muted_until=until, at=now()),
        "moderator": bool(policies.can_moderate(person, standing.session, standing.instructor_id)),
        "person": person.user_id,
        "form": form,
        "here": queries.here_count(room_id),
    }
