"""The tables of courses, and what a row can say about itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, Index, UniqueConstraint, func, literal_column, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from lms.channels.models import Member
from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.i18n import gettext as _
from lms.core.money import Money

STATUSES = ("draft", "submitted", "published", "archived", "deleted")
LEVELS = ("any", "beginner", "intermediate", "advanced")
KINDS = ("text", "video")
ENTRIES = ("open", "key", "request", "closed")  # who may enrol by their own act
WORDS_OF = (
    "setweight(to_tsvector('simple', courses.folded(title)) || to_tsvector('english', courses.folded(title)), 'A')"
    " || setweight(to_tsvector('simple', courses.folded(summary)) || to_tsvector('english', courses.folded(summary)), 'B')"
    " || setweight(to_tsvector('english', courses.folded(left(description, 100000))), 'C')"
)


class Category(Tenant, Base):
    """A shelf of the catalogue."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("channel_id", "slug"), UniqueConstraint("channel_id", "name"), {"schema": "courses"})

    name: Mapped[str]
    slug: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True, slots=True)
class Sale:
    """What a course costs from a moment until just before another."""

    price: Money
    starts_at: datetime
    ends_at: datetime

    def covers(self, moment: datetime) -> bool:
        """Whether the sale is under way at the moment."""
        return self.starts_at <= moment < self.ends_at

    def is_over(self, moment: datetime) -> bool:
        """Whether the sale has ended by the moment."""
        return self.ends_at <= moment


class Course(Tenant, Base):
    """One course: what it teaches, who teaches it, what it costs, and where it stands between draft and archive."""

    __tablename__ = "courses"
    __table_args__ = (
        UniqueConstraint("channel_id", "slug"),
        belongs_to("category_id", "courses.categories"),
        belongs_to("instructor_id", "channels.members"),
        belongs_to("cover_asset_id", "content.assets"),
        belongs_to("entry_segment_id", "channels.segments", name="fk_entry_segment_id_channels_segments"),
        Index("ix_courses_entry_segment", "channel_id", "entry_segment_id", postgresql_where=text("entry_segment_id IS NOT NULL")),
        CheckConstraint("status IN ('draft', 'submitted', 'published', 'archived', 'deleted')", name="status"),
        CheckConstraint("level IN ('any', 'beginner', 'intermediate', 'advanced')", name="level"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("entry IN ('open', 'key', 'request', 'closed')", name="entry"),
        CheckConstraint("publish_at < unpublish_at", name="dates"),
        Index("ix_courses_publish_at", "channel_id", "publish_at", postgresql_where=text("publish_at IS NOT NULL")),
        Index("ix_courses_unpublish_at", "channel_id", "unpublish_at", postgresql_where=text("unpublish_at IS NOT NULL")),
        Index("ix_courses_tsv", "channel_id", "tsv", postgresql_using="gin"),
        Index(
            "ix_courses_title",
            "channel_id",
            func.courses.folded(literal_column("title")).label("folded_title"),
            postgresql_using="gin",
            postgresql_ops={"folded_title": "gin_trgm_ops"},
        ),
        Index("ix_courses_published", "channel_id", "published_at", postgresql_where=text("status = 'published'")),
        Index("ix_courses_instructor", "channel_id", "instructor_id"),
        Index("ix_courses_status", "channel_id", "status", "updated_at"),
        {"schema": "courses"},
    )
    __mapper_args__ = {"primary_key": ["id"], "eager_defaults": False}

    slug: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    level: Mapped[str] = mapped_column(default="any")
    category_id: Mapped[UUID | None]
    instructor_id: Mapped[UUID]
    price_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str]
    sale_price_minor: Mapped[int | None]
    sale_starts_at: Mapped[datetime | None]
    sale_ends_at: Mapped[datetime | None]
    entry: Mapped[str] = mapped_column(default="open")
    entry_domains: Mapped[list[Any]] = mapped_column(default=list)  # whose requests are granted at once: addresses there,
    entry_tag: Mapped[str] = mapped_column(default="")  # bearers of the tag,
    entry_segment_id: Mapped[UUID | None]  # or those in the segment
    status: Mapped[str] = mapped_column(default="draft")
    status_before: Mapped[str | None]
    cover_asset_id: Mapped[UUID | None]
    submitted_at: Mapped[datetime | None]
    sent_back_reason: Mapped[str | None]
    published_at: Mapped[datetime | None]
    publish_at: Mapped[datetime | None]  # goes into the catalogue by itself
    unpublish_at: Mapped[datetime | None]  # leaves it by itself
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    tsv: Mapped[Any] = mapped_column(TSVECTOR, Computed(WORDS_OF, persisted=True), deferred=True, deferred_raiseload=True)

    category: Mapped[Category | None] = relationship(
        primaryjoin=lambda: foreign(Course.category_id) == Category.id, viewonly=True, lazy="raise_on_sql"
    )
    instructor: Mapped[Member] = relationship(
        primaryjoin=lambda: foreign(Course.instructor_id) == Member.id, viewonly=True, lazy="raise_on_sql"
    )

    @property
    def price(self) -> Money:
        """What the course costs; Money(0, …) is free."""
        return Money(self.price_minor, self.currency)

    @property
    def sale(self) -> Sale | None:
        """When the course costs less, and how much; over, under way or to come."""
        if self.sale_price_minor is None or self.sale_starts_at is None or self.sale_ends_at is None:
            return None
        return Sale(Money(self.sale_price_minor, self.currency), self.sale_starts_at, self.sale_ends_at)

    def sale_at(self, moment: datetime) -> Sale | None:
        """The sale that is under way at a moment."""
        return self.sale if self.sale is not None and self.sale.covers(moment) else None

    def price_at(self, moment: datetime) -> Money:
        """What the course costs at a moment: the sale's price while it lasts."""
        sale = self.sale_at(moment)
        return sale.price if sale is not None else self.price

    @property
    def price_now(self) -> Money:
        """What the course costs now."""
        return self.price_at(now())

    @property
    def sale_now(self) -> Sale | None:
        """The sale that is under way now."""
        return self.sale_at(now())

    @property
    def is_free(self) -> bool:
        """Whether the course costs nothing."""
        return self.price_minor == 0

    @property
    def is_published(self) -> bool:
        """Whether the catalogue shows the course."""
        return self.status == "published"

    @property
    def is_deleted(self) -> bool:
        """Whether the course was deleted (and can be brought back)."""
        return self.status == "deleted"


