"""Door 2: moderating the room of a session, the words kept out of every chat, and what was said and asked, as lists."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.models import Member
from lms.channels.policies import can_manage_people
from lms.channels.queries import get_member
from lms.chat import operations, policies, queries
from lms.chat.forms import AnswerForm, BanForm, HandForm, MuteForm, PinForm, SlowForm, SwitchForm, WordForm
from lms.chat.models import Room
from lms.chat.reports import Messages, Questions
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.streaming.queries import Standing, get_standing
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved, wants_fragment
from lms.web.forms import Form
from lms.web.lists import answer_list
from lms.web.toasts import toast

bp = Blueprint("chat_admin", __name__, url_prefix="/admin/chat")
PANEL, PAGE = "chat/admin/_panel.html", "chat/admin/rooms_show.html"


@bp.route("/rooms/<uuid:room_id>")
def rooms_show(room_id: UUID) -> ResponseReturnValue:
    """One room under moderation: its panel, its reports, its newest messages, its questions."""
    standing = _moderated(room_id)
    return render_template(PAGE, **_page(standing))


@bp.route("/rooms/<uuid:room_id>/panel")
def rooms_panel(room_id: UUID) -> ResponseReturnValue:
    """The switches of a room, for its own page (a piece)."""
    standing = _moderated(room_id)
    return fragment(PANEL, page=url_for(".rooms_show", room_id=room_id), **_panel(standing))


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


@bp.route("/rooms/<uuid:room_id>/slow", methods=["POST"])
def rooms_slow(room_id: UUID) -> ResponseReturnValue:
    """Set the pace of the room."""
    standing, form = _moderated(room_id), SlowForm()
    return _done(standing, form, lambda: operations.slow_room(room_id, seconds=form.seconds.data or 0, by=actor()))


@bp.route("/rooms/<uuid:room_id>/links", methods=["POST"])
def rooms_links(room_id: UUID) -> ResponseReturnValue:
    """Refuse links (`on`), or take them again."""
    standing, form = _moderated(room_id), SwitchForm()
    return _done(standing, form, lambda: operations.block_links(room_id, on=bool(form.on.data), by=actor()))


@bp.route("/rooms/<uuid:room_id>/pause", methods=["POST"])
def rooms_pause(room_id: UUID) -> ResponseReturnValue:
    """Pause the chat for all (`on`), or let it go on."""
    standing, form = _moderated(room_id), SwitchForm()
    return _done(standing, form, lambda: operations.pause_room(room_id, on=bool(form.on.data), by=actor()))


@bp.route("/rooms/<uuid:room_id>/pin", methods=["POST"])
def rooms_pin(room_id: UUID) -> ResponseReturnValue:
    """Pin a message above the others; without one, take the pin away."""
    standing, form = _moderated(room_id), PinForm()
    message = queries.get_message(room_id, form.seq.data) if form.seq.data else None
    return _done(standing, form, lambda: operations.pin_message(room_id, message, by=actor()))


@bp.route("/rooms/<uuid:room_id>/hands", methods=["POST"])
def rooms_hands(room_id: UUID) -> ResponseReturnValue:
    """Lower a person's hand, or without one all hands."""
    standing, form = _moderated(room_id), HandForm()
    return _done(standing, form, lambda: operations.lower_hands(room_id, UUID(form.user_id.data) if form.user_id.data else None))


@bp.route("/rooms/<uuid:room_id>/mutes", methods=["POST"])
def rooms_mutes(room_id: UUID) -> ResponseReturnValue:
    """Let a person only read for some minutes, or write again."""
    standing, form = _moderated(room_id), MuteForm()
    if not form.validate():
        return _refused(standing, form)
    person = _silenced(standing, form.user_id.data)
    operations.mute_person(standing, person, minutes=form.minutes.data or 0, by=actor())
    words = _("%(name)s only reads for %(minutes)s minutes.", name=person.name, minutes=form.minutes.data)
    return _changed(standing, words if form.minutes.data else _("%(name)s may write again.", name=person.name))


@bp.route("/rooms/<uuid:room_id>/bans", methods=["POST"])
def rooms_bans(room_id: UUID) -> ResponseReturnValue:
    """Ban a person from this chat or every chat of the channel (`on`), or let them in again."""
    standing, form = _moderated(room_id), BanForm()
    if not form.validate():
        return _refused(standing, form)
    person = _silenced(standing, form.user_id.data)
    if form.everywhere.data:
        allow(policies.can_ban_everywhere(actor(), person.role))
    where = None if form.everywhere.data else room_id
    (operations.ban_person if form.on.data else operations.lift_ban)(person, room_id=where, by=actor())
    words = _("%(name)s reads, but takes no part any more.", name=person.name)
    return _changed(standing, words if form.on.data else _("%(name)s may write again.", name=person.name))


