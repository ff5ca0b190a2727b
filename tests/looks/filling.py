"""What the demo has none of, so that every page has something to show; each part is its own transaction, and says so when it fails."""

import io
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select, text

from lms.channels import operations as channels
from lms.channels import queries as members
from lms.channels.reports import People
from lms.chat import operations as chat
from lms.chat.models import Message, Question
from lms.community import operations as community
from lms.community.models import Review
from lms.content import operations as content
from lms.content.models import Asset
from lms.core import clock, db, plans
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import operations as courses
from lms.courses import queries as course_queries
from lms.courses.models import Course, Lesson
from lms.enrollments import operations as enrollments
from lms.enrollments.models import Enrollment
from lms.enrollments.operations.watching import read_pass
from lms.enrollments.queries import active_enrollment
from lms.notifications import operations as notifications
from lms.notifications.models import Bounce
from lms.notifications.queries import Audience
from lms.payments import operations as payments
from lms.payments.models import Order
from lms.reporting import jobs as reporting_jobs
from lms.reporting import operations as reporting
from lms.streaming import operations as streaming
from lms.streaming.operations.planning import Plan
from lms.vouchers import operations as vouchers
from lms.vouchers.operations.alerts import warn_of_guessing
from lms.wallet import operations as wallet
from tests.looks.addresses import KEPT
from tests.looks.ground import Ground

CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:02.000\nTwo coffees and a cake.\n\n00:02.500 --> 00:04.000\nHow much is one coffee?\n"
CHAPTERS = b"WEBVTT\n\n00:00.000 --> 00:02.000\nThe receipt\n\n00:02.000 --> 00:04.000\nTwo unknowns\n"
LONG = "A very long name <img src=x onerror=alert(1)> of a thing, as people write them when nobody stops them: Donaudampfschifffahrtsgesellschaftskapitänsmütze"


def settle(ground: Ground, seconds: float = 300) -> None:
    """Wait until the workers have done what is due."""
    until = time.monotonic() + seconds
    query = text(
        "SELECT count(*) FROM core.outbox WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= clock_timestamp() AND attempts < 2"
    )
    while time.monotonic() < until:
        with db.unit_of_work(platform=True, read_only=True) as session:
            if not session.execute(query).scalar_one():
                return
        time.sleep(1)


def fill(ground: Ground, home: Path) -> None:
    """Do every part, once on a home; what does not work is said and left out."""
    settle(ground)
    noted = home / "filled.json"
    done, kept = json.loads(noted.read_text()) if noted.exists() else ([], [])
    KEPT.extend(kept)
    for part in PARTS:
        if part.__name__ in done:
            continue
        try:
            with db.unit_of_work(ground.channel_id):
                part(Hands(ground.people))
        except Exception as error:
            print(f"| filling | {part.__name__} | {type(error).__name__}: {str(error)[:300]} |", flush=True)
        else:
            done.append(part.__name__)
    noted.write_text(json.dumps([done, KEPT]))
    settle(ground)


class Hands:
    """Who does it, and with which course."""

    def __init__(self, people: Mapping[str, Actor]) -> None:
        self.admin, self.teacher, self.sam = (people[role] for role in ("admin", "instructor", "student"))

    def courses(self, teacher: bool = False) -> list[Course]:
        """Courses on sale, the oldest first; only the instructor's when it is asked."""
        query = select(Course).where(Course.status == "published").order_by(Course.id)
        found = list(db.session().scalars(query))
        return [one for one in found if not teacher or one.instructor_id == self.teacher.user_id]

    def sams(self) -> list[Course]:
        """The courses Sam is in."""
        return [one for one in self.courses() if active_enrollment(self.sam.user_id, one.id)]

    def students(self, count: int) -> list[Actor]:
        """Students of the demo."""
        query = text("SELECT id FROM channels.members WHERE role = 'student' AND id <> :sam ORDER BY id LIMIT :count")
        found = db.session().execute(query, {"sam": self.sam.user_id, "count": count}).scalars()
        return [members.actor_of_user(one) for one in found]


