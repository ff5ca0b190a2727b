"""What a student of the demo does: register, redeem a card, enrol, study, and say what they think of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lms.admin.operations.demo.diary import Diary
from lms.admin.operations.demo.people import admit_student
from lms.community import operations as community
from lms.community.models import MIN_PROGRESS
from lms.core.decisions import Actor
from lms.courses import queries as courses
from lms.courses.models import Course, Lesson
from lms.enrollments import operations as enrollments
from lms.enrollments import queries
from lms.enrollments.models import Enrollment
from lms.vouchers import operations as vouchers


@dataclass(slots=True)
class Pile:
    """The cards of one batch that will find somebody."""

    value: int
    cards: list[str]
    per_person: int
    taken: Counter[UUID] = field(default_factory=Counter)

    def suits(self, user_id: UUID | None) -> bool:
        """Whether there is a card left that this person may use."""
        return bool(self.cards) and user_id is not None and self.taken[user_id] < self.per_person

    def redeem(self, by: Actor) -> int:
        """Have the person redeem one of the cards; what it is worth."""
        assert by.user_id is not None
        vouchers.redeem(self.cards.pop(), by=by)
        self.taken[by.user_id] += 1
        return self.value


@dataclass(slots=True)
class Academy:
    """What there is to redeem, to learn and to say."""

    diary: Diary
    reviews: dict[str, list[str]]
    piles: list[Pile] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)


class Student:
    """One student's way; `zeal` (0 to 1) decides how far it leads."""

    def __init__(self, academy: Academy, name: str, place: int, password_hash: str | None = None) -> None:
        self.academy = academy
        self.diary = academy.diary
        self.dice = academy.diary.dice
        self.name, self.place, self.password_hash = name, place, password_hash
        self.zeal = self.dice.betavariate(2.2, 1.6)
        self.purse = 0
        self.visits = 0
        self.actor = Actor()
        self.judged: set[UUID] = set()

    def register(self) -> None:
        """Make the account; a card follows soon, or just a look at what is free."""
        self.actor = admit_student(self.name, self.place, self.password_hash)
        self.diary.later(self.dice.uniform(0.2, 20), self.redeem)

    def redeem(self) -> None:
        """Redeem a card of some batch, and choose a course."""
        piles = [pile for pile in self.academy.piles if pile.suits(self.actor.user_id)]
        if piles and self.dice.random() < 0.93:
            self.purse += self.dice.choice(piles).redeem(self.actor)
        self.diary.later(self.dice.uniform(0.1, 4), self.enrol)

    def enrol(self) -> None:
        """Buy a course the purse can pay, begin it, and perhaps come back for another."""
        course = self._choice()
        if course is None:
            if self.visits < 2:
                self.visits += 1
                self.diary.later(self.dice.uniform(48, 240), self.redeem)
            return
        enrollment = enrollments.enroll_by_wallet(course, by=self.actor)
        self.purse -= course.price_minor
        lessons = courses.lessons_of(course.id)
        self.diary.later(self.dice.uniform(0.2, 50), self._studying(course, enrollment, list(lessons)))
        if self.dice.random() < 0.4 + self.zeal / 2:
            self.diary.later(self.dice.uniform(70, 500), self.enrol)

    def _choice(self) -> Course | None:
        fitting = [
            course
            for course in self.academy.courses
            if course.is_published and course.price_minor <= self.purse and not queries.is_enrolled(self.actor.user_id, course.id)
        ]
        return self.dice.choice(fitting) if fitting else None

    def _studying(self, course: Course, enrollment: Enrollment, lessons: list[Lesson]) -> Callable[[], None]:
        """Do the next lesson, and the one after it some day, as long as the zeal lasts."""

        def study() -> None:
            enrollments.mark_done(enrollment, lessons[0], by=self.actor)
            if enrollment.progress >= MIN_PROGRESS and course.id not in self.judged and self.dice.random() < 0.3:
                self.judged.add(course.id)
                self.diary.later(self.dice.uniform(2, 30), lambda: self.review(course))
            if lessons[1:] and self.dice.random() < 0.55 + self.zeal * 0.4:
                self.diary.later(self.dice.expovariate(1 / 60) + 3, self._studying(course, enrollment, lessons[1:]))

        return study

    def review(self, course: Course) -> None:
        """Say what they think, mostly kindly."""
        rating, words = self.dice.choices(((5, "five"), (4, "four"), (3, "three")), weights=(6, 4, 1))[0]
        body = self.dice.choice(self.academy.reviews[words]) if self.dice.random() < 0.8 else ""
        community.post_review(course, rating=rating, body=body, by=self.actor)


def pile_of(wish: dict[str, Any], codes: list[str]) -> Pile:
    """The share of a batch's cards that will be redeemed."""
    return Pile(wish["value"], codes[: round(len(codes) * wish["share"])], wish.get("per_person", 100))