@bp.route("/rooms/<uuid:room_id>/questions/<int:seq>/answer", methods=["GET", "POST"])
def rooms_questions_answer(room_id: UUID, seq: int) -> ResponseReturnValue:
    """Answer a question in words, or mark it unanswered."""
    standing = _moderated(room_id)
    question, message = queries.get_question(room_id, seq)
    form, page = AnswerForm(data={"answer": question.answer, "on": True}), "chat/admin/rooms_questions_answer.html"
    if not form.is_submitted():
        return render_template(page, form=form, message=message, session=standing.session, question=question)
    if not form.validate():
        return invalid(page, page=page, form=form, message=message, session=standing.session, question=question)
    if form.on.data:
        operations.answer_question(question, message, text=form.answer.data or "", by=actor())
        toast(_("The question is answered."))
    else:
        operations.reopen_question(question, message, by=actor())
        toast(_("The question is open again."))
    return moved(url_for(".rooms_show", room_id=room_id, _anchor="room-questions"))


@bp.route("/words", methods=["GET", "POST"])
def words() -> ResponseReturnValue:
    """The words no message of any chat may hold."""
    allow(policies.can_rule_words(actor()))
    form, page = WordForm(), "chat/admin/words.html"
    if form.is_submitted():
        if form.validate():
            try:
                made = operations.add_word(form.word.data or "", by=actor())
                toast(_("“%(word)s” is kept out of every chat from now on.", word=made.word))
                return moved(url_for(".words"))
            except Refusal as refusal:
                form.refuse(refusal)
        return invalid(page, page=page, form=form, words=queries.words_here())
    return render_template(page, form=form, words=queries.words_here())


@bp.route("/words/<uuid:word_id>/remove", methods=["POST"])
def words_remove(word_id: UUID) -> ResponseReturnValue:
    """Let a word be said again."""
    word = queries.get_word(word_id)
    allow(policies.can_rule_words(actor()))
    operations.remove_word(word, by=actor())
    toast(_("“%(word)s” may be said again.", word=word.word))
    return moved(url_for(".words"))


@bp.route("/messages")
def messages() -> ResponseReturnValue:
    """Everything said in the chats this person moderates, to search and to take away as a file."""
    return answer_list(Messages(), "chat/admin/messages.html")


@bp.route("/questions")
def questions() -> ResponseReturnValue:
    """Every question asked in a live class, with its answer."""
    return answer_list(Questions(), "chat/admin/questions.html")


def _moderated(room_id: UUID) -> Standing:
    standing = get_standing(room_id, actor().user_id)
    allow(policies.can_moderate(actor(), standing.session, standing.instructor_id))
    return standing


def _silenced(standing: Standing, user_id: str | None) -> Member:
    """The person of a form whom this one may silence."""
    person = get_member(UUID(user_id))
    allow(policies.can_silence(actor(), person.id, person.role, standing.session, standing.instructor_id))
    return person


def _done(standing: Standing, form: Form, act: Callable[[], None]) -> ResponseReturnValue:
    """Do what a switch of the panel asks, when its form is sound."""
    if not form.validate():
        return _refused(standing, form)
    act()
    return _changed(standing, _("Changed for everybody in the room."))


def _changed(standing: Standing, words: str) -> ResponseReturnValue:
    if not wants_fragment():  # the panel itself shows what is so now, and its switches lead back
        toast(words)
    return changed(PANEL, otherwise=url_for(".rooms_show", room_id=standing.session.id), **_panel(standing))


def _refused(standing: Standing, form: Form) -> ResponseReturnValue:
    faults = [str(fault) for field in form for fault in field.errors]
    if not faults:
        raise Invalid(_("That could not be read."))
    return invalid(PANEL, page=PAGE, **(_page(standing) | {"faults": faults}))


def _panel(standing: Standing, room: Room | None = None, pinned: queries.Line | None = None) -> dict[str, object]:
    """What the switches of a room read."""
    room_id = standing.session.id
    if room is None:
        room = queries.get_room(room_id)
        pinned = queries.line_at(room_id, room.pinned_seq)
    return {
        "session": standing.session,
        "room": room,
        "pinned": pinned,
        "watched": queries.watched_in(room_id),
        "admin": bool(policies.can_rule_words(actor())),
        "faults": [],
    }


def _page(standing: Standing) -> dict[str, object]:
    room_id = standing.session.id
    room = queries.get_room(room_id)
    lines, others = queries.lines_shown(room, room.pinned_seq)
    return _panel(standing, room, others.get(room.pinned_seq or 0)) | {
        "reported": queries.reported_lines(room_id),
        "lines": lines,
        "questions": queries.questions_of(room_id, actor().user_id),
    }
