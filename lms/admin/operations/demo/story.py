"""Ninety days of the demo, played in order by the operations people use; the same story on each install."""

import random
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from lms.admin.operations.demo import doors, live
from lms.admin.operations.demo.courses import lose_a_film, paint, read_plan, write_course
from lms.admin.operations.demo.diary import Deed, Diary
from lms.admin.operations.demo.groups import run_in_batches
from lms.admin.operations.demo.opening import CURRENCY, ZONE, Demo
from lms.admin.operations.demo.people import STUDENT, STUDENTS, Staff, engage_staff
from lms.admin.operations.demo.students import Academy, Pile, Student, pile_of
from lms.auth import operations as accounts
from lms.channels import operations as channels
from lms.channels.queries import this_channel
from lms.community import operations as community
from lms.core import clock, db
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.courses import operations as courses
from lms.courses.models import Course
from lms.courses.queries import lessons_of
from lms.enrollments import operations as enrollments
from lms.enrollments.queries import is_enrolled as enrolled
from lms.enrollments.reports import Enrollments
from lms.reporting import operations as reporting
from lms.reporting.operations import Timetable
from lms.search import operations as search
from lms.vouchers import operations as vouchers
from lms.vouchers.models import Batch, Code
from lms.vouchers.operations import NewBatch

DAYS = 90
RESTED = text(
    """
    UPDATE core.outbox o SET done_at = e.happened_at, started_at = e.happened_at
    FROM core.events e WHERE e.channel_id = o.channel_id AND e.id = o.event_id AND o.channel_id = :channel AND o.done_at IS NULL
        AND (e.happened_at < :recent AND o.task NOT LIKE 'lms.content.%' OR o.task LIKE 'lms.search.%')
    """
)


def tell_demo(demo: Demo, *, folder: Path, ffmpeg: str) -> int:
    """Play the story in the demo's channel; pictures and films are made in the folder. The number of deeds done.

    What handlers would do about days long gone (tell somebody, by mail) counts as done then; files are left to the workers.
    """
    plan = read_plan()
    paint(plan, folder, ffmpeg)
    password_hash = accounts.hash_password(demo.password)
    diary = Diary(now(), DAYS, random.Random(2026))  # a story, not a secret
    with clock.at(diary.start):
        staff = engage_staff(plan, password_hash)
        channels.edit_channel(this_channel(), {"theme": {"color": "#4338ca"}}, by=staff.admin)
        categories = {name: courses.create_category(name, by=staff.admin).id for name in plan["categories"]}
    story = Story(plan, staff, categories, Academy(diary, plan["reviews"]), folder)
    story.write(password_hash)
    done = diary.play()
    db.session().flush()
    search.rebuild()
    for first, last in reporting.unfinished_stretches():
        reporting.recount(first, last)
    reporting.note_people(diary.end.date() - timedelta(days=1), diary.end.date())
    db.session().execute(RESTED, {"channel": current_channel(), "recent": diary.end - timedelta(days=2)})
    return done


