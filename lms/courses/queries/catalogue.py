"""The catalogue: published courses found by words, filters and order, a page at a time; and how to tell that it changed."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import joinedload

from lms.channels.models import Member
from lms.core import db
from lms.core.clock import now
from lms.courses.models import LEVELS, Category, Course
from lms.courses.queries.outline import Contents, contents_of

PAGE = 24
SORTS = ("relevance", "newest", "title", "price", "-price")
ALIKE = 0.25  # word similarity from which a title counts as meant: two letters swapped in a short word still reach it


@dataclass(frozen=True, slots=True)
class CatalogueFilters:
    """What the reader asks the catalogue for; values that make no sense are as if they were not there."""

    q: str = ""
    category: str = ""
    price: str = ""  # "" · free · paid
    level: str = ""
    instructor_id: UUID | None = None
    sort: str = ""
    page: int = 1

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the order was asked for."""
        return bool(self.q or self.category or self.price or self.level or self.instructor_id)


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """One page of the catalogue: its courses with category and instructor, how many there are in all, and what they hold."""

    courses: Sequence[Course]
    total: int
    page: int
    is_guess: bool = False  # nothing had the words; these have alike ones
    contents: dict[UUID, Contents] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def folded(words: str) -> ColumnElement[str]:
    """The words in lower case without accents, as the indexes hold them."""
    return func.courses.folded(literal(words))


def wanted(words: str) -> ColumnElement[Any]:
    """What a person typed as a text query: quotes, OR and -word as on the web; the last word may be only begun."""
    plain = func.websearch_to_tsquery("simple", folded(words))
    begun = case((func.numnode(plain) > 0, cast(func.concat(plain, ":*"), TSQUERY)), else_=plain)
    either = begun.op("||", return_type=TSQUERY())(func.websearch_to_tsquery("english", folded(words)))
    return select(either).scalar_subquery()  # worked out once, not for each row


def catalogue(filters: CatalogueFilters) -> CataloguePage:
    """One page of the published courses that fit; typing errors are forgiven when nothing has the very words."""
    words = filters.q.strip()[:200]
    exact = _fitting(filters)
    if not words:
        return _page(exact, filters, _order(filters, None))
    query = wanted(words)
    found = _page(exact.where(Course.tsv.op("@@")(query)), filters, _order(filters, func.ts_rank(Course.tsv, query).desc()))
    if found.total:
        return found
    likeness = func.word_similarity(folded(words), func.courses.folded(Course.title))
    guessed = _page(exact.where(likeness >= ALIKE), filters, _order(filters, likeness.desc()))
    return CataloguePage(guessed.courses, guessed.total, guessed.page, bool(guessed.total), guessed.contents)


def price_now() -> ColumnElement[int]:
    """What a course costs now, in minor units: the sale's price while it lasts."""
    moment = now()
    is_on_sale = and_(Course.sale_starts_at <= moment, Course.sale_ends_at > moment)
    return case((is_on_sale, Course.sale_price_minor), else_=Course.price_minor)


def _fitting(filters: CatalogueFilters) -> Select[Course]:
    query = select(Course).where(Course.status == "published")
    if filters.category:
        query = query.where(Course.category_id.in_(select(Category.id).where(Category.slug == filters.category)))
    if filters.price in ("free", "paid"):
        query = query.where(price_now() == 0 if filters.price == "free" else price_now() > 0)
    if filters.level in LEVELS[1:]:
        query = query.where(or_(Course.level == filters.level, Course.level == "any"))
    if filters.instructor_id:
        query = query.where(Course.instructor_id == filters.instructor_id)
    return query


def _order(filters: CatalogueFilters, rank: Any) -> list[Any]:
    newest: list[Any] = [Course.published_at.desc(), Course.id.desc()]
    ways: dict[str, list[Any]] = {
        "title": [func.lower(Course.title), Course.id],
        "price": [price_now(), *newest],
        "-price": [price_now().desc(), *newest],
        "newest": newest,
    }
    return ways.get(filters.sort) or ([rank, *newest] if rank is not None else newest)


