"""How one lesson's video is watched, and what its page weighs: for its instructor."""

from typing import Any
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from lms.content.models import Asset
from lms.content.queries import assets_by_id
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.enrollments import policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.queries import Heat
from lms.web.access import actor, allow
from lms.web.charts import Chart, bar_chart, line_chart

PAGE_BYTES = 55_000  # what the lesson page weighs before its video, compressed (scripts/bench weight)


@bp.route("/lessons/<uuid:lesson_id>/watching")
def lessons_watching(lesson_id: UUID) -> ResponseReturnValue:
    """Where students watch, watch again and leave; and the weight of the page in every size."""
    lesson = courses.get_lesson(lesson_id)
    course = courses.get_course(lesson.course_id)
    allow(policies.can_see_students(actor(), course))
    file = assets_by_id([lesson.asset_id]).get(lesson.asset_id) if lesson.asset_id else None
    duration = file.duration_seconds if file is not None and file.duration_seconds else 0.0
    heat = queries.heat_of(lesson.id, duration) if duration else None
    return render_template(
        "enrollments/admin/lessons_watching.html",
        lesson=lesson,
        course=course,
        heat=heat,
        drawings=_drawings(heat) if heat is not None and heat.people else None,
        weights=_weights(file, duration) if file is not None else [],
    )


def _drawings(heat: Heat) -> tuple[Chart, ...]:
    """Who watched which part, what was watched again, and where people stopped."""
    labels = [_clock(part * heat.seconds) for part in range(len(heat.watched))]
    watched = line_chart(_("People who watched each part"), labels, [(_("People"), heat.watched)], head=_("From"))
    stopped = bar_chart(_("People who stopped in each part"), labels, [(_("People"), heat.stopped)], head=_("From"))
    if not any(heat.again_seconds):
        return watched, stopped
    seconds = [round(one) for one in heat.again_seconds]
    return watched, bar_chart(_("Seconds of each part that were watched again"), labels, [(_("Seconds"), seconds)], head=_("From")), stopped


def _weights(file: Asset, duration: float) -> list[dict[str, Any]]:
    """The sizes of a lesson with what a whole viewing of each weighs, the page included; the sound goes with every one."""
    sizes = file.made.get("sizes", ())
    sound = next((one["bits"] for one in sizes if one["name"] == "sound"), 0)
    found = [
        {"name": one["name"], "bytes": PAGE_BYTES + round((one["bits"] + sound) * duration / 8)} for one in sizes if one["name"] != "sound"
    ]
    if sound:
        found.append({"name": _("Sound only"), "bytes": PAGE_BYTES + round(sound * duration / 8)})
    return found


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
