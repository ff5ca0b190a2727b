"""What is inside a course: its sections and lessons in order, and the files they use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from lms.content.models import Asset
from lms.content.queries import assets_by_id
from lms.core import db
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.courses.errors import NoSuchLesson
from lms.courses.models import Course, Lesson, Resource, Section

IN_ORDER = (Section.position, Section.id, Lesson.position, Lesson.id)


@dataclass(slots=True)
class Chapter:
    """A section with its lessons in order."""

    section: Section
    lessons: list[Lesson] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Contents:
    """How much there is in a course: published lessons and their seconds of video."""

    lessons: int = 0
    seconds: int = 0


def outline(course_id: UUID, *, published_only: bool = False) -> list[Chapter]:
    """The sections with their lessons in order; `published_only` leaves out drafts, and sections left empty by that."""
    chapters = {section.id: Chapter(section) for section in sections_of(course_id)}
    for lesson in lessons_of(course_id, published_only=published_only):
        chapters[lesson.section_id].lessons.append(lesson)
    return [chapter for chapter in chapters.values() if chapter.lessons or not published_only]


def sections_of(course_id: UUID) -> Sequence[Section]:
    """The sections of a course in order."""
    query = select(Section).where(Section.course_id == course_id, Section.deleted_at.is_(None)).order_by(Section.position, Section.id)
    return db.session().scalars(query).all()


def lessons_of(course_id: UUID, published_only: bool = True) -> Sequence[Lesson]:
    """The lessons of a course in the order of its outline; without deleted ones, and without drafts unless asked for."""
    query = (
        select(Lesson)
        .join(Section, Section.id == Lesson.section_id)
        .where(Lesson.course_id == course_id, Lesson.status != "deleted", Section.deleted_at.is_(None))
        .order_by(*IN_ORDER)
    )
    if published_only:
        query = query.where(Lesson.status == "published")
    return db.session().scalars(query).all()


def siblings_of(section_id: UUID) -> Sequence[Lesson]:
    """The lessons of one section in order."""
    query = select(Lesson).where(Lesson.section_id == section_id, Lesson.status != "deleted").order_by(Lesson.position, Lesson.id)
    return db.session().scalars(query.execution_options(populate_existing=True)).all()


def get_lesson(lesson_id: UUID) -> Lesson:
    """One lesson of any status."""
    lesson = db.session().scalars(select(Lesson).where(Lesson.id == lesson_id)).one_or_none()
    if lesson is None:
        raise NoSuchLesson(_("There is no such lesson here."))
    return lesson


def get_section(section_id: UUID) -> Section:
    """One section, deleted or not."""
    section = db.session().scalars(select(Section).where(Section.id == section_id)).one_or_none()
    if section is None:
        raise NoSuchLesson(_("There is no such section here."))
    return section


def lessons_using(asset_id: UUID) -> Sequence[Lesson]:
    """The lessons whose video is this asset."""
    return db.session().scalars(select(Lesson).where(Lesson.asset_id == asset_id, Lesson.status != "deleted")).all()


def count_published(course_id: UUID) -> int:
    """How many lessons of a course are published."""
    query = (
        select(func.count())
        .select_from(Lesson)
        .join(Section, Section.id == Lesson.section_id)
        .where(Lesson.course_id == course_id, Lesson.status == "published", Section.deleted_at.is_(None))
    )
    return db.session().scalar(query) or 0


def assets_of(lessons: Iterable[Lesson], course: Course | None = None) -> dict[UUID, Asset]:
    """The files of these lessons (and the cover of the course) by id."""
    return assets_by_id([*(lesson.asset_id for lesson in lessons), course.cover_asset_id if course is not None else None])


def covers_of(asset_ids: Iterable[UUID | None]) -> dict[UUID, Asset]:
    """The pictures of several courses by id."""
    return assets_by_id(list(asset_ids))


def files_of(owner: Actor, kind: str, *, most: int = 30) -> Sequence[Asset]:
    """The newest usable files of a kind this person uploaded; anybody's for an admin."""
    query = select(Asset).where(Asset.kind == kind, Asset.state.in_(("checking", "processing", "ready")))
    if not owner.is_admin:
        query = query.where(Asset.owner_id == owner.user_id)
    return db.session().scalars(query.order_by(Asset.created_at.desc(), Asset.id.desc()).limit(most)).all()


def contents_of(course_ids: Iterable[UUID]) -> dict[UUID, Contents]:
    """Lessons and seconds of several courses, counted together; a course without published lessons is left out."""
    query = (
        select(Lesson.course_id, func.count(), func.coalesce(func.sum(Lesson.duration_seconds), 0))
        .join(Section, Section.id == Lesson.section_id)
        .where(Lesson.course_id.in_(list(course_ids)), Lesson.status == "published", Section.deleted_at.is_(None))
        .group_by(Lesson.course_id)
    )
    return {course_id: Contents(count, int(seconds or 0)) for course_id, count, seconds in db.session().execute(query)}


def resources_of(lesson_id: UUID) -> list[tuple[Resource, Asset]]:
    """The files to download beside a lesson, by title."""
    statement = (
        select(Resource, Asset).join(Asset, Asset.id == Resource.asset_id).where(Resource.lesson_id == lesson_id, Asset.state != "deleted")
    )
    return [(row, asset) for row, asset in db.session().execute(statement.order_by(func.lower(Resource.title), Resource.id))]


def find_resource(lesson_id: UUID, asset_id: UUID) -> Resource:
    """The file of a lesson; raises NoSuchLesson."""
    return _resource(select(Resource).where(Resource.lesson_id == lesson_id, Resource.asset_id == asset_id))


def get_resource(resource_id: UUID) -> Resource:
    """One file to download beside a lesson; raises NoSuchLesson."""
    return _resource(select(Resource).where(Resource.id == resource_id))


def _resource(statement: Select[Any]) -> Resource:
    found: Resource | None = db.session().scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NoSuchLesson(_("There is no such file beside this lesson. It may have been taken away."))
    return found


def uses_of(asset_id: UUID) -> list[tuple[Lesson, Course]]:
    """The lessons that show a file or offer it, with their courses, deleted ones left out."""
    offered = select(Resource.lesson_id).where(Resource.asset_id == asset_id)
    statement = (
        select(Lesson, Course)
        .join(Course, Course.id == Lesson.course_id)
        .where(or_(Lesson.asset_id == asset_id, Lesson.id.in_(offered)), Lesson.status != "deleted")
        .order_by(func.lower(Course.title), Lesson.position, Lesson.id)
    )
    return [(lesson, course) for lesson, course in db.session().execute(statement)]