def _page(query: Select[Course], filters: CatalogueFilters, order: list[Any]) -> CataloguePage:
    session = db.session()
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = min(max(filters.page, 1), max(1, -(-total // PAGE)))
    if not total:
        return CataloguePage([], 0, 1)
    people = (joinedload(Course.category), joinedload(Course.instructor))
    courses = session.scalars(query.order_by(*order).limit(PAGE).offset((page - 1) * PAGE).options(*people)).all()
    return CataloguePage(courses, total, page, contents=contents_of([course.id for course in courses]))


def teachers_on_sale() -> Sequence[Member]:
    """The instructors who have a published course, by name."""
    teaching = select(Course.instructor_id).where(Course.status == "published")
    return db.session().scalars(select(Member).where(Member.id.in_(teaching)).order_by(Member.name, Member.id)).all()


CATALOGUE_VERSION = """
    SELECT count(c.id), max(c.updated_at), md5(string_agg(m.name, ',' ORDER BY c.id)) AS names,
        md5(string_agg(CAST(CASE WHEN c.sale_starts_at <= %(now)s AND c.sale_ends_at > %(now)s
            THEN c.sale_price_minor ELSE c.price_minor END AS text), ',' ORDER BY c.id)) AS prices,
        (SELECT md5(string_agg(k.name, ',' ORDER BY k.id)) FROM courses.categories k WHERE k.channel_id = %(channel)s) AS shelves
    FROM courses.courses c LEFT JOIN channels.members m ON m.channel_id = c.channel_id AND m.id = c.instructor_id
    WHERE c.channel_id = %(channel)s AND c.status = 'published'
"""
PUBLIC_VERSION = """
    SELECT c.id, c.updated_at, m.name, md5(m.bio) AS bio, m.avatar_key, k.name AS shelf,
        CASE WHEN c.sale_starts_at <= %(now)s AND c.sale_ends_at > %(now)s THEN c.sale_price_minor ELSE c.price_minor END AS price
    FROM courses.courses c JOIN channels.members m ON m.channel_id = c.channel_id AND m.id = c.instructor_id
    LEFT JOIN courses.categories k ON k.channel_id = c.channel_id AND k.id = c.category_id
    WHERE c.channel_id = %(channel)s AND c.slug = %(slug)s AND c.status = 'published'
"""


def catalogue_version() -> str:
    """A text that changes whenever the catalogue would look different: the number and newest change of courses, shelves and names."""
    return "|".join(str(part) for part in db.rows(CATALOGUE_VERSION, now=now())[0])


def public_version(slug: str) -> str:
    """A text that changes whenever the public page of the course would look different; "" when it has no public page."""
    found = db.rows(PUBLIC_VERSION, slug=slug, now=now())
    return "|".join(str(part) for part in found[0]) if found else ""


def free_slug(title: str, *, taken: type[Course] | type[Category] = Course, besides: UUID | None = None) -> str:
    """A name for the address, made of the title, that no other course (or category) of the channel has: `python`, then `python-2`."""
    base = slugged(title)
    query = select(taken.slug).where(or_(taken.slug == base, taken.slug.startswith(f"{base}-", autoescape=True)))
    if besides is not None:
        query = query.where(taken.id != besides)
    used = set(db.session().scalars(query))
    slug, number = base, 1
    while slug in used:
        number += 1
        slug = f"{base}-{number}"
    return slug


def slugged(title: str) -> str:
    """A title as it stands in an address: lower case, Latin letters without accents, other scripts as they are."""
    letters = unicodedata.normalize("NFKD", title.lower())
    plain = "".join(letter for letter in letters if not ("\u0300" <= letter <= "\u036f"))
    return re.sub(r"[^\w]+|_", "-", unicodedata.normalize("NFC", plain))[:80].strip("-") or "course"
