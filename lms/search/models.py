"""The read model of search."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant

KINDS = ("course", "lesson", "instructor", "person", "batch")
AUDIENCES = ("public", "staff", "admin")
WORDS_OF = (
    "setweight(to_tsvector('simple', courses.folded(title)) || to_tsvector('english', courses.folded(title)), 'A')"
    " || setweight(to_tsvector('simple', courses.folded(note)), 'B')"
    " || setweight(to_tsvector('english', courses.folded(left(body, 100000))), 'C')"
)


class Document(Tenant, Base):
    """One thing that can be found: its words, where it leads, and who may find it.

    `audience` is public, staff (admins, and the instructor who is the owner) or admin.
    """

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("channel_id", "kind", "ref_id"),
        CheckConstraint("kind IN ('course', 'lesson', 'instructor', 'person', 'batch')", name="kind"),
        CheckConstraint("audience IN ('public', 'staff', 'admin')", name="audience"),
        Index("ix_documents_tsv", "channel_id", "tsv", postgresql_using="gin"),
        Index(
            "ix_documents_title",
            "channel_id",
            "folded_title",
            postgresql_using="gin",
            postgresql_ops={"folded_title": "gin_trgm_ops"},
        ),
        Index("ix_documents_parent", "channel_id", "parent_id"),
        {"schema": "search"},
    )
    __mapper_args__ = {"primary_key": ["id"], "eager_defaults": False}

    kind: Mapped[str]
    ref_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    title: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    slug: Mapped[str] = mapped_column(default="")
    audience: Mapped[str]
    owner_id: Mapped[UUID | None]
    folded_title: Mapped[str] = mapped_column(Computed("courses.folded(title)", persisted=True), deferred=True, deferred_raiseload=True)
    indexed_at: Mapped[datetime] = mapped_column(default=now)
    tsv: Mapped[Any] = mapped_column(TSVECTOR, Computed(WORDS_OF, persisted=True), deferred=True, deferred_raiseload=True)