class Story:
    """What the plan says will happen, written into the diary."""

    def __init__(self, plan: dict[str, Any], staff: Staff, categories: dict[str, UUID], academy: Academy, folder: Path) -> None:
        self.plan, self.staff, self.categories, self.academy, self.folder = plan, staff, categories, academy, folder
        self.diary = academy.diary
        self.dice = academy.diary.dice
        self.made: dict[str, Course] = {}

    def write(self, password_hash: str) -> None:
        """Courses, batches, students, live classes, and what waits for the admin today."""
        for wish in self.plan["courses"]:
            self.diary.days_ago(wish["day"], self._making(wish))
        for wish in self.plan["batches"]:
            self.diary.days_ago(wish["day"], self._printing(wish))
        students = []
        for place, name in enumerate(STUDENTS, 1):
            day = self.dice.triangular(0.1, DAYS - 6, 24)
            students.append(Student(self.academy, name, place))
            self.diary.days_ago(day, students[-1].register)
        self._doors(students)
        self.diary.days_ago(33, lambda: self._sam(password_hash))
        self.diary.days_ago(19, lambda: vouchers.expire_codes(by=the_platform(current_channel())))
        self.diary.days_ago(6.2, lambda: live.teach(self.made["algebra"], self.staff.instructors["amara"], self.diary))
        self.diary.days_ago(2.1, lambda: self._spam("bread"))
        self.diary.days_ago(1.4, lambda: live.announce(self.made["algebra"], self.staff.instructors["amara"], self.diary.end))
        self.diary.days_ago(12, self._weekly_mail)
        self.diary.days_ago(0.6, lambda: run_in_batches(self.made["statistics"], by=self.staff.admin))
        self.diary.days_ago(0.3, lambda: lose_a_film(self.folder, self.staff.instructors["layla"]))

    def _doors(self, students: list[Student]) -> None:
        """A link and a key are handed out, and two students ask for a course that lets people in on request."""
        admin, on_request = self.staff.admin, "books"
        self.diary.days_ago(9, lambda: doors.open_doors(self.made["swahili"], self.made["photo"], self.diary.end, by=admin))
        self.diary.days_ago(3, lambda: doors.take_on_request(self.made[on_request], by=admin))
        for number, hours in enumerate((26, 5)):
            self.diary.days_ago(hours / 24, partial(self._asking, on_request, students, number))

    def _asking(self, key: str, students: list[Student], number: int) -> None:
        """One of those who are here and not in the course asks for it."""
        course = self.made[key]
        here = [one for one in students if one.actor.user_id and not enrolled(one.actor.user_id, course.id)]
        doors.ask(course, here[number], number)

    def _making(self, wish: dict[str, Any]) -> Deed:
        def make() -> None:
            course = self.made[wish["key"]] = write_course(wish, self.staff, self.categories, self.folder)
            courses.submit_for_approval(course, by=self.staff.instructors[wish["teacher"]])
            if wish["state"] != "submitted":
                self.diary.later(5, lambda: self._judge(course, wish))

        return make

    def _judge(self, course: Course, wish: dict[str, Any]) -> None:
        """The admin looks at a course that was submitted."""
        if wish["state"] == "sent_back":
            courses.send_back(course, wish["reason"], by=self.staff.admin)
            return
        courses.publish_course(course, by=self.staff.admin)
        self.academy.courses.append(course)
        if wish["state"] == "archived":
            self.diary.days_ago(38, lambda: courses.archive_course(course, by=self.staff.admin))

    def _printing(self, wish: dict[str, Any]) -> Deed:
        def make() -> None:
            issued = vouchers.create_batch(self._batch(wish), by=self.staff.admin)
            self.diary.later(2, lambda: self._hand_out(issued.batch, pile_of(wish, issued.codes), wish))

        return make

    def _batch(self, wish: dict[str, Any]) -> NewBatch:
        return NewBatch(
            label=wish["label"],
            purpose=wish["purpose"],
            prefix=wish["prefix"],
            value=Money(wish["value"], CURRENCY),
            count=wish["count"],
            per_person=wish.get("per_person"),
            sold_for_minor=wish.get("sold_for"),
            expires_at=self._day(wish["expires_in"]) if "expires_in" in wish else None,
        )

    def _day(self, days: int) -> datetime:
        return (self.diary.end + timedelta(days=days)).replace(hour=22, minute=0, second=0, microsecond=0)

    def _hand_out(self, batch: Batch, pile: Pile, wish: dict[str, Any]) -> None:
        """The cards leave the house; a few of the first batch got lost."""
        vouchers.mark_handed_out(batch, "sent" if "sold_for" in wish else "printed", by=self.staff.admin)
        self.academy.piles.append(pile)
        if wish["prefix"] == "LIB":
            lost = [
                code.id for code in db.session().scalars(select(Code).where(Code.batch_id == batch.id, Code.number > batch.code_count - 4))
            ]
            self.diary.later(400, lambda: vouchers.void_codes(batch, lost, reason="Lost in the post", by=self.staff.admin))

    def _weekly_mail(self) -> None:
        """The admin has the list of enrolments sent to herself, Mondays at eight."""
        view = reporting.save_view(Enrollments(), "", "Enrolments, weekly", path="/admin/enrollments/", is_shared=True, by=self.staff.admin)
        reporting.add_schedule(view, Timetable(zone=ZONE), [self.staff.admin.email], by=self.staff.admin)

    def _sam(self, password_hash: str) -> None:
        """The student whose sign-in is shown: far in one course, in the middle of another, with something left in the purse."""
        sam = Student(self.academy, STUDENT, 0, password_hash)
        sam.register()
        for pile in self.academy.piles:
            if pile.suits(sam.actor.user_id):
                sam.purse += pile.redeem(sam.actor)
        for key, share in (("algebra", 0.75), ("bread", 1.0), ("calligraphy", 0.34)):
            course = self.made[key]
            enrollment = enrollments.enroll_by_wallet(course, by=sam.actor)
            sam.purse -= course.price_now.minor
            lessons = lessons_of(course.id)
            for number, lesson in enumerate(lessons[: round(len(lessons) * share)]):
                self.diary.later(20 + 90 * number, partial(enrollments.mark_done, enrollment, lesson, by=sam.actor))
        self.diary.later(300, lambda: sam.review(self.made["bread"]))

    def _spam(self, key: str) -> None:
        """Somebody writes an advertisement, and the admin takes it off the page."""
        somebody = Student(self.academy, "Best Watches", 99)
        somebody.register()
        enrollment = enrollments.enroll_by_wallet(self.made[key], by=somebody.actor)
        enrollments.mark_done(enrollment, lessons_of(self.made[key].id)[0], by=somebody.actor)
        review = community.post_review(self.made[key], rating=1, body=self.academy.reviews["one"][0], by=somebody.actor)
        self.diary.later(9, lambda: community.hide_review(review, reason="This is an advertisement.", by=self.staff.admin))