def doors(hands: Hands) -> None:
    """A link whose token is kept, and a course Sam may ask for."""
    first = hands.courses()[0]
    _link, held = enrollments.make_link(enrollments.Terms(label=LONG[:120], course_ids=[first.id], seats=3, tag="Fair"), by=hands.admin)
    KEPT.append(f"/enrollments/join/{held}")
    others = [one for one in hands.courses() if one not in hands.sams()]
    courses.set_entry(others[-1], courses.Entry(entry="request"), by=hands.admin)


def gifts(hands: Hands) -> None:
    """Gifts of Sam: one sent, one that waits for its day; a card worth something for Sam to buy them with."""
    vouchers.set_gift_rules([Money(1000, "EUR"), Money(2500, "EUR")], is_on=True, courses=True, by=hands.admin)
    assert hands.sam.user_id is not None
    for amount, until in ((20_000, None), (750, now() + timedelta(days=12))):
        wallet.request_adjustment(hands.sam.user_id, Money(amount, "EUR"), "A prize", until=until, by=hands.admin)
    vouchers.give(
        vouchers.GiftWish(price=Money(1000, "EUR"), email="bo@example.org", name="Bo", message="For the long winter."), by=hands.sam
    )
    later = now() + timedelta(days=9)
    vouchers.give(
        vouchers.GiftWish(price=Money(2500, "EUR"), email="averylongaddressofsomebody@adepartment.example.org", send_at=later), by=hands.sam
    )


def money(hands: Hands) -> None:
    """A part of an order given back, an adjustment that waits for a second person."""
    orders = list(db.session().scalars(select(Order).where(Order.status == "paid").order_by(Order.id.desc()).limit(2)))
    payments.refund_order(orders[0], Money(250, "EUR"), "A part of it was missing.", by=hands.admin)
    wallet.set_adjustment_limit(Money(500, "EUR"), by=hands.admin)
    wallet.request_adjustment(hands.students(1)[0].user_id, Money(2500, "EUR"), "For the trouble with the picture.", by=hands.admin)


def talk(hands: Hands) -> None:
    """A class that is on, with questions, answers, signs, hands, a pinned line, words that are held and somebody who may not speak."""
    course = next(one for one in hands.sams() if one.instructor_id == hands.teacher.user_id)
    begins = now() - timedelta(minutes=3)
    with clock.at(begins):
        session = streaming.schedule_session(
            course, title="Open hour, in the browser", starts_at=now() + timedelta(minutes=5), ends_at=now() + timedelta(hours=2),
            provider="browser", by=hands.teacher,
        )  # fmt: skip
    streaming.open_session(session, by=hands.teacher)
    streaming.start_session(session, by=hands.teacher)
    chat.make_room(session.id)
    for number, words in enumerate(("Good evening", "Is zero a number?", LONG, "Spam", "See https://example.org/x")):
        speaker = hands.teacher if number % 2 == 0 else hands.sam
        chat.post_message(session.id, words, client_id=uuid7(), by=speaker, is_question=number == 1)
    db.session().flush()
    lines = list(db.session().scalars(select(Message).where(Message.room_id == session.id).order_by(Message.seq)))
    asked = db.session().scalars(select(Question).where(Question.room_id == session.id)).one()
    chat.vote(asked, lines[1], on=True, by=hands.teacher)
    chat.react(lines[0], "👍", on=True, by=hands.sam)
    chat.raise_hand(session.id, by=hands.sam)
    chat.pin_message(session.id, lines[0], by=hands.teacher)
    chat.flag_message(lines[3], reason="Advertising", by=hands.teacher)
    for word in ("casino", "buy followers"):
        chat.add_word(word, by=hands.admin)
    streaming.mark_moment(session, "The second question", by=hands.teacher)
    streaming.note_join(session.id, hands.sam.user_id, source="page")  # type: ignore[arg-type]


def classes(hands: Hands) -> None:
    """A series of four, and the calendar of Sam."""
    course = hands.courses(teacher=True)[0]
    begins = (now() + timedelta(days=2)).replace(hour=18, minute=0, second=0, microsecond=0)
    plan = Plan("Reading group", begins, begins + timedelta(hours=1), description="Bring one page.")
    streaming.schedule_series(course, plan, every="week", times=4, zone_name="Europe/Berlin", by=hands.teacher)
    streaming.make_feed(hands.sam.user_id, by=hands.sam)  # type: ignore[arg-type]


