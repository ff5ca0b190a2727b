"""Files to download beside a lesson: added, taken away, counted."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from lms.content.queries import get_asset
from lms.core import audit, db
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.courses import queries
from lms.courses.errors import UnusableAsset
from lms.courses.models import Lesson, Resource


def add_resource(lesson: Lesson, asset_id: UUID, *, by: Actor, title: str = "") -> Resource:
    """A file for the students of a lesson; adding it again only changes its title."""
    queries.lock_course(lesson.course_id)
    asset = get_asset(asset_id)
    if asset.state == "failed" or asset.kind not in ("document", "file", "image", "audio"):
        raise UnusableAsset(_("Choose a document, a picture, a sound file or an archive."), fields={"asset_id": _("Choose another file.")})
    if not by.is_admin and asset.owner_id != by.user_id:
        raise UnusableAsset(_("This file belongs to somebody else. Upload your own."), fields={"asset_id": _("Choose your own file.")})
    words = " ".join(title.split())[:160] or asset.filename
    made = insert(Resource).values(channel_id=lesson.channel_id, id=uuid7(), lesson_id=lesson.id, asset_id=asset.id, title=words)
    db.session().execute(made.on_conflict_do_update(index_elements=["channel_id", "lesson_id", "asset_id"], set_={"title": words}))
    _recount(lesson)
    audit.record("courses.add_resource", lesson, by=by, after={"file": asset.filename}, name=lesson.title)
    return queries.find_resource(lesson.id, asset.id)


def remove_resource(resource: Resource, *, by: Actor) -> None:
    """Take a file away from a lesson; the file itself stays among the files."""
    lesson = queries.get_lesson(resource.lesson_id)
    queries.lock_course(lesson.course_id)
    db.session().delete(resource)
    db.session().flush()
    _recount(lesson)
    audit.record("courses.remove_resource", lesson, by=by, before={"file": resource.title}, name=lesson.title)


def count_download(resource: Resource) -> None:
    """One more download."""
    db.session().execute(update(Resource).where(Resource.id == resource.id).values(downloads=Resource.downloads + 1))


def _recount(lesson: Lesson) -> None:
    lesson.resource_count = db.session().scalar(select(func.count()).where(Resource.lesson_id == lesson.id)) or 0
    db.session().flush()
