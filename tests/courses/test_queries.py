"""What is asked of courses: the catalogue above all."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from lms.channels.models import Member
from lms.core import clock, db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import operations, queries
from lms.courses.errors import NoSuchCategory, NoSuchCourse, NoSuchLesson
from lms.courses.queries import CatalogueFilters
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.courses import a_category, a_course, a_file, a_lesson, a_section
from tests.factories.people import ada, an_instructor, root, sam


@pytest.fixture
def shelf(work: Session) -> None:
    """Four published courses and one draft."""
    maths = a_category("Maths")
    a_course("Algebra", published=True, category=maths, price=Money(500, "EUR"), level="beginner")
    a_course("Géométrie", published=True, category=maths, level="advanced", summary="Cercles")
    a_course("Bread baking", published=True, price=Money(300, "EUR"), description="Flour, water and *algebra*")
    a_course("Python", published=True, by=an_instructor("Ivo Instructor"))
    a_course("Draft of algebra")


def titles(**filters: object) -> list[str]:
    """The catalogue under these filters, by title."""
    return [course.title for course in queries.catalogue(CatalogueFilters(**filters)).courses]  # type: ignore[arg-type]


def test_catalogue__has_published_courses_newest_first(shelf: None) -> None:
    assert titles() == ["Python", "Bread baking", "Géométrie", "Algebra"]
    page = queries.catalogue(CatalogueFilters())
    assert (page.total, page.pages, page.page) == (4, 1, 1)
    assert page.contents[page.courses[0].id].lessons == 2


def test_catalogue__narrows(shelf: None) -> None:
    assert titles(category="maths") == ["Géométrie", "Algebra"]
    assert titles(price="free") == ["Python", "Géométrie"]
    assert titles(price="paid") == ["Bread baking", "Algebra"]
    assert titles(level="beginner") == ["Python", "Bread baking", "Algebra"]
    assert titles(instructor_id=an_instructor("Ivo Instructor").user_id) == ["Python"]
    assert titles(category="nothing") == titles(category="maths", price="free", level="beginner") == []


def test_catalogue__sorts(shelf: None) -> None:
    assert titles(sort="title") == ["Algebra", "Bread baking", "Géométrie", "Python"]
    assert titles(sort="price")[-1] == titles(sort="-price")[0] == "Algebra"
    assert titles(sort="'; drop") == titles()


def test_catalogue__searches_words_accents_and_typing_errors(shelf: None) -> None:
    assert titles(q="algebra") == ["Algebra", "Bread baking"]
    assert titles(q="geometrie") == titles(q="géom") == titles(q="cercle") == ["Géométrie"]
    guess = queries.catalogue(CatalogueFilters(q="pyhton"))
    assert guess.is_guess and [course.title for course in guess.courses] == ["Python"]
    assert titles(q="qqqqqq") == []


@pytest.mark.parametrize("words", ["'", "&", ":*", "(", '"', "\\", "%", "-", "🦊", "a" * 3000, "!a", "' OR 1=1 --"])
def test_catalogue__takes_anything_typed(shelf: None, words: str) -> None:
    queries.catalogue(CatalogueFilters(q=words))


def test_catalogue__turns_pages(work: Session) -> None:
    for number in range(queries.PAGE + 2):
        a_course(f"Course {number:02}", lessons=1, published=True)
    first, second = (queries.catalogue(CatalogueFilters(sort="title", page=page)) for page in (1, 2))
    assert (len(first.courses), len(second.courses), first.pages) == (queries.PAGE, 2, 2)
    assert queries.catalogue(CatalogueFilters(page=999)).page == 2


def test_catalogue_version__changes_with_what_is_shown(work: Session) -> None:
    course = a_course("Algebra", published=True)
    seen = {queries.catalogue_version()}
    operations.edit_course(course, version=course.version, by=ada(), summary="New")
    seen.add(queries.catalogue_version())
    a_category("New shelf")
    seen.add(queries.catalogue_version())
    operations.unpublish_course(course, by=root())
    seen.add(queries.catalogue_version())
    assert len(seen) == 4
    assert queries.catalogue_version() == queries.catalogue_version()


def test_public_version__changes_with_what_the_page_shows_and_is_empty_for_drafts(work: Session) -> None:
    course = a_course("Algebra", published=True, price=Money(500, "EUR"))
    seen = {queries.public_version(course.slug)}
    a_lesson(course)
    seen.add(queries.public_version(course.slug))
    work.get_one(Member, course.instructor_id).bio = "Taught for years."
    seen.add(queries.public_version(course.slug))
    course.sale_price_minor, course.sale_starts_at, course.sale_ends_at = 1, now() - timedelta(days=1), now() + timedelta(days=1)
    seen.add(queries.public_version(course.slug))
    catalogue = queries.catalogue_version()
    with clock.at(now() - timedelta(days=2)):
        assert queries.public_version(course.slug) in seen, "as it was before the sale"
        assert queries.catalogue_version() != catalogue, "a sale that begins changes the catalogue without a change of the course"
    assert len(seen) == 4 and "" not in seen
    operations.unpublish_course(course, by=root())
    assert queries.public_version(course.slug) == ""


def test_get_course__loads_its_people_and_is_not_there_for_other_channels(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", category=a_category("Maths"))
        lesson = queries.lessons_of(course.id, published_only=False)[0]
        section = queries.sections_of(course.id)[0]
        found = queries.get_course(course.id)
        assert found.category is not None and (found.category.name, found.instructor.name) == ("Maths", "Ada Lovelace")
        assert queries.get_course_by_slug("algebra") is found
    with db.unit_of_work(OTHER_CHANNEL):
        for ask, key in ((queries.get_course, course.id), (queries.get_course_by_slug, course.slug), (queries.lock_course, course.id)):
            with pytest.raises(NoSuchCourse):
                ask(key)  # type: ignore[operator]
        for ask_inside, key_inside in ((queries.get_lesson, lesson.id), (queries.get_section, section.id)):
            with pytest.raises(NoSuchLesson):
                ask_inside(key_inside)
        assert queries.lessons_of(course.id) == [] and queries.outline(course.id) == []


def test_get_category__of_nothing_is_refused(work: Session) -> None:
    with pytest.raises(NoSuchCategory):
        queries.get_category(uuid7())


def test_outline__leaves_out_drafts_and_what_is_empty_by_that(work: Session) -> None:
    course = a_course(lessons=1, published=True)
    later = a_section(course, "Later")
    a_lesson(course, title="Draft", section=later, published=False)
    shown = queries.outline(course.id, published_only=True)
    assert [[lesson.title for lesson in chapter.lessons] for chapter in shown] == [["Lesson 1"]]
    assert [chapter.section.title for chapter in queries.outline(course.id)] == ["Beginnings", "Later"]
    assert queries.count_published(course.id) == 1


def test_files_of__are_ones_own_and_usable(work: Session) -> None:
    mine, theirs = a_file(), a_file(owner=root())
    a_file(state="failed")
    a_file("image")
    assert [file.id for file in queries.files_of(ada(), "video")] == [mine.id]
    assert {file.id for file in queries.files_of(root(), "video")} == {mine.id, theirs.id}


def test_instructors__are_those_who_may_teach(work: Session) -> None:
    sam(), ada(), root()
    assert [member.name for member in queries.instructors()] == ["Ada Lovelace", "Root Admin"]
    assert queries.is_instructor(ada().user_id) and not queries.is_instructor(sam().user_id)  # type: ignore[arg-type]


def test_count_courses_in__and_teachers_on_sale(shelf: None) -> None:
    assert list(queries.count_courses_in().values()) == [2]
    assert [member.name for member in queries.teachers_on_sale()] == ["Ada Lovelace", "Ivo Instructor"]


def test_submitted_courses__wait_in_order(work: Session) -> None:
    for title in ("First", "Second"):
        course = a_course(title)
        operations.publish_ready_lessons(course, by=ada())
        operations.submit_for_approval(course, by=ada())
    assert [course.title for course in queries.submitted_courses()] == ["First", "Second"]


def test_history_of__tells_of_course_sections_and_lessons(work: Session) -> None:
    course = a_course(lessons=1)
    a_course("Other", lessons=1)
    rows = queries.history_of(course)
    assert {row.action for row in rows} == {"courses.create", "courses.add_section", "courses.add_lesson"}
    assert len(queries.history_of(course, before=rows[0].id)) == len(rows) - 1