def films(hands: Hands) -> None:
    """Captions in two languages, chapters, and somebody who watched: where it was played, and how often."""
    assets = db.session().scalars(select(Asset).where(Asset.kind == "video", Asset.state == "ready").order_by(Asset.id))
    for asset in assets:
        content.add_track(asset, CAPTIONS, kind="captions", language="en", label="English", by=hands.admin)
        content.add_track(asset, CAPTIONS, kind="captions", language="ar", label="العربية", by=hands.admin)
        content.add_track(asset, CHAPTERS, kind="chapters", language="en", by=hands.admin)
    films_of = (
        select(Lesson, Course).join(Course, Course.id == Lesson.course_id).where(Lesson.kind == "video", Lesson.status == "published")
    )
    for lesson, course in db.session().execute(films_of):
        for found in db.session().scalars(
            select(Enrollment).where(Enrollment.course_id == course.id, Enrollment.status == "active").limit(8)
        ):
            person = members.actor_of_user(found.user_id)
            signed = enrollments.begin_watching(found, lesson, duration_ms=4000, at=now() - timedelta(seconds=30))
            enrollments.record_beat(read_pass(signed), [enrollments.Played(0, 2500)], position_ms=2500, by=person)


def notes(hands: Hands) -> None:
    """Notes of Sam at a second of a film and on a text, and a sheet to take along."""
    for course in hands.sams():
        for lesson in course_queries.lessons_of(course.id)[:2]:
            at = 1.5 if lesson.kind == "video" else None
            enrollments.write_note(lesson, f"{LONG}. And a second sentence, to come back to.", at=at, by=hands.sam)
    sheet = content.receive_file("exercises.pdf", io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "document", by=hands.teacher)
    lesson = course_queries.lessons_of(hands.courses(teacher=True)[0].id)[0]
    courses.add_resource(lesson, sheet.id, title="Exercises", by=hands.teacher)


def plans_and_people(hands: Hands) -> None:
    """Bulk acts: one waiting to be applied, one done; own fields, a tag, a segment; somebody suspended; something in the bin."""
    table = b"name,email\nAna Able,ana@example.org\nBad Address,nowhere\nSam,sam@demo.example\n"
    plans.make_from_table("channels.import_people", table, by=hands.admin, params={"role": "student"})
    plans.do_now("channels.suspend_people", hands.students(4)[3].user_id, by=hands.admin)
    channels.add_field("Employer", "text", by=hands.admin)
    channels.add_field("Shirt", "choice", choices=["Small", "Medium", "Large"], by=hands.admin)
    channels.give_tag(hands.sam.user_id, "Partner school", by=hands.admin)  # type: ignore[arg-type]
    channels.add_segment("Students of the partner school", {"role": "student"}, by=hands.admin)
    gone = courses.create_course("A course that was a mistake", by=hands.teacher)
    courses.delete_course(gone, by=hands.teacher)
    courses.submit_for_approval(_a_draft(hands), by=hands.teacher)


def _a_draft(hands: Hands) -> Course:
    made = courses.create_course(LONG[:120], by=hands.teacher, summary="In one sentence.")
    section = courses.add_section(made, "Begin here", by=hands.teacher)
    courses.publish_lesson(courses.add_lesson(section, "First", body="Words.", by=hands.teacher), by=hands.teacher)
    return made


def letters(hands: Hands) -> None:
    """A message to many, a letter that came back, codes by mail, own words for a mail."""
    course = hands.courses()[0]
    ways = {"in_app": True, "mail": True, "send_at": None}
    to_course = Audience("course", course_id=str(course.id))
    written = notifications.write_broadcast(to_course, by=hands.admin, subject="The room changes", body="We meet in **room 4**.", **ways)
    notifications.write_broadcast(Audience("everybody"), by=hands.admin, subject="A draft", body="Not sent yet.", **ways)
    notifications.send_broadcast(written, by=hands.admin)
    db.session().add(Bounce(address=hands.students(1)[0].email, reason="550 no such user"))
    wish = vouchers.NewBatch(label="By mail", value=Money(1000, "EUR"), count=3)
    issued = vouchers.create_batch(wish, by=hands.admin)
    vouchers.send_codes(issued.batch, issued.codes[:2], vouchers.recipients_in("Ana <ana@example.org>\nbo@example.org"), by=hands.admin)


