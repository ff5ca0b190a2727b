"""The catalogue, the courses one works on, and one course."""

from typing import Annotated, Literal
from uuid import UUID

from flask import url_for
from pydantic import Field

from lms.core.clock import now
from lms.core.decisions import anyone
from lms.core.money import Money
from lms.courses import operations, policies, queries
from lms.courses.api.door import CourseAnswer, CourseChange, NewCourse, SaleAnswer, SaleBody, bp
from lms.courses.models import Course, Sale
from lms.courses.operations.courses import Words
from lms.courses.reports import Courses, DeletedCourses
from lms.web.access import actor, allow
from lms.web.api import Amount, Answer, Query, Rows, answer_rows, endpoint, given, located

WORDS = frozenset({"title", "summary", "description", "level", "category_id"})


class CatalogueQuery(Query):
    """What the catalogue is searched by."""

    q: Annotated[str, Field(max_length=200)] = ""
    category: Annotated[str, Field(max_length=120, description="The category's slug")] = ""
    price: Literal["", "free", "paid"] = ""
    level: Literal["", "any", "beginner", "intermediate", "advanced"] = ""
    instructor: UUID | None = None
    sort: Literal["", "relevance", "newest", "title", "price", "-price"] = ""
    page: Annotated[int, Field(ge=1, le=10_000)] = 1


class CatalogueCourse(Answer):
    """A published course as the catalogue shows it."""

    id: UUID
    slug: str
    title: str
    summary: str
    level: str
    price: Amount
    price_now: Amount
    sale: SaleAnswer | None
    instructor: str
    lessons: int
    seconds: int


class CatalogueAnswer(Answer):
    """One page of the catalogue; `is_guess`: nothing had the very words, these are alike."""

    rows: list[CatalogueCourse]
    count: int
    page: int
    is_guess: bool


@bp.get("/catalogue")
@endpoint(public=True)
def catalogue(query: CatalogueQuery) -> CatalogueAnswer:
    """The published courses."""
    allow(anyone())
    filters = queries.CatalogueFilters(
        q=query.q,
        category=query.category,
        price=query.price,
        level=query.level,
        instructor_id=query.instructor,
        sort=query.sort,
        page=query.page,
    )
    found = queries.catalogue(filters)
    return CatalogueAnswer(
        rows=[_line(course, found) for course in found.courses], count=found.total, page=found.page, is_guess=found.is_guess
    )


@bp.get("")
@endpoint(lists=Courses)
def index() -> Rows:
    """The courses one works on: an instructor's own, an admin's all."""
    allow(policies.can_list(actor()))
    return answer_rows(Courses())


@bp.get("/deleted")
@endpoint(lists=DeletedCourses)
def deleted() -> Rows:
    """Courses that can be restored."""
    allow(policies.can_list(actor()))
    return answer_rows(DeletedCourses())


@bp.post("")
@endpoint(status=201)
def index_create(body: NewCourse) -> CourseAnswer:
    """Begin a course; it is a draft."""
    allow(policies.can_create(actor()))
    if body.instructor_id is not None and body.instructor_id != actor().user_id:
        allow(policies.can_choose_instructor(actor()))
    course = operations.create_course(
        body.title,
        by=actor(),
        course_id=body.id,
        instructor_id=body.instructor_id,
        price=_money(body.price),
        summary=body.summary,
        description=body.description,
        level=body.level,
        category_id=body.category_id,
    )
    allow(policies.can_view(actor(), course))
    located(url_for(".show", course_id=course.id))
    return CourseAnswer.of(course)


@bp.get("/<uuid:course_id>")
@endpoint(public=True)
def show(course_id: UUID) -> CourseAnswer:
    """One course: published ones for everybody, others for those who work on them."""
    course = queries.get_course(course_id)
    allow(policies.can_read(actor(), course))
    return CourseAnswer.of(course)


@bp.patch("/<uuid:course_id>")
@endpoint()
def show_edit(course_id: UUID, body: CourseChange) -> CourseAnswer:
    """Change a course's words, price, cover or teacher."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    values = given(body, "category_id", "cover_asset_id", "sale")
    if "price" in values or "sale" in values:
        allow(policies.can_set_price(actor(), course))
    if "instructor_id" in values:
        allow(policies.can_choose_instructor(actor()))
    _change(course, body, values)
    return CourseAnswer.of(queries.lock_course(course_id))


def _change(course: Course, body: CourseChange, values: dict[str, object]) -> None:
    """Save what was sent, each part by its own operation."""
    words: Words = {}
    for name in WORDS & set(values):
        words[name] = values[name]  # type: ignore[literal-required]
    if words:
        operations.edit_course(course, version=body.version or course.version, by=actor(), **words)
    if body.instructor_id is not None:
        operations.set_instructor(course, body.instructor_id, by=actor())
    price = _money(body.price)
    if price is not None:
        operations.set_price(course, price, by=actor())
    if "sale" in values:
        operations.set_sale(course, _sale(body.sale), by=actor())
    if "cover_asset_id" in values:
        operations.set_cover(course, body.cover_asset_id, by=actor())


def _sale(sale: SaleBody | None) -> Sale | None:
    if sale is None:
        return None
    return Sale(Money(sale.price.minor, sale.price.currency), sale.starts_at or now(), sale.ends_at)


def _money(price: Amount | None) -> Money | None:
    return Money(price.minor, price.currency) if price is not None else None


def _line(course: Course, page: queries.CataloguePage) -> CatalogueCourse:
    contents = page.contents.get(course.id, queries.Contents())
    return CatalogueCourse(
        id=course.id,
        slug=course.slug,
        title=course.title,
        summary=course.summary,
        level=course.level,
        price=Amount.model_validate(course.price),
        price_now=Amount.model_validate(course.price_now),
        sale=SaleAnswer.model_validate(course.sale_now) if course.sale_now else None,
        instructor=course.instructor.name,
        lessons=contents.lessons,
        seconds=contents.seconds,
    )
