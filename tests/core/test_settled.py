"""Settled statements: the same rows as through the session, behind the same walls."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Float, Select, bindparam, cast, select
from sqlalchemy.orm import Session

from lms.auth.models import User
from lms.channels.models import Member
from lms.channels.reports import People
from lms.core import db
from lms.core.reports import View, kept
from lms.core.settled import Settled, SettledObjects, Turned
from lms.courses.models import Category, Course, Lesson
from tests.conftest import OTHER_CHANNEL
from tests.factories import people
from tests.factories.courses import a_course


def test_settled__gives_the_rows_of_the_session_for_each_value_and_of_the_running_channel_alone(work: Session) -> None:
    named = Settled(lambda: select(Member.id, Member.name).where(Member.id == bindparam("who")))
    sam, ada = people.sam(), people.ada()
    assert named.rows(who=sam.user_id) == [(sam.user_id, sam.name)] and named.rows(who=ada.user_id)[0].name == ada.name
    assert named.mappings(who=ada.user_id) == [{"id": ada.user_id, "name": ada.name}]
    work.get_one(Member, sam.user_id).name = "Samira"
    assert named.rows(who=sam.user_id)[0].name == "Samira", "what the session has not sent yet counts"
    with db.unit_of_work(OTHER_CHANNEL):
        assert named.rows(who=sam.user_id) == [], "wall 1 names the channel that runs, not the one that ran first"
    assert "channel_id" in named._text


def test_settled_objects__answer_about_themselves_and_refuse_to_be_changed(work: Session) -> None:
    course = a_course(lessons=1)
    sought = SettledObjects(
        lambda: select(Lesson).join(Course, Course.id == Lesson.course_id).outerjoin(Category, Category.id == Course.category_id),
        Lesson,
        Course,
        Category,
    )
    [(lesson, found, category)] = sought.rows()
    assert (found.id, found.title, found.price, found.is_deleted) == (course.id, course.title, course.price, False)
    assert lesson.course_id == course.id and category is None
    with pytest.raises(AttributeError):
        found.title = "Another"
    with pytest.raises(AttributeError):
        found.sections.append(lesson)


def test_settled__is_worked_out_once_by_however_many_threads_ask_first() -> None:
    built: list[int] = []

    def build() -> Select[Any]:
        built.append(1)
        return select(Lesson).join(Course, Course.id == Lesson.course_id)

    sought = SettledObjects(build, Lesson, Course)
    with ThreadPoolExecutor(8) as threads:
        texts = set(threads.map(lambda _turn: sought._settled._ready(), range(8)))
    assert len(built) == len(texts) == 1 and [kind for kind, _at, _keys in sought._parts] == [Lesson, Course]


def test_settled__refuses_what_the_driver_alone_would_answer_differently() -> None:
    with pytest.raises(Turned, match="channel"):
        Settled(select(User.id))
    with pytest.raises(Turned, match="ANY"):
        Settled(select(Member.id).where(Member.name.in_(["a", "b"])))
    with pytest.raises(Turned, match="turned round"):
        Settled(select(cast(Member.name, Float)))


def test_asked__keeps_the_statement_of_a_steady_view_but_no_rows(work: Session) -> None:
    root, report = people.root(), People()
    size = len(report.page(View(), root).rows)
    before = set(kept._kept)
    people.a_student("Newly Here")
    assert len(report.page(View(), root).rows) == size + 1 == report.count(View(), root)
    assert len(report.page(View(words="newly"), root).rows) == 1
    assert {key[1] for key in set(kept._kept) - before} == {"tally"}, "the page was kept already; a search is not"
    report.page(View(), people.ada())
    assert len(set(kept._kept) - before) == 2, "another reader has a statement of their own"
