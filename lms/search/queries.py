"""Finding: by words first, by likeness when no words fit; who asks decides, inside the query, what there is to find."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, true

from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import Actor
from lms.courses.models import Course
from lms.courses.queries import folded, wanted
from lms.search.models import Document

ALIKE = 0.25  # word similarity from which a title counts as meant: two letters swapped in a short word still reach it
LONGEST = 200
TEACHES = (
    select(Course.id)
    .where(Course.channel_id == Document.channel_id, Course.instructor_id == Document.ref_id, Course.status == "published")
    .correlate(Document)
    .exists()
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    kind: str
    ref_id: UUID
    title: str
    note: str
    slug: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, best first; a guess when nothing had the very words."""

    hits: Sequence[Hit]
    is_guess: bool = False

    def of(self, *kinds: str) -> list[Hit]:
        """The hits of these kinds."""
        return [hit for hit in self.hits if hit.kind in kinds]


def visible_to(by: Actor) -> ColumnElement[bool]:
    """What this person may find: strangers and students what is public, instructors also what is theirs, admins everything."""
    if by.is_admin:
        return true()
    if by.is_staff:
        return or_(Document.audience == "public", (Document.audience == "staff") & (Document.owner_id == by.user_id))
    return Document.audience == "public"


def find(words: str, *, by: Actor, kinds: Sequence[str], most: int = 20) -> Found:
    """What this person may find of these kinds under the words, at most `most` of it, in at most two queries."""
    words = words.replace("\x00", "").strip()[:LONGEST]
    if not words:
        return Found([])
    query = wanted(words)
    rank = func.ts_rank(Document.tsv, query)
    exact = _rows(_visible(by, kinds).where(Document.tsv.op("@@")(query)).order_by(rank.desc(), Document.title, Document.id).limit(most))
    if exact:
        return Found(exact)
    likeness = func.word_similarity(folded(words), Document.folded_title)
    alike = _rows(_visible(by, kinds).where(likeness >= ALIKE).order_by(likeness.desc(), Document.title, Document.id).limit(most))
    return Found(alike, is_guess=bool(alike))


def _visible(by: Actor, kinds: Sequence[str]) -> Select[str, UUID, str, str, str]:
    """What this person may find of these kinds; an instructor counts as one in public only with a published course."""
    shown = (Document.kind, Document.ref_id, Document.title, Document.note, Document.slug)
    return select(*shown).where(Document.kind.in_(kinds), visible_to(by), or_(Document.kind != "instructor", TEACHES))


def _rows(query: Select[str, UUID, str, str, str]) -> list[Hit]:
    return [Hit(*row) for row in db.session().execute(query)]


def names_of(hits: Sequence[Hit]) -> dict[UUID, str]:
    """The names people have now, whatever they were when they were indexed."""
    ids = [hit.ref_id for hit in hits if hit.kind in ("person", "instructor")]
    if not ids:
        return {}
    found = db.session().execute(select(Member.id, Member.name).where(Member.id.in_(ids)))
    return {row.id: row.name for row in found}


def newest_document() -> datetime | None:
    """When something was last put into the read model."""
    return db.session().scalar(select(func.max(Document.indexed_at)))
