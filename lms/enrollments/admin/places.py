"""Places that a voucher gave and that were gone: what becomes of their people."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from lms.channels import queries as channels
from lms.core.clock import now
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.forms import PlaceForm
from lms.enrollments.models import CourseBatch
from lms.enrollments.operations import Settlement
from lms.wallet.policies import can_adjust
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


@bp.route("/places/<uuid:place_id>", methods=["GET", "POST"])
def places_show(place_id: UUID) -> ResponseReturnValue:
    """One missed place: another batch, money back, or no batch; each by one button."""
    missed = queries.get_missed_place(place_id)
    allow(policies.can_manage(actor()), fresh=True)
    enrollment = queries.get_enrollment(missed.enrollment_id)
    course = courses.get_course(enrollment.course_id)
    form, page = PlaceForm(), "enrollments/admin/places_show.html"
    form.batch_id.choices, batch = _choices(course), queries.get_batch(missed.batch_id)
    shown: dict[str, Any] = {"form": form, "missed": missed, "enrollment": enrollment, "course": course, "batch": batch}
    shown["member"] = channels.find_member(enrollment.user_id)
    if not form.is_submitted():
        form.amount.data = _worth(batch, course)
        form.act.data = "batch" if len(form.batch_id.choices) > 1 else "without"
        return render_template(page, **shown)
    try:
        if form.validate():
            if form.act.data == "money":
                allow(can_adjust(actor()))
            operations.settle_missed_place(missed, _wish(form), by=actor())
            toast(_("Settled. It is off the inbox."))
            return moved(url_for(".show", enrollment_id=enrollment.id))
    except Refusal as refusal:
        form.refuse(refusal)
    return invalid(page, page=page, **shown)


def _choices(course: Course) -> list[SelectChoice]:
    """The batches that have a place, the missed one among them when it has one again."""
    day = operations.today()
    found = [one for one in queries.batches_of(course.id) if one.state_on(day) not in ("cancelled", "closed") and not one.is_full]
    return [SelectChoice("", _("Choose a batch")), *(SelectChoice(str(one.id), f"{one.name} · {queries.left_words(one)}") for one in found)]


def _worth(batch: CourseBatch, course: Course) -> Money | None:
    """What a place costs, as the first word on what is given back."""
    price = operations.batch_price(course, batch, now())
    return price if price.minor else None


def _wish(form: PlaceForm) -> Settlement:
    batch_id = UUID(form.batch_id.data) if form.batch_id.data else None
    return Settlement(form.act.data or "", batch_id, form.amount.data or None, form.reason.data or "")
