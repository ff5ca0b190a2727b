"""The door's blueprint, and what its pages share: the head of a course page with its tabs and what may be done."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, url_for

from lms.core.decisions import Decision
from lms.core.i18n import gettext as _
from lms.courses import policies, queries
from lms.courses.models import Course, Lesson
from lms.web.access import actor
from lms.web.navigation import exists

bp = Blueprint("courses_admin", __name__, url_prefix="/admin/courses")

TONES = {"draft": "neutral", "submitted": "warning", "published": "success", "archived": "outline", "deleted": "danger"}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done with a course, or why it cannot."""

    name: str
    label: str
    icon: str
    decision: Decision

    def url(self, course: Course) -> str:
        """Where doing it is posted to."""
        return url_for(f"courses_admin.{self.name}", course_id=course.id)


def head_of(course: Course, tab: str) -> dict[str, Any]:
    """What every page of a course shows above its own: title, status, tabs, acts."""
    return {"course": course, "tab": tab, "tabs": tabs_of(course, tab), **status_of(course)}


def status_of(course: Course) -> dict[str, Any]:
    """Where the course stands and what may be done next: the inputs of `_status.html`."""
    lessons = queries.lessons_of(course.id, published_only=False)
    waiting = [lesson for lesson in lessons if not lesson.is_published and not lesson.lacks and not lesson.is_due]
    return {
        "published_lessons": sum(lesson.is_published for lesson in lessons),
        "waiting_lessons": len(waiting),
        "first": first_act(course),
        "more": more_acts(course),
        "can_edit": bool(policies.can_edit(actor(), course)),
        "can_date": bool(policies.can_set_dates(actor(), course)),
        "can_send_back": bool(policies.can_send_back(actor(), course)),
    }


def first_act(course: Course) -> Act | None:
    """The next step of the course's life for this person: submit or publish; None when it is on sale, archived or deleted."""
    person = actor()
    if course.status in ("published", "deleted"):
        return None
    if person.is_admin:
        label = _("Approve and publish") if course.status == "submitted" else _("Publish")
        return Act("publish", label, "globe", policies.can_publish(person, course))
    if course.status == "draft":
        return Act("submit", _("Submit for approval"), "send", policies.can_submit(person, course))
    return Act("publish", _("Publish"), "globe", policies.can_publish(person, course))


def more_acts(course: Course) -> list[Act]:
    """What else this person may do with the course as it stands."""
    person = actor()
    acts = [
        Act("restore", _("Restore"), "undo-2", policies.can_restore(person, course)) if course.is_deleted else None,
        Act("unpublish", _("Unpublish"), "eye-off", policies.can_unpublish(person, course)) if not course.is_deleted else None,
        Act("archive", _("Archive"), "archive", policies.can_archive(person, course)) if course.status != "archived" else None,
        Act("delete", _("Delete"), "trash-2", policies.can_delete(person, course)) if not course.is_deleted else None,
    ]
    return [act for act in acts if act is not None and act.decision]


def tabs_of(course: Course, current: str) -> list[dict[str, Any]]:
    """The tabs of a course, each a page of its own."""
    names = (
        ("show", _("Content")),
        *((("batches", _("Batches")),) if exists("/admin/enrollments/batches") else ()),
        ("students", _("Students")),
        ("reviews", _("Reviews")),
        ("settings", _("Settings")),
        ("history", _("History")),
    )
    return [
        {"title": title, "href": url_for(f"courses_admin.{name}", course_id=course.id), "active": name == current} for name, title in names
    ]


def lesson_badge(lesson: Lesson) -> tuple[str, str]:
    """The state of a lesson in one word, and its tone."""
    if lesson.is_published:
        return _("Published"), "success"
    if lesson.is_due:
        return _("Published when ready"), "info"
    return _("Draft"), "neutral"


def status_name(status: str) -> str:
    """The status of a course in one word."""
    return {
        "draft": _("Draft"),
        "submitted": _("Waiting for approval"),
        "published": _("Published"),
        "archived": _("Archived"),
        "deleted": _("Deleted"),
    }[status]


@bp.context_processor
def words() -> dict[str, Any]:
    """What the templates of this door call things."""
    return {"status_name": status_name, "lesson_badge": lesson_badge, "status_tones": TONES}
