"""Two people at once: real threads, real commits."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lms.core import db
from lms.core.decisions import Actor
from lms.courses import operations, queries
from lms.courses.errors import NothingToPublish
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import ada


def test_order_lessons__by_two_people_never_mixes_the_order(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        by, course = ada(), a_course(lessons=6)
        ids = [lesson.id for lesson in queries.lessons_of(course.id, published_only=False)]
        section_id = queries.sections_of(course.id)[0].id
    orders = [ids[::-1], ids[2:] + ids[:2]]

    def sort(order: list[Any]) -> None:
        with db.unit_of_work(CHANNEL):
            operations.order_lessons(queries.get_section(section_id), order, by=by)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sort, orders * 6))
    with db.unit_of_work(CHANNEL):
        lessons = queries.lessons_of(course.id, published_only=False)
        assert [lesson.id for lesson in lessons] in orders
        assert [lesson.position for lesson in lessons] == list(range(6))


def test_add_lesson__by_many_at_once_gives_each_its_place(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        by, course = ada(), a_course(lessons=1)
        section_id = queries.sections_of(course.id)[0].id

    def add(number: int) -> None:
        with db.unit_of_work(CHANNEL):
            operations.add_lesson(queries.get_section(section_id), f"L{number}", by=by)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(12)))
    with db.unit_of_work(CHANNEL):
        assert [lesson.position for lesson in queries.lessons_of(course.id, published_only=False)] == list(range(13))


def test_create_course__with_one_title_by_many_gives_each_an_address(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        by: Actor = ada()

    def create(_number: int) -> str:
        with db.unit_of_work(CHANNEL):
            return operations.create_course("The same", by=by).slug

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(create, range(4)))) == 4


def test_unpublish_lesson__by_two_people_leaves_one_published(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        by, course = ada(), a_course(lessons=2, published=True)
        ids = [lesson.id for lesson in queries.lessons_of(course.id)]

    def unpublish(lesson_id: Any) -> str:
        try:
            with db.unit_of_work(CHANNEL):
                operations.unpublish_lesson(queries.get_lesson(lesson_id), by=by)
        except NothingToPublish:
            return "refused"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(unpublish, ids)) == ["done", "refused"]