class Section(Tenant, Base):
    """A chapter: a title over some lessons, at a place in its course."""

    __tablename__ = "sections"
    __table_args__ = (
        belongs_to("course_id", "courses.courses"),
        Index("ix_sections_course", "channel_id", "course_id", "position"),
        {"schema": "courses"},
    )

    course_id: Mapped[UUID]
    title: Mapped[str]
    position: Mapped[int]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Lesson(Tenant, Base):
    """One lesson: a text or a video, at a place in its section."""

    __tablename__ = "lessons"
    __table_args__ = (
        belongs_to("course_id", "courses.courses"),
        belongs_to("section_id", "courses.sections"),
        belongs_to("asset_id", "content.assets"),
        CheckConstraint("kind IN ('text', 'video')", name="kind"),
        CheckConstraint("status IN ('draft', 'published', 'deleted')", name="status"),
        Index("ix_lessons_section", "channel_id", "section_id", "position"),
        Index("ix_lessons_course", "channel_id", "course_id"),
        Index("ix_lessons_session", "channel_id", "session_id", postgresql_where=text("session_id IS NOT NULL")),
        Index("ix_lessons_asset", "channel_id", "asset_id", postgresql_where=text("asset_id IS NOT NULL")),
        {"schema": "courses"},
    )

    course_id: Mapped[UUID]
    section_id: Mapped[UUID]
    title: Mapped[str]
    kind: Mapped[str] = mapped_column(default="text")
    body: Mapped[str] = mapped_column(default="")
    asset_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]  # the live class this is the recording of
    position: Mapped[int]
    status: Mapped[str] = mapped_column(default="draft")
    status_before: Mapped[str | None]
    is_preview: Mapped[bool] = mapped_column(default=False)
    is_due: Mapped[bool] = mapped_column(default=False)  # publish as soon as the video is ready
    duration_seconds: Mapped[int | None]
    resource_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    published_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def is_published(self) -> bool:
        """Whether students may see the lesson."""
        return self.status == "published"

    @property
    def is_deleted(self) -> bool:
        """Whether the lesson was deleted (and can be brought back)."""
        return self.status == "deleted"

    @property
    def lacks(self) -> str:
        """What is still missing before the lesson can be published, as a sentence; empty when nothing is."""
        if self.kind == "video" and self.asset_id is None:
            return _("Upload a video first.")
        if self.kind == "text" and not self.body.strip() and not self.resource_count:
            return _("Write the text of this lesson first, or add a file to download.")
        return ""


class Resource(Tenant, Base):
    """A file to download beside a lesson, and how often it was."""

    __tablename__ = "resources"
    __table_args__ = (
        UniqueConstraint("channel_id", "lesson_id", "asset_id"),
        belongs_to("lesson_id", "courses.lessons"),
        belongs_to("asset_id", "content.assets"),
        Index("ix_resources_asset", "channel_id", "asset_id"),
        {"schema": "courses"},
    )

    lesson_id: Mapped[UUID]
    asset_id: Mapped[UUID]
    title: Mapped[str]
    downloads: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
