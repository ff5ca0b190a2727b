"""The shelves of the catalogue."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.core import bin
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import operations, policies, queries
from lms.courses.admin.door import bp
from lms.courses.forms import CategoryForm
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


@bp.route("/categories", methods=["GET", "POST"])
def categories() -> ResponseReturnValue:
    """Every category with how many courses it holds; and a new one."""
    allow(policies.can_manage_categories(actor()))
    form = CategoryForm()
    if form.is_submitted():
        if not form.validate():
            return invalid("courses/admin/categories.html", page="courses/admin/categories.html", form=form, **shelves())
        operations.create_category(form.name.data, by=actor())
        toast(_("Saved."), tone="success")
        return moved(url_for(".categories"))
    return render_template("courses/admin/categories.html", form=form, **shelves())


def shelves() -> dict[str, Any]:
    """The categories and the number of courses in each."""
    return {"categories": queries.categories(), "counts": queries.count_courses_in()}


@bp.route("/categories/<uuid:category_id>/edit", methods=["GET", "POST"])
def categories_edit(category_id: UUID) -> ResponseReturnValue:
    """Rename a category."""
    allow(policies.can_manage_categories(actor()))
    category = queries.get_category(category_id)
    form = CategoryForm()
    page = "courses/admin/categories_edit.html"
    if not form.is_submitted():
        form.name.data = category.name
        return render_template(page, form=form, category=category)
    if form.validate():
        try:
            operations.rename_category(category, form.name.data, by=actor())
            toast(_("Saved."), tone="success")
            return moved(url_for(".categories"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, category=category)


@bp.route("/categories/<uuid:category_id>/delete", methods=["POST"])
def categories_delete(category_id: UUID) -> ResponseReturnValue:
    """Delete an empty category."""
    allow(policies.can_manage_categories(actor()))
    category = queries.get_category(category_id)
    operations.delete_category(category, by=actor())
    toast(_("The category “%(name)s” is in the bin.", name=category.name), undo=url_for(".categories_restore", category_id=category_id))
    return moved(url_for(".categories"))


@bp.route("/categories/<uuid:category_id>/restore", methods=["POST"])
def categories_restore(category_id: UUID) -> ResponseReturnValue:
    """Bring a deleted category back out of the bin."""
    allow(policies.can_manage_categories(actor()))
    row = bin.lying("category", category_id)
    bin.restore(row, by=actor())
    toast(_("The category “%(name)s” is back.", name=row.title), tone="success")
    return moved(url_for(".categories"))
