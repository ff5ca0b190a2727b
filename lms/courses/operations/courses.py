"""A course itself: made, edited, priced, given a cover and a teacher."""

from typing import Any, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.channels.queries import this_channel
from lms.content.queries import get_asset
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import queries
from lms.courses.errors import EditedMeanwhile, UnusableAsset
from lms.courses.events import CourseEdited
from lms.courses.models import LEVELS, Category, Course, Sale

LONGEST_TITLE = 160


class Details(TypedDict, total=False):
    """What a course says about itself beside its title."""

    summary: str
    description: str
    level: str
    category_id: UUID | None


class Words(Details, total=False):
    """What a course says about itself."""

    title: str


def create_course(
    title: str,
    *,
    by: Actor,
    course_id: UUID | None = None,
    instructor_id: UUID | None = None,
    price: Money | None = None,
    **details: Unpack[Details],
) -> Course:
    """A new draft; the same `course_id` sent twice gives back the course made the first time.

    It is taught by `instructor_id` or else by the actor, and free unless a price in the channel's currency is given.
    """
    if course_id is not None:
        made = db.session().scalars(select(Course).where(Course.id == course_id)).one_or_none()
        if made is not None:
            return made
    values = _checked({"title": title, **details})
    teacher = instructor_id or by.user_id
    if teacher is None or not queries.is_instructor(teacher):
        raise Invalid(_("Choose who teaches this course."), fields={"instructor_id": _("Choose an instructor or an admin.")})
    course = _insert(course_id or uuid7(), teacher, price or Money(0, this_channel().currency), values)
    audit.record(
        "courses.create", course, by=by, after={**values, "slug": course.slug, "instructor_id": teacher, "price_minor": course.price_minor}
    )
    emit(CourseEdited(by=by.user_id, course_id=course.id))
    return course


def _insert(course_id: UUID, teacher: UUID, price: Money, values: dict[str, Any]) -> Course:
    """Insert the course; when somebody took the address at the same moment, try the next free one."""
    _priced(price)
    for attempt in range(5):
        slug = queries.free_slug(values["title"]) if attempt < 4 else str(course_id)
        course = Course(id=course_id, slug=slug, instructor_id=teacher, price_minor=price.minor, currency=price.currency, **values)
        try:
            with db.session().begin_nested():
                db.session().add(course)
            return course
        except IntegrityError as error:
            if "uq_courses_channel_id_slug" not in str(error.orig):
                raise
    raise AssertionError("an id is a free address")


def edit_course(course: Course, *, version: int, by: Actor, **words: Unpack[Words]) -> None:
    """Change what a course says about itself, based on the `version` the writer saw.

    Raises EditedMeanwhile, with what stands now, when somebody saved since; Invalid for words that do not fit.
    """
    values = _checked(dict(words))
    course = queries.lock_course(course.id)
    if course.version != version and audit.changes(course, values)[1]:
        raise EditedMeanwhile(
            _("Somebody saved this course while you were writing. Nothing was overwritten: compare, then save again."),
            theirs={key: getattr(course, key) for key in audit.changes(course, values)[0]},
            version=course.version,
        )
    if "title" in values and values["title"] != course.title and course.published_at is None:
        course.slug = queries.free_slug(values["title"], besides=course.id)
    _changed(course, "courses.edit", by, **values)


def set_price(course: Course, price: Money, *, by: Actor) -> None:
    """Change what the course costs from now on; those who bought it are not touched. A sale stays below it."""
    _priced(price)
    locked = queries.lock_course(course.id)
    if locked.sale is not None and locked.sale.price.minor >= price.minor:
        if not locked.sale.is_over(now()):
            sentence = _("The sale price must stay below the price. Change or end the sale first.")
            raise Invalid(sentence, fields={"price": sentence})
        _changed(locked, "courses.set_sale", by, sale_price_minor=None, sale_starts_at=None, sale_ends_at=None)
    _changed(locked, "courses.set_price", by, price_minor=price.minor, currency=price.currency)


def set_sale(course: Course, sale: Sale | None, *, by: Actor) -> None:
    """Let the course cost less for a time, or (None) no more; orders keep the price they were made at."""
    locked = queries.lock_course(course.id)
    if sale is None:
        _changed(locked, "courses.set_sale", by, sale_price_minor=None, sale_starts_at=None, sale_ends_at=None)
        return
    faults = {}
    if sale.price.currency != locked.currency or not 0 <= sale.price.minor < locked.price_minor:
        most = locked.price.format(by.locale)
        faults["sale_price"] = _("The sale price must be below the price of %(price)s.", price=most)
    if sale.ends_at <= sale.starts_at:
        faults["sale_ends_at"] = _("The sale must end after it starts.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    values = {"sale_price_minor": sale.price.minor, "sale_starts_at": sale.starts_at, "sale_ends_at": sale.ends_at}
    _changed(locked, "courses.set_sale", by, **values)


def set_cover(course: Course, asset_id: UUID | None, *, by: Actor) -> None:
    """Give the course a picture, or none; the picture must be an image the actor may use."""
    if asset_id is not None and asset_id != course.cover_asset_id:
        asset = get_asset(asset_id)
        if asset.kind != "image" or asset.state == "failed":
            raise UnusableAsset(_("The cover must be a picture."), fields={"cover_asset_id": _("The cover must be a picture.")})
        if not by.is_admin and asset.owner_id != by.user_id:
            raise UnusableAsset(_("This picture belongs to somebody else. Upload your own."))
    _changed(queries.lock_course(course.id), "courses.set_cover", by, cover_asset_id=asset_id)


def set_instructor(course: Course, instructor_id: UUID, *, by: Actor) -> None:
    """Hand the course to another teacher."""
    if instructor_id != course.instructor_id and not queries.is_instructor(instructor_id):
        raise Invalid(_("Choose who teaches this course."), fields={"instructor_id": _("Choose an instructor or an admin.")})
    _changed(queries.lock_course(course.id), "courses.set_instructor", by, instructor_id=instructor_id)


def _changed(course: Course, action: str, by: Actor, **values: Any) -> None:
    """Set and audit what differs; then the version moves on and the fact is told."""
    if audit.update(course, action, by=by, **values):
        course.version += 1
        course.updated_at = now()
        emit(CourseEdited(by=by.user_id, course_id=course.id))


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    faults: dict[str, str] = {}
    if "title" in values:
        values["title"] = " ".join(str(values["title"]).split())
        if not values["title"] or len(values["title"]) > LONGEST_TITLE:
            faults["title"] = _("Give the course a title of at most %(most)s characters.", most=LONGEST_TITLE)
    if values.get("level", "any") not in LEVELS:
        faults["level"] = _("Choose one of the levels.")
    category_id = values.get("category_id")
    if category_id is not None and db.session().scalar(select(Category.id).where(Category.id == category_id)) is None:
        faults["category_id"] = _("Choose one of the categories.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    return values


def _priced(price: Money) -> None:
    if price.currency != this_channel().currency:
        raise Invalid(_("Prices here are in %(currency)s.", currency=this_channel().currency), fields={"price": _("Wrong currency.")})
    if price.minor < 0:
        raise Invalid(_("A price cannot be below zero."), fields={"price": _("A price cannot be below zero.")})
