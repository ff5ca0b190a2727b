"""The door's blueprint, and what its endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.core.markdown import LONGEST
from lms.courses.models import Course, Lesson, Section
from lms.courses.queries import Chapter
from lms.web.api import Amount, Answer, Body, Line, Moment

bp = Blueprint("courses_api", __name__, url_prefix="/api/v1/courses")
Level = Literal["any", "beginner", "intermediate", "advanced"]
Summary = Annotated[str, Field(max_length=300)]
Markdown = Annotated[str, Field(max_length=LONGEST, description="Markdown")]


class SaleAnswer(Answer):
    """What a course costs from a moment until just before another."""

    price: Amount
    starts_at: datetime
    ends_at: datetime


class SaleBody(Body):
    """A sale: below the price, from a moment (now without one) until just before another."""

    price: Amount
    starts_at: Moment | None = None
    ends_at: Moment


class CourseAnswer(Answer):
    """A course."""

    id: UUID
    slug: str
    title: str
    summary: str
    description: str
    level: str
    status: str
    price: Amount
    price_now: Amount
    sale: SaleAnswer | None
    category_id: UUID | None
    instructor_id: UUID
    entry: str
    cover_asset_id: UUID | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, course: Course) -> Self:
        """The course as it stands."""
        return cls.model_validate(course)


class NewCourse(Body):
    """A new draft; `id` makes sending it twice harmless."""

    id: UUID | None = None
    title: Line
    summary: Summary = ""
    description: Markdown = ""
    level: Level = "any"
    category_id: UUID | None = None
    instructor_id: UUID | None = None
    price: Amount | None = None


class CourseChange(Body):
    """What is left out stays; `category_id`, `cover_asset_id` and `sale` can be emptied with null. `version` is the one you saw."""

    version: Annotated[int, Field(ge=1, le=2**31)] | None = None
    title: Line | None = None
    summary: Summary | None = None
    description: Markdown | None = None
    level: Level | None = None
    category_id: UUID | None = None
    cover_asset_id: UUID | None = None
    instructor_id: UUID | None = None
    price: Amount | None = None
    sale: SaleBody | None = None


class LessonAnswer(Answer):
    """A lesson as those who teach see it."""

    id: UUID
    course_id: UUID
    section_id: UUID
    title: str
    kind: str
    body: str
    asset_id: UUID | None
    position: int
    status: str
    is_preview: bool
    is_due: bool = Field(description="It will be published as soon as its video is ready")
    duration_seconds: int | None
    version: int

    @classmethod
    def of(cls, lesson: Lesson) -> Self:
        """The lesson as it stands."""
        return cls.model_validate(lesson)


class SectionAnswer(Answer):
    """A section."""

    id: UUID
    course_id: UUID
    title: str
    position: int

    @classmethod
    def of(cls, section: Section) -> Self:
        """The section as it stands."""
        return cls.model_validate(section)


class LessonLine(Answer):
    """A lesson in an outline."""

    id: UUID
    title: str
    kind: str
    status: str
    is_preview: bool
    duration_seconds: int | None


class ChapterAnswer(Answer):
    """A section with its lessons in order."""

    id: UUID
    title: str
    lessons: list[LessonLine]


class OutlineAnswer(Answer):
    """The sections of a course in order."""

    sections: list[ChapterAnswer]

    @classmethod
    def of(cls, chapters: list[Chapter]) -> Self:
        """The outline as it stands."""
        return cls(
            sections=[
                ChapterAnswer(
                    id=chapter.section.id,
                    title=chapter.section.title,
                    lessons=[LessonLine.model_validate(lesson) for lesson in chapter.lessons],
                )
                for chapter in chapters
            ]
        )


class NewSection(Body):
    """A section's title; `id` makes sending it twice harmless."""

    id: UUID | None = None
    title: Line


class SectionChange(Body):
    """A section's title."""

    title: Line


class NewLesson(Body):
    """A new draft at the end of a section; `id` makes sending it twice harmless."""

    id: UUID | None = None
    title: Line
    kind: Literal["text", "video"] = "text"
    body: Markdown = ""
    asset_id: UUID | None = None


class LessonChange(Body):
    """What is left out stays; `asset_id` can be emptied with null. `version` is the one you saw."""

    version: Annotated[int, Field(ge=1, le=2**31)] | None = None
    title: Line | None = None
    kind: Literal["text", "video"] | None = None
    body: Markdown | None = None
    asset_id: UUID | None = None
    is_preview: bool | None = None
