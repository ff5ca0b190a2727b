"""What was said and asked in live classes, as lists: to search, to take away, and to make the questions of a lesson from."""

from typing import Any

from sqlalchemy import Select, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.reports import people_by
from lms.chat.models import Flag as Flagged
from lms.chat.models import Message, Question
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Period, Report
from lms.courses.models import Course
from lms.streaming.models import Session
from lms.streaming.policies import can_list

Answerer = aliased(Member)
STATES = (("visible", _l("Visible")), ("deleted", _l("Deleted")))
STATE = case((Message.deleted_at.is_(None), "visible"), else_="deleted")
ANSWERED = (("open", _l("Open")), ("answered", _l("Answered")))
IS_ANSWERED = case((Question.answered_at.is_(None), "open"), else_="answered")
FLAGS = (
    select(func.count())
    .where(Flagged.message_id == Message.id, Flagged.channel_id == Message.channel_id)
    .correlate(Message)
    .scalar_subquery()
)  # fmt: skip
REPORTED = exists().where(Flagged.message_id == Message.id, Flagged.channel_id == Message.channel_id)
BEGAN = func.coalesce(Session.started_at, Session.starts_at)
MOMENT = func.greatest(func.floor(func.extract("epoch", Message.posted_at - BEGAN)), 0)


def _classes() -> list[tuple[str, str]]:
    """The latest classes, to choose one from."""
    rows = db.session().execute(select(Session.id, Session.title, Session.starts_at).order_by(Session.starts_at.desc()).limit(200))
    return [(str(one.id), f"{one.title} · {one.starts_at:%Y-%m-%d}") for one in rows]


class Messages(Report):
    """Every message of the classes a person runs, deleted ones with their words."""

    name = "chat.messages"
    path = "/admin/chat/messages"
    title = _l("Chat messages")
    lead = _l("Everything said beside live classes. Deleted messages stand here for those who moderate, and nowhere else.")
    key = Message.id
    sort = "-posted_at"
    empty = ("messages-square", _l("Nobody has written yet"), _l("What people write in the chat of a live class stands here."))
    columns = (
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("text", _l("Message"), Message.text, nullable=False),
        Column("title", _l("Class"), Session.title, href="/admin/chat/rooms/{session}", nullable=False),
        Column("posted_at", _l("Written"), Message.posted_at, kind="time", nullable=False),
        Column("moment", _l("Into the class"), MOMENT, kind="duration", sortable=False, nullable=False, shown=False),
        Column("state", _l("State"), STATE, kind="state", words=dict(STATES), tones={"deleted": "danger"}, nullable=False),
        Column("is_question", _l("Question"), Message.is_question, kind="bool", nullable=False, shown=False),
        Column("flags", _l("Reports"), FLAGS, kind="int", sortable=False, nullable=False, shown=False),
        Column("number", _l("Number"), Message.seq, kind="int", nullable=False, shown=False),
        Column("reply", _l("Answers number"), Message.reply_seq, kind="int", nullable=True, shown=False),
        Column("session", _l("Class id"), Message.room_id, shown=False, sortable=False),
    )
    filters = (
        Choice("session", _l("Class"), Message.room_id, options=_classes),
        Choice("state", _l("State"), STATE, options=STATES),
        Flag("question", _l("Questions"), Message.is_question),
        Flag("reported", _l("Reported"), REPORTED),
        Period("written", _l("Written"), Message.posted_at),
    )
    search = (Message.text, people_by(Message.author_id))

    def query(self, by: Actor) -> Select[Any]:
        """The messages of the classes this person runs."""
        found = (
            select(Message.id)
            .join(Session, Session.id == Message.room_id)
            .join(Course, Course.id == Session.course_id)
            .join(Member, Member.id == Message.author_id)
        )
        return found if by.is_admin else found.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))

    def allowed(self, by: Actor) -> Decision:
        """Staff."""
        return can_list(by)


class Questions(Report):
    """The questions of live classes with their answers: what the FAQ of a recording is made of."""

    name = "chat.questions"
    path = "/admin/chat/questions"
    title = _l("Questions in classes")
    lead = _l("What was asked beside live classes, how many wanted it answered, and the answer. Filter one class to make its FAQ.")
    key = Question.id
    sort = "-votes"
    empty = (
        "circle-help",
        _l("Nobody has asked yet"),
        _l("Questions people ask in the chat of a live class stand here with their answers."),
    )
    columns = (
        Column("question", _l("Question"), Message.text, nullable=False, href="/admin/chat/rooms/{session}/questions/{number}/answer"),
        Column("answer", _l("Answer"), Question.answer, nullable=False),
        Column("votes", _l("Votes"), Question.votes, kind="int", nullable=False),
        Column("state", _l("State"), IS_ANSWERED, kind="state", words=dict(ANSWERED), tones={"answered": "success"}, nullable=False),
        Column("person", _l("Asked by"), Member.name, nullable=False),
        Column("title", _l("Class"), Session.title, nullable=False),
        Column("course", _l("Course"), Course.title, nullable=False, shown=False),
        Column("posted_at", _l("Asked"), Message.posted_at, kind="time", nullable=False),
        Column("moment", _l("Into the class"), MOMENT, kind="duration", sortable=False, nullable=False, shown=False),
        Column("answered_at", _l("Answered"), Question.answered_at, kind="time", nullable=True, shown=False),
        Column("answered_by", _l("Answered by"), Answerer.name, nullable=True, shown=False),
        Column("number", _l("Number"), Message.seq, kind="int", nullable=False, shown=False),
        Column("session", _l("Class id"), Question.room_id, shown=False, sortable=False),
    )
    filters = (
        Choice("session", _l("Class"), Question.room_id, options=_classes),
        Choice("state", _l("State"), IS_ANSWERED, options=ANSWERED),
        Period("asked", _l("Asked"), Message.posted_at),
    )
    search = (Message.text, Question.answer, people_by(Message.author_id))

    def query(self, by: Actor) -> Select[Any]:
        """The questions of the classes this person runs, deleted ones apart."""
        found = (
            select(Question.id)
            .join(Message, Message.id == Question.id)
            .join(Session, Session.id == Question.room_id)
            .join(Course, Course.id == Session.course_id)
            .join(Member, Member.id == Message.author_id)
            .outerjoin(Answerer, Answerer.id == Question.answered_by)
            .where(Message.deleted_at.is_(None))
        )
        return found if by.is_admin else found.where(or_(Session.host_id == by.user_id, Course.instructor_id == by.user_id))

    def allowed(self, by: Actor) -> Decision:
        """Staff."""
        return can_list(by)
