"""Categories, courses and lessons for tests, in English; each is made by the operations themselves."""

from lms.content.models import Asset
from lms.core import db
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import operations, queries
from lms.courses.models import Category, Course, Lesson, Section
from tests.factories.people import ada, root

FREE = Money(0, "EUR")


def a_category(name: str = "Mathematics") -> Category:
    """A shelf of the catalogue."""
    return operations.create_category(name, by=root())


def a_course(
    title: str = "Algebra for everybody",
    *,
    lessons: int = 2,
    published: bool = False,
    price: Money = FREE,
    by: Actor | None = None,
    category: Category | None = None,
    summary: str = "Numbers and letters.",
    description: str = "We begin at **zero**.",
    level: str = "any",
) -> Course:
    """A course of Ada's (or of `by`) with one section of text lessons, published ones when the course is."""
    teacher = by or ada()
    course = operations.create_course(
        title, by=teacher, price=price, summary=summary, description=description, level=level, category_id=category.id if category else None
    )
    if lessons:
        section = a_section(course)
        for number in range(1, lessons + 1):
            a_lesson(course, title=f"Lesson {number}", section=section, published=published)
    if published:
        operations.publish_course(course, by=root())
    return queries.get_course(course.id)


def a_section(course: Course, title: str = "Beginnings") -> Section:
    """A section at the end of the course."""
    return operations.add_section(course, title, by=root())


def a_lesson(
    course: Course,
    *,
    title: str = "A lesson",
    kind: str = "text",
    section: Section | None = None,
    body: str = "Some *words*.",
    published: bool = True,
    is_preview: bool = False,
    asset: Asset | None = None,
) -> Lesson:
    """A lesson at the end of the section, or of the course's last one; a video lesson gets a ready video unless `asset` is given."""
    sections = queries.sections_of(course.id)
    section = section or (sections[-1] if sections else a_section(course))
    lesson = operations.add_lesson(section, title, kind=kind, body=body if kind == "text" else "", by=root())
    if is_preview:
        operations.edit_lesson(lesson, version=lesson.version, title=title, kind=kind, body=lesson.body, is_preview=True, by=root())
    if kind == "video":
        operations.set_video(lesson, (asset or a_file()).id, by=root())
    if published:
        operations.publish_lesson(lesson, by=root())
    return lesson


def a_file(kind: str = "video", *, state: str = "ready", owner: Actor | None = None, seconds: int | None = 61) -> Asset:
    """A file as the content module leaves it: a video that plays, or one on its way."""
    names = {"video": ("talk.mp4", "video/mp4"), "image": ("cover.png", "image/png")}
    filename, content_type = names[kind]
    owner_id = (owner or ada()).user_id
    assert owner_id is not None
    asset_id = uuid7()
    folder = f"{db.work().channel_id}/assets/{asset_id}"
    asset = Asset(
        id=asset_id,
        owner_id=owner_id,
        kind=kind,
        state=state,
        filename=filename,
        content_type=content_type,
        size=1000,
        original_key=f"{folder}/{filename}",
        folder=folder if state == "ready" else None,
        mp4_key=f"{folder}/talk.mp4" if kind == "video" and state == "ready" else None,
        poster_key=f"{folder}/poster.jpg" if state == "ready" else None,
        duration_seconds=float(seconds) if seconds and kind == "video" and state == "ready" else None,
    )
    db.session().add(asset)
    db.session().flush()
    return asset
