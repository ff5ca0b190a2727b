"""How one lesson's video is watched, and what its page weighs: for its instructor."""

from typing import Any
from uuid import UUID

from flask import g, render_template
from flask.typing import ResponseReturnValue

from lms.content.models import Asset
from lms.content.queries import assets_by_id, watching_rule
from lms.core.i18n import gettext as _
from lms.core.money import Money, digits
from lms.courses import queries as courses
from lms.enrollments import policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.queries import Heat
from lms.web.access import actor, allow
from lms.web.charts import Chart, bar_chart, line_chart

PAGE_BYTES = 55_000  # what the lesson page weighs before its video, compressed (scripts/bench weight)


@bp.route("/lessons/<uuid:lesson_id>/watching")
def lessons_watching(lesson_id: UUID) -> ResponseReturnValue:
    """Where students watch, watch again and leave; and what the page weighs and costs in every size."""
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
        weights=_weights(file, duration, watching_rule().price_given) if file is not None else [],
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


def _weights(file: Asset, duration: float, price: int | None) -> list[dict[str, Any]]:
    """The sizes of a lesson with what a whole viewing of each weighs, the page included, and what a hundred of them cost at the academy's
    price of a GB in millionths; the sound goes with every one."""
    sizes = file.made.get("sizes", ())
    sound = next((one["bits"] for one in sizes if one["name"] == "sound"), 0)
    found = [(one["name"], one["bits"] + sound) for one in sizes if one["name"] != "sound"]
    if sound:
        found.append((_("Sound only"), sound))
    weights = [(name, PAGE_BYTES + round(bits * duration / 8)) for name, bits in found]
    return [{"name": name, "bytes": weight, "cost": _cost(weight, price)} for name, weight in weights]


def _cost(weight: int, price: int | None) -> Money | None:
    """What a hundred viewings of so many bytes cost; None where no price was said."""
    if price is None:
        return None
    return Money(round(100 * weight / 10**9 * price / 10**6 * 10 ** digits(g.channel.currency)), g.channel.currency)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
