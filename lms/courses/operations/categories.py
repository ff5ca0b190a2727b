"""The shelves of the catalogue."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from lms.core import audit, bin, db
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.courses import queries
from lms.courses.errors import CategoryInUse
from lms.courses.models import Category, Course


def create_category(name: str, *, by: Actor, category_id: UUID | None = None) -> Category:
    """Make a category; a name that exists gives back the category that has it."""
    name = _named(name)
    existing = db.session().scalars(select(Category).where(func.lower(Category.name) == name.lower())).one_or_none()
    if existing is not None:
        return existing
    category = Category(id=category_id or uuid7(), name=name, slug=queries.free_slug(name, taken=Category))
    try:
        with db.session().begin_nested():
            db.session().add(category)
    except IntegrityError:
        return db.session().scalars(select(Category).where(Category.name == name)).one()
    audit.record("courses.create_category", category, by=by, after={"name": name})
    return category


def rename_category(category: Category, name: str, *, by: Actor) -> None:
    """Give a category another name; its address stays. Raises Invalid when the name is taken."""
    name = _named(name)
    taken = select(Category.id).where(func.lower(Category.name) == name.lower(), Category.id != category.id)
    if db.session().scalar(taken) is not None:
        raise Invalid(_("Another category has this name."), fields={"name": _("Another category has this name.")})
    audit.update(category, "courses.rename_category", by=by, name=name)


def delete_category(category: Category, *, by: Actor) -> None:
    """Delete an empty category; raises CategoryInUse while it holds courses."""
    count = db.session().scalar(select(func.count()).select_from(Course).where(Course.category_id == category.id)) or 0
    if count:
        raise CategoryInUse(_("%(count)s courses are in this category. Move them to another one first.", count=count))
    audit.record("courses.delete_category", category, by=by, before={"name": category.name})
    bin.put("category", category.id, category.name, by=by, kept={"slug": category.slug})
    db.session().delete(category)
    db.session().flush()


def restore_category(category_id: UUID, name: str, slug: str, *, by: Actor) -> Category:
    """Bring a deleted category back under its name and, where nobody took it, its address; bringing it back twice changes nothing."""
    there = db.session().scalars(select(Category).where(Category.id == category_id)).one_or_none()
    if there is not None:
        return there
    if db.session().scalar(select(Category.id).where(func.lower(Category.name) == name.lower())) is not None:
        raise Conflict(_("Another category is called %(name)s by now. Rename that one first.", name=name), rule="name_taken")
    taken = db.session().scalar(select(Category.id).where(Category.slug == slug)) is not None
    category = Category(id=category_id, name=name, slug=queries.free_slug(name, taken=Category) if taken else slug)
    db.session().add(category)
    db.session().flush()
    audit.record("courses.restore_category", category, by=by, after={"name": name})
    bin.take_out("category", [category_id], by=by)
    return category


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid(_("Give the category a name."), fields={"name": _("Give the category a name.")})
    return name[:80]
