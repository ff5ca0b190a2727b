"""The lessons of a course; every change locks the course, so that order and counts hold when two people work at once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from lms.content.models import Asset
from lms.content.queries import get_asset
from lms.core import audit, bin, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import Event, emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.markdown import LONGEST
from lms.courses import queries
from lms.courses.errors import EditedMeanwhile, LessonNotReady, NoSuchLesson, NothingToPublish, UnusableAsset, WrongStatus
from lms.courses.events import LessonAdded, LessonEdited, LessonPublished
from lms.courses.models import KINDS, Course, Lesson, Section


def add_lesson(
    section: Section,
    title: str,
    *,
    by: Actor,
    kind: str = "text",
    lesson_id: UUID | None = None,
    body: str = "",
    asset_id: UUID | None = None,
) -> Lesson:
    """A new draft at the end of the section; the same `lesson_id` sent twice gives back the first."""
    values = _checked(title, kind, body)
    course = queries.lock_course(section.course_id)
    db.session().refresh(section)
    if section.deleted_at is not None:
        raise NoSuchLesson(_("This section is deleted. Restore it before adding lessons."))
    if lesson_id is not None:
        made = db.session().scalars(select(Lesson).where(Lesson.id == lesson_id)).one_or_none()
        if made is not None:
            return made
    position = max((lesson.position for lesson in queries.siblings_of(section.id)), default=-1) + 1
    lesson = Lesson(id=lesson_id or uuid7(), course_id=course.id, section_id=section.id, position=position, status="draft", **values)
    db.session().add(lesson)
    db.session().flush()
    audit.record("courses.add_lesson", lesson, by=by, after={"title": lesson.title, "kind": kind, "section_id": section.id})
    _told(course, LessonAdded(by=by.user_id, course_id=course.id, lesson_id=lesson.id))
    if asset_id is not None:
        set_video(lesson, asset_id, by=by)
    return lesson


def edit_lesson(lesson: Lesson, *, version: int, by: Actor, title: str, kind: str, body: str, is_preview: bool) -> None:
    """Change a lesson, based on the `version` the writer saw; text and video of the other kind are kept, not shown.

    Raises EditedMeanwhile, with what stands now, when somebody saved since.
    """
    values = {**_checked(title, kind, body), "is_preview": is_preview}
    course = _locked(lesson)
    if lesson.is_deleted:
        raise WrongStatus(_("This lesson was deleted. Restore it before changing it."))
    differing = audit.changes(lesson, values)[0]
    if lesson.version != version and differing:
        raise EditedMeanwhile(
            _("Somebody saved this lesson while you were writing. Nothing was overwritten: compare, then save again."),
            theirs=differing,
            version=lesson.version,
        )
    if audit.update(lesson, "courses.edit_lesson", by=by, **values):
        if lesson.is_published and lesson.lacks:
            raise LessonNotReady(_("This lesson is published and cannot be left empty. Unpublish it first."))
        lesson.version += 1
        _edited(course, lesson, by)


def set_video(lesson: Lesson, asset_id: UUID | None, *, by: Actor) -> None:
    """Give a lesson its video, or take it away; a published lesson gets no video that cannot be played yet.

    The video must belong to the actor or, for admins, to anybody of the channel.
    """
    course = _locked(lesson)
    if asset_id == lesson.asset_id:
        return
    asset = None if asset_id is None else _usable(get_asset(asset_id), by)
    if lesson.is_published and lesson.kind == "video" and (asset is None or not (asset.is_ready or asset.is_playable)):
        raise LessonNotReady(
            _("This lesson is published, and the new video cannot be played yet. Unpublish the lesson, or wait until it can.")
        )
    seconds = round(asset.duration_seconds) if asset and asset.duration_seconds else None
    audit.update(lesson, "courses.set_video", by=by, asset_id=asset_id, duration_seconds=seconds)
    lesson.version += 1
    _edited(course, lesson, by)


def take_over_video(lesson: Lesson, asset: Asset, *, by: Actor) -> None:
    """Take the length of a video that can be watched, and publish the lesson if it waited for that; safe to repeat."""
    course = _locked(lesson)
    if lesson.asset_id != asset.id or not (asset.is_ready or asset.is_playable):
        return
    seconds = round(asset.duration_seconds) if asset.duration_seconds else None
    if audit.update(lesson, "courses.video_ready", by=by, duration_seconds=seconds):
        _edited(course, lesson, by)
    if lesson.is_due and lesson.status == "draft":
        publish_lesson(lesson, by=by)


def publish_lesson(lesson: Lesson, *, by: Actor, when_ready: bool = False) -> bool:
    """Let students see a lesson; publishing twice changes nothing. False when it waits for its video (`when_ready`).

    Raises LessonNotReady while text or video is missing.
    """
    course = _locked(lesson)
    if lesson.is_published:
        return True
    if lesson.is_deleted:
        raise WrongStatus(_("This lesson is deleted. Restore it before publishing it."))
    missing = lesson.lacks
    if missing:
        raise LessonNotReady(missing)
    if not _playable(lesson):
        if not when_ready:
            raise LessonNotReady(_("The video is still being prepared. The lesson can be published when that is done."))
        audit.update(lesson, "courses.publish_when_ready", by=by, is_due=True)
        return False
    audit.update(lesson, "courses.publish_lesson", by=by, status="published", published_at=lesson.published_at or now(), is_due=False)
    lesson.updated_at = now()
    _told(course, LessonPublished(by=by.user_id, course_id=course.id, lesson_id=lesson.id))
    return True


def publish_ready_lessons(course: Course, *, by: Actor) -> int:
    """Publish every draft of the course that lacks nothing, those still being transcoded as soon as they are ready; how many."""
    drafts = [lesson for lesson in queries.lessons_of(course.id, published_only=False) if not lesson.is_published and not lesson.lacks]
    assets = queries.assets_of(drafts)
    usable = [
        lesson for lesson in drafts if lesson.kind != "video" or (lesson.asset_id in assets and assets[lesson.asset_id].state != "failed")
    ]
    for lesson in usable:
        publish_lesson(lesson, by=by, when_ready=True)
    return len(usable)


def unpublish_lesson(lesson: Lesson, *, by: Actor) -> None:
    """Take a lesson back from the students; the last one of a published course stays."""
    course = _locked(lesson)
    if lesson.status == "draft":
        audit.update(lesson, "courses.unpublish_lesson", by=by, is_due=False)
        return
    _expect_another(course, lesson)
    if lesson.is_published:
        audit.update(lesson, "courses.unpublish_lesson", by=by, status="draft")
        _edited(course, lesson, by)


def delete_lesson(lesson: Lesson, *, by: Actor) -> None:
    """Delete a lesson so that it can be restored; the last published one of a published course stays."""
    course = _locked(lesson)
    if lesson.is_deleted:
        return
    _expect_another(course, lesson)
    audit.update(lesson, "courses.delete_lesson", by=by, status_before=lesson.status, status="deleted", deleted_at=now())
    bin.put("lesson", lesson.id, lesson.title, by=by)
    _edited(course, lesson, by)


def restore_lesson(lesson: Lesson, *, by: Actor) -> None:
    """Bring a deleted lesson back as what it was, at its old place."""
    course = _locked(lesson)
    if not lesson.is_deleted:
        return
    if queries.get_section(lesson.section_id).deleted_at is not None:
        raise WrongStatus(_("The section of this lesson is deleted. Restore the section first."))
    bin.expect_kept("lesson", lesson.id)
    audit.update(lesson, "courses.restore_lesson", by=by, status=lesson.status_before or "draft", status_before=None, deleted_at=None)
    bin.take_out("lesson", [lesson.id], by=by)
    _edited(course, lesson, by)


def move_lesson(lesson: Lesson, to: int, *, by: Actor, section: Section | None = None) -> None:
    """Put a lesson at a place of its section, or of another section of the course, counted from 0; beyond the ends means at the end."""
    course = _locked(lesson)
    if lesson.is_deleted:
        return
    target = section.id if section is not None else lesson.section_id
    if section is not None and (section.course_id != course.id or section.deleted_at is not None):
        raise NoSuchLesson(_("There is no such section in this course."))
    source = lesson.section_id
    lessons = [other for other in queries.siblings_of(target) if other.id != lesson.id]
    lessons.insert(min(max(to, 0), len(lessons)), lesson)
    lesson.section_id = target
    _number(course, target, lessons, by, moved_in=source != target)
    if source != target:
        db.session().flush()
        _number(course, source, queries.siblings_of(source), by)


def order_lessons(section: Section, lesson_ids: Sequence[UUID], *, by: Actor) -> None:
    """Put the lessons of a section into this order; lessons of other sections of the course move in, lessons not named stay behind."""
    course = queries.lock_course(section.course_id)
    place = {lesson_id: index for index, lesson_id in enumerate(lesson_ids)}
    incoming = [
        other for other in queries.lessons_of(course.id, published_only=False) if other.id in place and other.section_id != section.id
    ]
    lessons = sorted([*queries.siblings_of(section.id), *incoming], key=lambda lesson: place.get(lesson.id, len(place)))
    sources = {lesson.section_id for lesson in incoming}
    for lesson in incoming:
        lesson.section_id = section.id
    _number(course, section.id, lessons, by, moved_in=bool(incoming))
    db.session().flush()
    for source in sources:
        _number(course, source, queries.siblings_of(source), by)


def _locked(lesson: Lesson) -> Course:
    """The course, locked, with the lesson as it stands now."""
    course = queries.lock_course(lesson.course_id)
    db.session().refresh(lesson)
    return course


def _number(course: Course, section_id: UUID, lessons: Sequence[Lesson], by: Actor, *, moved_in: bool = False) -> None:
    """Store the order; told and audited once, and only when it differs."""
    before = [str(lesson.id) for lesson in sorted(lessons, key=lambda lesson: (lesson.position, lesson.id))]
    after = [str(lesson.id) for lesson in lessons]
    for position, lesson in enumerate(lessons):
        lesson.position = position
    if moved_in or before != after:
        record = {"section_id": section_id, "lessons": after}
        audit.record("courses.order_lessons", course, by=by, before={"section_id": section_id, "lessons": before}, after=record)
        db.session().flush()
        _told(course, *(LessonEdited(by=by.user_id, course_id=course.id, lesson_id=lesson.id) for lesson in lessons[:1]))


def _edited(course: Course, lesson: Lesson, by: Actor) -> None:
    lesson.updated_at = now()
    _told(course, LessonEdited(by=by.user_id, course_id=course.id, lesson_id=lesson.id))


def _told(course: Course, *facts: Event) -> None:
    course.updated_at = now()
    for fact in facts:
        emit(fact)


def _expect_another(course: Course, lesson: Lesson) -> None:
    if course.is_published and lesson.is_published and queries.count_published(course.id) <= 1:
        raise NothingToPublish(
            _("This is the last published lesson of a published course. Publish another lesson or unpublish the course first.")
        )


def _playable(lesson: Lesson) -> bool:
    """Whether the video of a lesson is ready; true for texts. Raises LessonNotReady when it failed."""
    if lesson.kind != "video" or lesson.asset_id is None:
        return True
    asset = get_asset(lesson.asset_id)
    if asset.state == "failed" and not asset.is_playable:
        raise LessonNotReady(_("The video of this lesson could not be prepared. Upload it again."))
    return asset.is_ready or asset.is_playable


def _usable(asset: Asset, by: Actor) -> Asset:
    if asset.kind not in ("video", "audio") or (asset.state == "failed" and not asset.is_playable):
        raise UnusableAsset(_("Choose a video or a sound file."), fields={"asset_id": _("Choose a video or a sound file.")})
    if not by.is_admin and asset.owner_id != by.user_id:
        raise UnusableAsset(
            _("This video belongs to somebody else. Upload your own."), fields={"asset_id": _("This video belongs to somebody else.")}
        )
    return asset


def _checked(title: str, kind: str, body: str) -> dict[str, str]:
    title = " ".join(title.split())
    faults: dict[str, str] = {}
    if not title or len(title) > 160:
        faults["title"] = _("Give the lesson a title of at most 160 characters.")
    if kind not in KINDS:
        faults["kind"] = _("A lesson is a text or a video.")
    if len(body) > LONGEST:
        faults["body"] = _("The text is too long: split it into two lessons.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    return {"title": title, "kind": kind, "body": body}
