"""The outline beside a lesson as its pages draw it: ticks, locks with their reasons, and the lessons before and after."""

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import url_for

from lms.core.clock import now
from lms.core.decisions import Decision
from lms.core.i18n import gettext as _
from lms.courses.models import Course, Lesson
from lms.enrollments import policies, queries
from lms.enrollments.models import Enrollment
from lms.web.access import actor
from lms.web.words import duration


def outline_context(course: Course, lesson: Lesson, enrollment: Enrollment | None) -> dict[str, Any]:
    """What the outline beside a lesson shows: ticks, locks with their reasons, and the lessons before and after."""
    outline, person, at = queries.outline_of(course.id, enrollment), actor(), now()
    teaches = queries.teaches_batch_of(person, course.id)
    # what the rule reads of a lesson is whether it is published and whether it is free: a course has few kinds of them
    kinds = {(one.status, one.is_preview): one for one in outline.lessons}
    said = {kind: policies.can_open(person, one, enrollment, at=at, course=course, teaches=teaches) for kind, one in kinds.items()}
    refusals = {one.id: decision for one in outline.lessons if not (decision := said[one.status, one.is_preview])}
    is_open = enrollment is not None and enrollment.is_open
    page = url_for("enrollments.courses_lessons_show", course_id=course.id, lesson_id=lesson.id)
    near = page.removesuffix(str(lesson.id))  # the lessons of a course lie side by side
    return {
        "course": course,
        "lesson": lesson,
        "enrollment": enrollment,
        "batch": queries.find_batch(enrollment.batch_id) if enrollment and enrollment.is_open else None,
        "outline": outline,
        "refusals": refusals,
        "parts": [
            (part.title, tuple(_line(one, lesson, outline.is_done(one), refusals.get(one.id), is_open, near) for one in part.lessons))
            for part in outline.parts
        ],
        "previous": outline.before(lesson),
        "following": outline.after(lesson),
    }


@dataclass(frozen=True, slots=True)
class Line:
    """A lesson of the outline as it is drawn; the same lines are drawn once, whoever learns."""

    looks_alike: ClassVar[bool] = True
    title: str
    kind: str
    href: str
    state: str
    note: str | None
    length: str | None


def _line(one: queries.Step, lesson: Lesson, is_done: bool, refusal: Decision | None, is_open: bool, near: str) -> Line:
    is_current, note = one.id == lesson.id, None
    if refusal is not None and refusal.rule not in ("enrolled", "ended", "starts"):
        note = refusal.sentence
    elif one.is_preview and not is_open:
        note = _("Free preview")
    elif is_current and is_done:
        note = _("Done")
    state = "current" if is_current else "locked" if refusal is not None else "done" if is_done else "todo"
    length = duration(one.duration_seconds) if one.duration_seconds else None
    return Line(one.title, one.kind, f"{near}{one.id}", state, note, length)
