"""Door 3: one box over courses, lessons and people."""

from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from lms.search import policies, queries
from lms.web.access import actor, allow
from lms.web.api import Answer, Query, endpoint

bp = Blueprint("search_api", __name__, url_prefix="/api/v1/search")
KINDS = {"": ("course", "instructor"), "courses": ("course",), "instructors": ("instructor",)}


class SearchQuery(Query):
    """Words, and one kind of thing if wanted."""

    q: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["", "courses", "instructors"] = ""


class HitAnswer(Answer):
    """One thing found."""

    kind: str
    id: UUID
    title: str
    note: str


class Hits(Answer):
    """What was found, best first."""

    rows: list[HitAnswer]


@bp.get("")
@endpoint(public=True)
def index(query: SearchQuery) -> Hits:
    """Courses and instructors under the words."""
    allow(policies.can_search(actor()))
    found = queries.find(query.q[: queries.LONGEST], by=actor(), kinds=KINDS[query.kind], most=50)
    return Hits(rows=[HitAnswer(kind=hit.kind, id=hit.ref_id, title=hit.title, note=hit.note) for hit in found.hits])
