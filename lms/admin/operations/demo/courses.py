"""The demo's courses, as an instructor would make them: words, cover, film, lessons, and where each of them stands."""

import tomllib
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from lms.admin.operations.demo.opening import CURRENCY
from lms.admin.operations.demo.people import Staff
from lms.admin.operations.demo.pictures import paint_cover, paint_title, shoot_film
from lms.content import operations as content
from lms.core.decisions import Actor
from lms.core.money import Money
from lms.courses import operations, queries
from lms.courses.models import Course, Section

PLAN = Path(__file__).with_name("academy.toml")
SECTIONS = ("Begin here", "Going on")


def read_plan() -> dict[str, Any]:
    """Everything the demo is made of, as its file says."""
    return tomllib.loads(PLAN.read_text(encoding="utf-8"))


def paint(plan: dict[str, Any], folder: Path, ffmpeg: str) -> None:
    """Make the covers and the films of all courses as files of the folder."""
    for number, course in enumerate(plan["courses"]):
        colors = cast(tuple[str, str], tuple(course["colors"]))
        paint_cover(folder / f"{course['key']}.jpg", colors, course["key"])
        if "video" in course:
            card = folder / f"{course['key']}.png"
            paint_title(card, course["title"], course["video"])
            shoot_film(ffmpeg, folder / f"{course['key']}.mp4", card, colors, number)
    (folder / "broken.mp4").write_bytes(b"This was a film once; the telephone it was copied from fell into the sea.\n")


def write_course(wish: dict[str, Any], staff: Staff, categories: dict[str, UUID], folder: Path) -> Course:
    """A course of the plan with its cover and lessons: still a draft, ready to be submitted."""
    teacher = staff.instructors[wish["teacher"]]
    course = operations.create_course(
        wish["title"],
        by=teacher,
        price=Money(wish["price"], CURRENCY),
        summary=wish["summary"],
        description=wish["description"],
        level=wish["level"],
        category_id=categories[wish["category"]],
    )
    cover = content.receive_path(folder / f"{wish['key']}.jpg", f"{wish['key']}.jpg", "image", by=teacher)
    operations.set_cover(course, cover.id, by=teacher)
    section = operations.add_section(course, SECTIONS[0], by=teacher)
    for place, lesson in enumerate(wish["lessons"]):
        if place == 2:
            section = operations.add_section(course, SECTIONS[1], by=teacher)
        made = operations.add_lesson(section, lesson["title"], body=lesson["body"].strip(), by=teacher)
        if lesson.get("preview"):
            operations.edit_lesson(
                made, version=made.version, title=made.title, kind=made.kind, body=made.body, is_preview=True, by=teacher
            )
        if not lesson.get("draft"):
            operations.publish_lesson(made, by=teacher)
    if "video" in wish:
        film = content.receive_path(folder / f"{wish['key']}.mp4", f"{wish['key']}.mp4", "video", by=teacher)
        shown = operations.add_lesson(section, wish["video"], kind="video", asset_id=film.id, by=teacher)
        operations.move_lesson(shown, 0, section=_first_section(course), by=teacher)
        operations.publish_lesson(shown, when_ready=True, by=teacher)
    return course


def _first_section(course: Course) -> Section:
    return queries.sections_of(course.id)[0]


def lose_a_film(folder: Path, by: Actor) -> None:
    """Hand over a file that is no film: a worker will refuse it, and say so to its owner."""
    content.receive_path(folder / "broken.mp4", "holiday-on-the-pier.mp4", "video", by=by)
