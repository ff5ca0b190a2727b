"""The shelves of the catalogue."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from lms.core.decisions import anyone
from lms.courses import operations, policies, queries
from lms.courses.api.door import bp
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, endpoint
from lms.web.api_reading import LINE


class CategoryAnswer(Answer):
    """A shelf of the catalogue."""

    id: UUID
    name: str
    slug: str


class Categories(Answer):
    """Every category, by name."""

    rows: list[CategoryAnswer]


class CategoryName(Body):
    """A category's name."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=LINE)]


@bp.get("/categories")
@endpoint(public=True)
def categories() -> Categories:
    """Every category."""
    allow(anyone())
    return Categories(rows=[CategoryAnswer.model_validate(category) for category in queries.categories()])


@bp.post("/categories")
@endpoint(status=201)
def categories_create(body: CategoryName) -> CategoryAnswer:
    """Make a category; a name that exists gives the category that has it."""
    allow(policies.can_manage_categories(actor()))
    return CategoryAnswer.model_validate(operations.create_category(body.name, by=actor()))


@bp.patch("/categories/<uuid:category_id>")
@endpoint()
def categories_edit(category_id: UUID, body: CategoryName) -> CategoryAnswer:
    """Rename a category; its address stays."""
    category = queries.get_category(category_id)
    allow(policies.can_manage_categories(actor()))
    operations.rename_category(category, body.name, by=actor())
    return CategoryAnswer.model_validate(category)


@bp.delete("/categories/<uuid:category_id>")
@endpoint(status=204)
def categories_delete(category_id: UUID) -> None:
    """Delete an empty category."""
    category = queries.get_category(category_id)
    allow(policies.can_manage_categories(actor()))
    operations.delete_category(category, by=actor())
