"""Door 1: the room of a session to read and take part in without script, and the ticket a browser opens its socket with."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, jsonify, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.chat import operations, policies, queries
from lms.chat.forms import FlagForm, MessageForm, SignForm, SwitchForm
from lms.chat.models import SIGNS
from lms.core.clock import now
from lms.core.errors import Forbidden, Invalid, NotFound, Refusal
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
    """The chat of a class as a page of its own; `?reply=` is the number of the message to answer."""
    standing = _entered(room_id)
    return render_template("chat/rooms_show.html", **_room(standing, MessageForm(formdata=None), request.args.get("reply", type=int)))


@bp.route("/rooms/<uuid:room_id>/box")
def rooms_box(room_id: UUID) -> ResponseReturnValue:
    """The chat of a class as a piece of another page."""
    standing = _entered(room_id)
    return fragment("chat/_room.html", page=url_for(".rooms_show", room_id=room_id), **_room(standing, MessageForm(formdata=None)))


@bp.route("/rooms/<uuid:room_id>/people")
def rooms_people(room_id: UUID) -> ResponseReturnValue:
    """Who is in the room now, those with a raised hand first (a piece)."""
    standing = _entered(room_id)
    hands = {user_id: place for place, (user_id, _name, _since) in enumerate(queries.hands_of(room_id), 1)}
    people = sorted(queries.people_here(room_id), key=lambda person: hands.get(person.id, len(hands) + 1))
    page = url_for(".rooms_show", room_id=room_id)
    return fragment("chat/_people.html", page=page, people=people, hands=hands, session=standing.session)


@bp.route("/rooms/<uuid:room_id>/messages", methods=["POST"])
def rooms_messages(room_id: UUID) -> ResponseReturnValue:
    """Post a message without a socket."""
    standing, form = _entered(room_id), MessageForm()
    if form.validate():
        try:
            operations.post_message(
                room_id,
                form.text.data or "",
                client_id=UUID(form.ref.data),
                by=actor(),
                reply_seq=form.reply.data,
                is_question=bool(form.question.data),
            )
            return _room_again(standing, anchor="chat-write")
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid("chat/_room.html", page="chat/rooms_show.html", **_room(standing, form, form.reply.data))


@bp.route("/rooms/<uuid:room_id>/messages/<int:seq>/delete", methods=["POST"])
def rooms_messages_delete(room_id: UUID, seq: int) -> ResponseReturnValue:
    """Take a message out of sight."""
    standing = _entered(room_id)
    message = queries.get_message(room_id, seq)
    allow(policies.can_delete(actor(), message.author_id, standing.session, standing.instructor_id))
    operations.delete_message(message, by=actor())
    return _room_again(standing)


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
    return _room_again(get_standing(room_id, actor().user_id))


@bp.route("/rooms/<uuid:room_id>/messages/<int:seq>/signs", methods=["POST"])
def rooms_messages_signs(room_id: UUID, seq: int) -> ResponseReturnValue:
    """Set a sign on a message, or take it away."""
    standing, form = _taking_part(room_id), SignForm()
    message = queries.get_message(room_id, seq)
    if not form.validate():
        raise Invalid(_("Choose one of the signs shown."))
    operations.react(message, form.sign.data or "", on=bool(form.on.data), by=actor())
    return _room_again(standing)


@bp.route("/rooms/<uuid:room_id>/messages/<int:seq>/vote", methods=["POST"])
def rooms_messages_vote(room_id: UUID, seq: int) -> ResponseReturnValue:
    """Want a question answered, or no longer."""
    standing, form = _taking_part(room_id), SwitchForm()
    question, message = queries.get_question(room_id, seq)
    allow(policies.can_vote(actor(), message.author_id, is_answered=question.answered_at is not None))
    operations.vote(question, message, on=bool(form.on.data), by=actor())
    return _room_again(standing, anchor="chat-questions")


@bp.route("/rooms/<uuid:room_id>/hand", methods=["POST"])
def rooms_hand(room_id: UUID) -> ResponseReturnValue:
    """Raise one's hand, or lower it."""
    form = SwitchForm()
    standing = _taking_part(room_id) if form.on.data else _entered(room_id)
    if form.on.data:
        operations.raise_hand(room_id, by=actor())
    else:
        operations.lower_hands(room_id, actor().user_id)
    return _room_again(standing, anchor="chat-write")


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
    more = {"chapters": queries.chapters_of(lesson.session_id), "answers": queries.answers_of(lesson.session_id)}
    return fragment("chat/_replay.html", page=page, lesson=lesson, lines=lines, rest=rest, **more)


def _entered(room_id: UUID) -> Standing:
    standing = get_standing(room_id, actor().user_id)
    allow(policies.can_read(actor(), standing))
    return standing


def _taking_part(room_id: UUID) -> Standing:
    standing = get_standing(room_id, actor().user_id)
    allow(policies.can_take_part(actor(), standing, queries.silence_of(room_id, actor().user_id), at=now()))
    return standing


def _room_again(standing: Standing, anchor: str | None = None) -> ResponseReturnValue:
    """The room after a change: the piece for htmx, else the page at the place of the change."""
    page = url_for(".rooms_show", room_id=standing.session.id, _anchor=anchor)
    return changed("chat/_room.html", otherwise=page, **_room(standing, MessageForm(formdata=None)))


def _room(standing: Standing, form: MessageForm, reply_seq: int | None = None) -> dict[str, Any]:
    """What the room's template reads: its newest lines and questions, its rules, and what this person may do."""
    person, room_id = actor(), standing.session.id
    silence, room = queries.silence_of(room_id, person.user_id), queries.get_room(room_id)
    lines, others = queries.lines_shown(room, room.pinned_seq, reply_seq)
    answered = others.get(reply_seq or 0)
    form.ref.data, form.reply.data = form.ref.data or str(uuid4()), reply_seq
    moderator = bool(policies.can_moderate(person, standing.session, standing.instructor_id))
    hands = queries.hands_of(room_id)
    return {
        "session": standing.session,
        "room": room,
        "lines": lines,
        "pinned": others.get(room.pinned_seq or 0),
        "questions": queries.questions_of(room_id, person.user_id),
        "signs": queries.signs_in(room_id, person.user_id, since=lines[0].seq - 1 if lines else 0),
        "all_signs": SIGNS,
        "may": policies.can_post(person, standing, silence, at=now()),
        "part": bool(policies.can_take_part(person, standing, silence, at=now())),
        "moderator": moderator and person.viewer_id is None,
        "viewing": person.viewer_id is not None,
        "person": person.user_id,
        "hands": hands,
        "my_place": next((place for place, one in enumerate(hands, 1) if one[0] == person.user_id), 0),
        "form": form,
        "reply": None if answered is None or answered.is_deleted else answered,
        "here": queries.here_count(room_id),
    }