def lists(hands: Hands) -> None:
    """Saved views, pinned ones, an alert and a file that was asked for."""
    view = reporting.save_view(
        People(), "role=student", "All students", path="/admin/channels/people", is_shared=True, pin="all", by=hands.admin
    )
    reporting.add_schedule(view, reporting.Timetable(cadence="daily", above=10), [hands.admin.email], by=hands.admin)
    download = reporting.begin_download(People(), "role=student", "csv", by=hands.admin)
    download.job_id = reporting_jobs.make_download.put({"download_id": download.id})


def strangers(hands: Hands) -> None:
    """Somebody invited, whose letter holds the way in; a pass to leave the letters."""
    channels.invite_person("Ivy Invited", f"ivy-{uuid4().hex[:6]}@example.org", "instructor", by=hands.admin)
    KEPT.append(f"/notifications/unsubscribe/{notifications.unsubscribe_token(hands.sam.user_id, 'news')}")  # type: ignore[arg-type]


def alerts(hands: Hands) -> None:
    """Somebody guesses codes."""
    warn_of_guessing(40, 10)


def places(hands: Hands) -> None:
    """A full batch with somebody who waits and somebody whose code came too late; one that was called off; a link nobody can use any more."""
    course = courses.create_course("Calligraphy", by=hands.teacher, summary="One letter a day.")
    section = courses.add_section(course, "Begin here", by=hands.teacher)
    courses.publish_lesson(courses.add_lesson(section, "First", body="Words.", by=hands.teacher), by=hands.teacher)
    courses.publish_course(course, by=hands.admin)
    first, second, third = hands.students(8)[5:]
    assert first.user_id is not None and second.user_id is not None and third.user_id is not None
    link, _held = enrollments.make_link(enrollments.Terms(label="Poster", course_ids=[course.id]), by=hands.admin)
    enrollments.revoke_link(link, by=hands.admin)
    late = enrollments.enroll_by_hand(third.user_id, course, note="By a code.", by=hands.admin)
    full = enrollments.create_batch(course, enrollments.BatchSheet(name="Evenings", seats=1), by=hands.admin)
    enrollments.enroll_by_hand(first.user_id, course, note="Came by the office.", by=hands.admin, batch_id=full.id)
    enrollments.join_waitlist(full, second.user_id, by=second)
    enrollments.note_missed_place(late, full, by=hands.admin)
    off = enrollments.create_batch(course, enrollments.BatchSheet(name="Mornings"), by=hands.admin)
    enrollments.cancel_batch(off, reason="Too few came.", by=hands.admin)


def endings(hands: Hands) -> None:
    """What was taken away and may come back: a used-up batch in the archive, a review that is hidden, an access that ended, a field, a segment."""
    wish = vouchers.NewBatch(label="Last year", value=Money(500, "EUR"), count=2)
    old = vouchers.create_batch(wish, by=hands.admin)
    vouchers.void_unused(old.batch, reason="The year is over.", by=hands.admin)
    vouchers.archive_batch(old.batch, by=hands.admin)
    review = db.session().scalars(select(Review).where(Review.status == "visible").order_by(Review.id).limit(1)).one()
    community.hide_review(review, reason="Names somebody.", by=hands.admin)
    ended = db.session().scalars(select(Enrollment).where(Enrollment.status == "active").order_by(Enrollment.id).limit(1)).one()
    enrollments.end_enrollment(ended, reason="Asked for it.", by=hands.admin)
    courses.create_category("Fine arts", by=hands.admin)
    channels.retire_field(channels.add_field("Old field", "text", by=hands.admin), by=hands.admin)
    channels.retire_segment(channels.add_segment("Old segment", {"role": "student"}, by=hands.admin), by=hands.admin)


PARTS = (doors, gifts, money, talk, classes, films, notes, plans_and_people, letters, lists, strangers, alerts, places, endings)
