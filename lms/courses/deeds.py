"""What the audit log calls the acts on courses, sections and lessons, and which of them one click takes back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from lms.core import bin, db
from lms.core.bin import Kind
from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, names_come_from, register
from lms.core.errors import Forbidden
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow
from lms.core.money import Money
from lms.courses import operations, policies, queries
from lms.courses.models import Category, Course, Lesson, Sale, Section
from lms.courses.operations import Entry
from lms.courses.plans import MAY, MOVES, STATUSES

ACTS = {
    "courses.create": Deed(_l("made the course"), "plus"),
    "courses.edit": Deed(_l("changed the course"), "pencil"),
    "courses.set_price": Deed(_l("changed the price"), "banknote"),
    "courses.set_sale": Deed(_l("changed the sale"), "tag"),
    "courses.set_dates": Deed(_l("changed when the course is in the catalogue"), "calendar-clock"),
    "courses.set_entry": Deed(_l("changed who may enrol"), "key"),
    "courses.set_cover": Deed(_l("changed the cover"), "image"),
    "courses.set_instructor": Deed(_l("changed the instructor"), "user-cog"),
    "courses.submit": Deed(_l("submitted the course for approval"), "send"),
    "courses.send_back": Deed(_l("sent the course back"), "undo-2"),
    "courses.publish": Deed(_l("published the course"), "globe"),
    "courses.unpublish": Deed(_l("unpublished the course"), "eye-off"),
    "courses.archive": Deed(_l("archived the course"), "archive"),
    "courses.delete": Deed(_l("deleted the course"), "trash-2"),
    "courses.restore": Deed(_l("restored the course"), "undo-2"),
    "courses.undo": Deed(_l("put the course back as it was"), "undo-2"),
    "courses.add_section": Deed(_l("added the section"), "plus"),
    "courses.rename_section": Deed(_l("renamed the section"), "pencil"),
    "courses.delete_section": Deed(_l("deleted the section"), "trash-2"),
    "courses.restore_section": Deed(_l("restored the section"), "undo-2"),
    "courses.order_sections": Deed(_l("sorted the sections"), "move"),
    "courses.add_lesson": Deed(_l("added the lesson"), "plus"),
    "courses.edit_lesson": Deed(_l("changed the lesson"), "pencil"),
    "courses.add_resource": Deed(_l("added a file to download to the lesson"), "download"),
    "courses.remove_resource": Deed(_l("took a file to download away from the lesson"), "trash-2"),
    "courses.set_video": Deed(_l("changed the video of the lesson"), "film"),
    "courses.video_ready": Deed(_l("prepared the video of the lesson"), "film"),
    "courses.publish_lesson": Deed(_l("published the lesson"), "eye"),
    "courses.publish_when_ready": Deed(_l("will publish, when its video is ready, the lesson"), "clock"),
    "courses.unpublish_lesson": Deed(_l("unpublished the lesson"), "eye-off"),
    "courses.delete_lesson": Deed(_l("deleted the lesson"), "trash-2"),
    "courses.restore_lesson": Deed(_l("restored the lesson"), "undo-2"),
    "courses.order_lessons": Deed(_l("sorted the lessons"), "move"),
    "courses.create_category": Deed(_l("made the category"), "plus"),
    "courses.rename_category": Deed(_l("renamed the category"), "pencil"),
    "courses.delete_category": Deed(_l("deleted the category"), "trash-2"),
    "courses.restore_category": Deed(_l("restored the category"), "undo-2"),
}
THINGS = {
    "courses": Thing(_l("Course"), "/admin/courses/{id}"),
    "sections": Thing(_l("Section"), "/admin/courses/sections/{id}/rename"),
    "lessons": Thing(_l("Lesson"), "/admin/courses/lessons/{id}/edit"),
    "categories": Thing(_l("Category"), "/admin/courses/categories/{id}/edit"),
}
ENTRIES = {"open": _l("Everybody"), "key": _l("With a key or link"), "request": _l("On request"), "closed": _l("Nobody by themselves")}
LEVELS = {"any": _l("Any"), "beginner": _l("Beginner"), "intermediate": _l("Intermediate"), "advanced": _l("Advanced")}
FIELDS = {
    "title": Label(_l("Title")),
    "name": Label(_l("Name")),
    "summary": Label(_l("Summary")),
    "description": Label(_l("Description")),
    "level": Label(_l("Level"), values=LEVELS),
    "category_id": Label(_l("Category"), "category"),
    "instructor_id": Label(_l("Instructor"), "person"),
    "price_minor": Label(_l("Price"), "money"),
    "sale_price_minor": Label(_l("Sale price"), "money"),
    "sale_starts_at": Label(_l("Sale from"), "time"),
    "sale_ends_at": Label(_l("Sale until"), "time"),
    "publish_at": Label(_l("Publish on"), "time"),
    "unpublish_at": Label(_l("Out of the catalogue on"), "time"),
    "entry": Label(_l("Who may enrol"), values=ENTRIES),
    "entry_domains": Label(_l("Let in at once: addresses at")),
    "entry_tag": Label(_l("Let in at once: tag")),
    "entry_segment_id": Label(_l("Let in at once: segment"), "segment"),
    "status": Label(_l("Status"), values=STATUSES),
    "sent_back_reason": Label(_l("Reason")),
    "kind": Label(_l("Kind"), values={"text": _l("Text"), "video": _l("Video")}),
    "body": Label(_l("Text")),
    "is_preview": Label(_l("Open to everybody"), "bool"),
    "duration_seconds": Label(_l("Seconds")),
}


def _named(model: Any, column: Any) -> Callable[[Sequence[UUID]], Mapping[UUID, str]]:
    """What finds the names of rows of a table by their ids."""

    def find(ids: Sequence[UUID]) -> Mapping[UUID, str]:
        return {row[0]: row[1] for row in db.session().execute(select(model.id, column).where(model.id.in_(ids)))}

    return find


def _may_edit(by: Actor, course: Course) -> Decision:
    return policies.can_edit(by, course)


def _may_part(by: Actor, part: Lesson | Section) -> Decision:
    return policies.can_edit(by, queries.get_course(part.course_id))


def _may_admin(by: Actor, course: Course) -> Decision:
    return policies.can_choose_instructor(by) & policies.can_edit(by, course)


def _may_shelve(by: Actor, _category: Category) -> Decision:
    return policies.can_manage_categories(by)


def _edit(course: Course, values: dict[str, Any], by: Actor) -> None:
    operations.edit_course(course, version=course.version, by=by, **values)


def _price(course: Course, values: dict[str, Any], by: Actor) -> None:
    operations.set_price(course, Money(values["price_minor"], course.currency), by=by)


def _sale(course: Course, values: dict[str, Any], by: Actor) -> None:
    stands = {key: values.get(key, getattr(course, key)) for key in ("sale_price_minor", "sale_starts_at", "sale_ends_at")}
    price, starts, ends = stands.values()
    operations.set_sale(course, Sale(Money(price, course.currency), starts, ends) if price is not None and starts and ends else None, by=by)


def _dates(course: Course, values: dict[str, Any], by: Actor) -> None:
    stands = {key: values.get(key, getattr(course, key)) for key in ("publish_at", "unpublish_at")}
    operations.set_dates(course, **stands, by=by)


def _entry(course: Course, values: dict[str, Any], by: Actor) -> None:
    kept = {"entry": course.entry, "domains": course.entry_domains, "tag": course.entry_tag, "segment_id": course.entry_segment_id}
    operations.set_entry(course, Entry(**(kept | {key.removeprefix("entry_"): value for key, value in values.items()})), by=by)


def _cover(course: Course, values: dict[str, Any], by: Actor) -> None:
    operations.set_cover(course, values["cover_asset_id"], by=by)


def _instructor(course: Course, values: dict[str, Any], by: Actor) -> None:
    operations.set_instructor(course, values["instructor_id"], by=by)


def _move(course: Course, values: dict[str, Any], by: Actor) -> None:
    """Back to where it stood: out of the bin as what it was, else by the move that leads there, if its rule lets this person."""
    to = values["status"] if values["status"] in MOVES else "draft"
    decision = policies.can_restore(by, course) if course.is_deleted else MAY[to](by, course)
    if not decision:
        raise Forbidden(decision.sentence, rule=decision.rule)
    (operations.restore_course if course.is_deleted else MOVES[to])(course, by=by)


def _lesson(lesson: Lesson, values: dict[str, Any], by: Actor) -> None:
    stands = {key: getattr(lesson, key) for key in ("title", "kind", "body", "is_preview")}
    operations.edit_lesson(lesson, version=lesson.version, by=by, **{**stands, **values})


def _lesson_status(lesson: Lesson, values: dict[str, Any], by: Actor) -> None:
    if lesson.is_deleted:
        operations.restore_lesson(lesson, by=by)
    elif values.get("status") == "published":
        operations.publish_lesson(lesson, by=by)
    else:
        operations.unpublish_lesson(lesson, by=by)


def _section(section: Section, values: dict[str, Any], by: Actor) -> None:
    operations.rename_section(section, values["title"], by=by)


def _category(category: Category, values: dict[str, Any], by: Actor) -> None:
    operations.rename_category(category, values["name"], by=by)


MOVED = Revert(queries.get_course, policies.can_view, _move)
LESSON_STATUS = Revert(queries.get_lesson, _may_part, _lesson_status)
REVERTS = {
    "courses.edit": Revert(queries.get_course, _may_edit, _edit),
    "courses.set_price": Revert(queries.get_course, policies.can_set_price, _price),
    "courses.set_sale": Revert(queries.get_course, policies.can_set_price, _sale),
    "courses.set_dates": Revert(queries.get_course, policies.can_set_dates, _dates),
    "courses.set_entry": Revert(queries.get_course, _may_edit, _entry),
    "courses.set_cover": Revert(queries.get_course, _may_edit, _cover),
    "courses.set_instructor": Revert(queries.get_course, _may_admin, _instructor),
    "courses.publish": MOVED,
    "courses.unpublish": MOVED,
    "courses.archive": MOVED,
    "courses.delete": MOVED,
    "courses.edit_lesson": Revert(queries.get_lesson, _may_part, _lesson),
    "courses.publish_lesson": LESSON_STATUS,
    "courses.unpublish_lesson": LESSON_STATUS,
    "courses.delete_lesson": LESSON_STATUS,
    "courses.rename_section": Revert(queries.get_section, _may_part, _section),
    "courses.rename_category": Revert(queries.get_category, _may_shelve, _category),
}

names_come_from("course", _named(Course, Course.title))
names_come_from("lesson", _named(Lesson, Lesson.title))
names_come_from("category", _named(Category, Category.name))
register(Deeds("courses", _l("Courses"), ACTS, THINGS, FIELDS, REVERTS))


# --- the bin -----------------------------------------------------------------------------------------------------------


def _restore_course(row: BinRow, by: Actor) -> None:
    operations.restore_course(queries.get_course(row.target_id), by=by)


def _purge_course(row: BinRow, by: Actor) -> None:
    for model in (Lesson, Section):
        db.session().execute(delete(model).where(model.course_id == row.target_id))
    db.session().execute(delete(Course).where(Course.id == row.target_id))


def _empty_course(row: BinRow, by: Actor) -> None:
    db.session().execute(update(Course).where(Course.id == row.target_id).values(summary="", description="", cover_asset_id=None))
    db.session().execute(update(Lesson).where(Lesson.course_id == row.target_id).values(body="", asset_id=None))


def _restore_section(row: BinRow, by: Actor) -> None:
    operations.restore_section(queries.get_section(row.target_id), by=by)


def _purge_section(row: BinRow, by: Actor) -> None:
    db.session().execute(delete(Lesson).where(Lesson.section_id == row.target_id))
    db.session().execute(delete(Section).where(Section.id == row.target_id))


def _empty_section(row: BinRow, by: Actor) -> None:
    gone = update(Lesson).where(Lesson.section_id == row.target_id, Lesson.status == "deleted")
    db.session().execute(gone.values(body="", asset_id=None))


def _restore_lesson(row: BinRow, by: Actor) -> None:
    operations.restore_lesson(queries.get_lesson(row.target_id), by=by)


def _purge_lesson(row: BinRow, by: Actor) -> None:
    db.session().execute(delete(Lesson).where(Lesson.id == row.target_id))


def _empty_lesson(row: BinRow, by: Actor) -> None:
    db.session().execute(update(Lesson).where(Lesson.id == row.target_id).values(body="", asset_id=None))


def _restore_category(row: BinRow, by: Actor) -> None:
    operations.restore_category(row.target_id, row.title, row.kept["slug"], by=by)


def _nothing_left(row: BinRow, by: Actor) -> None:
    """A category's row went when it was deleted; the bin's memory of it is all there was."""


bin.register(Kind("course", _l("Course"), "book-open", "courses.courses", _restore_course, _purge_course, _empty_course))
bin.register(Kind("section", _l("Section"), "layout-list", "courses.sections", _restore_section, _purge_section, _empty_section))
bin.register(Kind("lesson", _l("Lesson"), "file-text", "courses.lessons", _restore_lesson, _purge_lesson, _empty_lesson))
bin.register(Kind("category", _l("Category"), "library", "courses.categories", _restore_category, _nothing_left))
