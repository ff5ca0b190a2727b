"""Finding: words, beginnings of words, accents, typing errors, and who may find what."""

import pytest
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.decisions import STRANGER
from lms.search import operations, queries
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import ada, an_instructor, root, sam

COURSES = ("course",)


@pytest.fixture
def library(work: Session) -> None:
    """Three published courses and a draft, indexed."""
    for title, summary in (
        ("Python for analysts", "Tables and charts"),
        ("Éléments de géométrie", "Droites et cercles"),
        ("Running a small bakery", "Bread, money and people; some python too"),
    ):
        a_course(title, summary=summary, published=True)
    a_course("Secret draft of Python")
    operations.rebuild()


def titles(words: str, **options: object) -> list[str]:
    """What a stranger finds."""
    return [hit.title for hit in queries.find(words, by=options.get("by", STRANGER), kinds=options.get("kinds", COURSES)).hits]  # type: ignore[arg-type]


def test_find__ranks_titles_before_texts(library: None) -> None:
    assert titles("python") == ["Python for analysts", "Running a small bakery"]


@pytest.mark.parametrize("words", ["geometrie", "GÉOMÉTRIE", "geom", "elements geometrie", '"de géométrie"'])
def test_find__forgives_accents_case_and_beginnings(library: None, words: str) -> None:
    assert titles(words) == ["Éléments de géométrie"]


@pytest.mark.parametrize(
    ("words", "title"), [("pyhton", "Python for analysts"), ("bakrey", "Running a small bakery"), ("geomertie", "Éléments de géométrie")]
)
def test_find__forgives_typing_errors(library: None, words: str, title: str) -> None:
    found = queries.find(words, by=STRANGER, kinds=COURSES)
    assert found.is_guess and found.hits[0].title == title


def test_find__knows_word_forms_and_the_web_s_signs(library: None) -> None:
    assert titles("analyst charts") == ["Python for analysts"]
    assert titles("python -bakery") == ["Python for analysts"]
    assert titles("bakery or geometrie") == ["Running a small bakery", "Éléments de géométrie"] or len(titles("bakery or geometrie")) == 2


@pytest.mark.parametrize("words", ["", "   ", "\x00", "'", "';--", "& | !", ":*", '"', "(((", "%", "\\", "a" * 5000, "🦊", "-", "!!"])
def test_find__takes_anything_typed(library: None, words: str) -> None:
    queries.find(words, by=STRANGER, kinds=COURSES)


def test_find__shows_drafts_to_their_own_people_only(library: None) -> None:
    draft = "Secret draft of Python"
    assert draft not in titles("secret") and draft not in titles("secret", by=sam())
    assert draft not in titles("secret", by=an_instructor("Ivo Instructor"))
    assert titles("secret", by=ada()) == titles("secret", by=root()) == [draft]


def test_find__shows_people_to_admins_and_teachers_to_everybody(library: None) -> None:
    assert sam().is_known
    operations.rebuild()
    for by in (STRANGER, sam(), ada()):
        assert titles("sam", by=by, kinds=("person", "instructor")) == []
        assert titles("ada", by=by, kinds=("person", "instructor")) == ["Ada Lovelace"]
    assert titles("sam@example.org", by=root(), kinds=("person",)) == ["Sam Student"]


def test_find__hides_teachers_without_a_published_course(library: None) -> None:
    an_instructor("Ivo Instructor")
    operations.rebuild()
    assert titles("ivo", kinds=("instructor",)) == []


def test_find__knows_nothing_of_other_channels(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        a_course("Python", published=True)
        operations.rebuild()
    with db.unit_of_work(OTHER_CHANNEL):
        assert titles("python", by=STRANGER) == []
        assert queries.newest_document() is None


def test_names_of__gives_the_names_of_today(library: None) -> None:
    found = queries.find("ada", by=STRANGER, kinds=("instructor",))
    assert list(queries.names_of(found.hits).values()) == ["Ada Lovelace"]
    assert queries.names_of([]) == {}


def test_newest_document__says_when(library: None) -> None:
    assert queries.newest_document() is not None
