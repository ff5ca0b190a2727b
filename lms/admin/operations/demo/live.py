"""The demo's live classes: one that was, with the people who came and what they wrote, and one that is tomorrow."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from lms.admin.operations.demo.diary import Deed, Diary
from lms.channels import queries as people
from lms.chat import operations as chat
from lms.chat.models import Message
from lms.core import clock, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.streaming import operations
from lms.streaming.models import Session

CAME = 9
TALK = (
    "Good evening everybody!",
    "Hello from Lagos",
    "Can you hear me well? I see your questions here.",
    "Yes, loud and clear",
    "Could we do the two coffees again?",
    "Of course. Write down both sentences first.",
    "Ah, now I see it: subtract!",
    "Why is it allowed to subtract a whole equation?",
    "Because both of its sides are the same number. You take the same away on the left and on the right.",
    "That was the missing piece for me, thank you",
    "Buy your followers at my shop!!!",
    "See you next week.",
)
TEACHER = frozenset({0, 2, 5, 8, 11})
RUDE = 10


def teach(course: Course, teacher: Actor, diary: Diary) -> None:
    """An hour of questions and answers that people came to; one line of the chat was reported."""
    begins = clock.now() + timedelta(hours=3)
    session = operations.schedule_session(
        course, title="Open question hour", starts_at=begins, ends_at=begins + timedelta(hours=1), by=teacher
    )
    diary.at(begins - timedelta(minutes=10), lambda: operations.open_session(session, by=teacher))
    diary.at(begins, lambda: operations.start_session(session, by=teacher))
    diary.at(begins + timedelta(minutes=1), lambda: _come(session, teacher, diary))
    diary.at(begins + timedelta(minutes=58), lambda: operations.end_session(session, by=teacher))


def _come(session: Session, teacher: Actor, diary: Diary) -> None:
    enrolled = select(Enrollment.user_id).where(Enrollment.course_id == session.course_id).order_by(Enrollment.enrolled_at).limit(CAME)
    guests = [people.actor_of_user(user_id) for user_id in db.session().scalars(enrolled)]
    for place, guest in enumerate(guests):
        assert guest.user_id is not None
        diary.at(now() + timedelta(minutes=place / 2), _staying(session, guest.user_id, diary, minutes=56 - place * 3))
    for number, words in enumerate(TALK):
        speaker = teacher if number in TEACHER or not guests else guests[number % len(guests)]
        diary.at(
            now() + timedelta(minutes=5 + 3 * number), _saying(session, speaker, words, reported_by=teacher if number == RUDE else None)
        )


def _staying(session: Session, user_id: UUID, diary: Diary, *, minutes: float) -> Deed:
    """Somebody comes in, and leaves some minutes later."""

    def stay() -> None:
        visit = operations.note_join(session.id, user_id, source="page")
        diary.at(now() + timedelta(minutes=minutes), lambda: operations.note_leave([visit]))

    return stay


def _saying(session: Session, speaker: Actor, words: str, *, reported_by: Actor | None) -> Deed:
    """Somebody writes a line in the chat; an ugly one is reported."""

    def say() -> None:
        assert speaker.user_id is not None
        posted = chat.post_message(session.id, words, client_id=uuid7(), by=speaker)
        if reported_by is not None:
            chat.flag_message(db.session().get_one(Message, posted.line.id), reason="Advertising", by=reported_by)

    return say


def announce(course: Course, teacher: Actor, today: datetime) -> None:
    """A class that takes place tomorrow evening."""
    begins = (today + timedelta(days=1)).replace(hour=17, minute=0, second=0, microsecond=0)
    operations.schedule_session(
        course,
        title="Open question hour: two unknowns",
        description="Bring a pair of receipts, or just listen. We solve them together, step by step.",
        starts_at=begins,
        ends_at=begins + timedelta(minutes=90),
        by=teacher,
    )
