"""Batches of a course: listed, made, changed, copied, cancelled, into the bin; and the page of one with its people."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from lms.core.clock import now
from lms.core.errors import NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.courses import policies as course_policies
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.forms import BatchForm, DuplicateForm, ReasonForm, VouchersForm
from lms.enrollments.reports import Batches, BatchPeople
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.history import told
from lms.web.lists import answer_list
from lms.web.toasts import toast

HISTORY = 100


@bp.route("/batches")
def batches() -> ResponseReturnValue:
    """Every batch this person may see."""
    allow(policies.can_see_students(actor(), None))
    return answer_list(Batches(), "enrollments/admin/batches.html")


@bp.route("/courses/<uuid:course_id>/batches")
def courses_batches(course_id: UUID) -> ResponseReturnValue:
    """The batches of a course with their places, for the course's page."""
    course = courses.get_course(course_id)
    allow(policies.can_see_students(actor(), course))
    return fragment(
        "enrollments/admin/_batches.html",
        page=url_for(".batches", course=course.id),
        course=course,
        batches=queries.batches_of(course.id),
        day=operations.today(),
        may_run=policies.can_run(actor(), course),
    )


@bp.route("/batches/new", methods=["GET", "POST"])
def batches_new() -> ResponseReturnValue:
    """Make a batch of the course in `?course=`; without one, choose the course first."""
    allow(policies.can_see_students(actor(), None))
    if "course" not in request.args:
        return render_template("enrollments/admin/batches_new.html", course=None, form=None, courses=queries.courses_run_by(actor()))
    course = courses.get_course(_id(request.args["course"]))
    allow(policies.can_run(actor(), course))
    form, page = _form(course), "enrollments/admin/batches_new.html"
    if form.is_submitted() and form.validate():
        try:
            sheet = form.sheet(None)
            batch = operations.create_batch(course, sheet, by=actor(), batch_id=_id(form.batch_id.data or ""))
            toast(_("%(name)s is there. Students see it on the course’s page while enrolment is open.", name=batch.name))
            return moved(url_for(".batches_show", batch_id=batch.id))
        except Refusal as refusal:
            form.refuse(refusal)
    shown = {"course": course, "form": form, "courses": ()}
    return invalid(page, page=page, **shown) if form.is_submitted() else render_template(page, **shown)


@bp.route("/batches/<uuid:batch_id>")
def batches_show(batch_id: UUID) -> ResponseReturnValue:
    """One batch: its places, days and list of those who wait, and its people."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    figures = queries.figures_of_batch(batch.id)
    allow(policies.can_see_batch(actor(), course, teaches=actor().user_id in figures.teacher_ids))
    return answer_list(
        BatchPeople(batch),
        "enrollments/admin/batches_show.html",
        batch=batch,
        course=course,
        state=batch.state_on(operations.today()),
        takes=batch.takes_on(operations.today()),
        price=operations.batch_price(course, batch, now()),
        figures=figures,
        may_run=policies.can_run(actor(), course),
        may_manage=policies.can_manage(actor()),
    )


@bp.route("/batches/<uuid:batch_id>/edit", methods=["GET", "POST"])
def batches_edit(batch_id: UUID) -> ResponseReturnValue:
    """Change the days, places, price and instructors of a batch."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_run(actor(), course))
    form, page = _form(course), "enrollments/admin/batches_edit.html"
    if not form.is_submitted():
        form.fill(batch, course.currency, queries.instructor_ids_of(batch.id))
        return render_template(page, form=form, batch=batch, course=course)
    if form.validate():
        try:
            version = int(form.version.data) if (form.version.data or "").isdecimal() else 0
            operations.edit_batch(batch, form.sheet(batch.price_minor), version=version, by=actor())
            toast(_("Saved."))
            return moved(url_for(".batches_show", batch_id=batch.id))
        except Refusal as refusal:
            form.refuse(refusal)
            form.version.data, form.version.raw_data = str(batch.version), None
    return invalid(page, page=page, form=form, batch=batch, course=course)


@bp.route("/batches/<uuid:batch_id>/duplicate", methods=["GET", "POST"])
def batches_duplicate(batch_id: UUID) -> ResponseReturnValue:
    """Make another batch like this one, all its days later by as much."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_run(actor(), course))
    form, page = DuplicateForm(), "enrollments/admin/batches_duplicate.html"
    if not form.is_submitted():
        form.name.data = _("%(name)s, again", name=batch.name)
        return render_template(page, form=form, batch=batch, course=course)
    if form.validate():
        try:
            teachers = queries.instructor_ids_of(batch.id)
            sheet = operations.shifted(batch, form.starts_on.data, name=form.name.data or "", instructor_ids=teachers)
            made = operations.create_batch(course, sheet, by=actor(), batch_id=_id(form.batch_id.data or ""))
            toast(_("%(name)s is there, with every day moved along.", name=made.name))
            return moved(url_for(".batches_show", batch_id=made.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, batch=batch, course=course)


@bp.route("/batches/<uuid:batch_id>/cancel", methods=["GET", "POST"])
def batches_cancel(batch_id: UUID) -> ResponseReturnValue:
    """Say that a batch does not take place, with the reason its people read."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_run(actor(), course))
    form, page = ReasonForm(), "enrollments/admin/batches_cancel.html"
    shown = {"form": form, "batch": batch, "course": course, "figures": queries.figures_of_batch(batch.id)}
    if batch.cancelled_at is not None:
        return moved(url_for(".batches_show", batch_id=batch.id))
    if not form.is_submitted():
        return render_template(page, **shown)
    if not form.validate():
        return invalid(page, page=page, **shown)
    operations.cancel_batch(batch, reason=form.reason.data or "", by=actor())
    toast(_("%(name)s is cancelled.", name=batch.name), undo=url_for(".batches_reopen", batch_id=batch.id))
    return moved(url_for(".batches_show", batch_id=batch.id))


@bp.route("/batches/<uuid:batch_id>/reopen", methods=["POST"])
def batches_reopen(batch_id: UUID) -> ResponseReturnValue:
    """Let a cancelled batch take place after all."""
    batch = queries.standing_batch(batch_id)
    allow(policies.can_run(actor(), courses.get_course(batch.course_id)))
    operations.reopen_batch(batch, by=actor())
    toast(_("%(name)s takes place after all.", name=batch.name))
    return moved(url_for(".batches_show", batch_id=batch.id))


@bp.route("/batches/<uuid:batch_id>/delete", methods=["POST"])
def batches_delete(batch_id: UUID) -> ResponseReturnValue:
    """Put a batch without people into the bin."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_run(actor(), courses.get_course(batch.course_id)))
    operations.delete_batch(batch, by=actor())
    toast(_("%(name)s lies in the bin for 30 days.", name=batch.name), undo=url_for(".batches_restore", batch_id=batch.id))
    return moved(url_for(".batches", course=batch.course_id))


@bp.route("/batches/<uuid:batch_id>/restore", methods=["POST"])
def batches_restore(batch_id: UUID) -> ResponseReturnValue:
    """Bring a batch back from the bin."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_run(actor(), courses.get_course(batch.course_id)))
    operations.restore_batch(batch, by=actor())
    toast(_("%(name)s is back.", name=batch.name))
    return moved(url_for(".batches_show", batch_id=batch.id))


@bp.route("/batches/<uuid:batch_id>/vouchers", methods=["GET", "POST"])
def batches_vouchers(batch_id: UUID) -> ResponseReturnValue:
    """Which voucher batches of the course give a place in this batch."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_manage(actor()))
    form, page = VouchersForm(), "enrollments/admin/batches_vouchers.html"
    form.voucher_batch_ids.choices = [SelectChoice(str(one.id), one.label) for one in queries.vouchers_for(batch)]
    shown = {"form": form, "batch": batch, "course": course}
    if not form.is_submitted():
        form.voucher_batch_ids.data = [str(one) for one in queries.voucher_batch_ids_of(batch.id)]
        return render_template(page, **shown)
    if not form.validate():
        return invalid(page, page=page, **shown)
    operations.bind_vouchers(batch, [UUID(one) for one in form.voucher_batch_ids.data or ()], by=actor())
    toast(_("Saved."))
    return moved(url_for(".batches_show", batch_id=batch.id))


@bp.route("/batches/<uuid:batch_id>/history")
def batches_history(batch_id: UUID) -> ResponseReturnValue:
    """Who did what to a batch and to its waitlist."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_see_students(actor(), course))
    events = told(queries.history_of_batch(batch.id, most=HISTORY), about=batch.id)
    return render_template("enrollments/admin/batches_history.html", batch=batch, course=course, events=events)


def _form(course: Course) -> BatchForm:
    """The form with those who teach here, and the price where this person may set it."""
    form = BatchForm()
    form.instructor_ids.choices = [SelectChoice(str(one.id), one.name) for one in courses.instructors() if one.id != course.instructor_id]
    if course_policies.can_set_price(actor(), course):
        form.price.currency = course.currency
        if form.is_submitted():
            form.price.process(request.form)
    else:
        del form.price
    return form


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(_("This address is not complete.")) from error


@bp.context_processor
def words_of_batches() -> dict[str, Any]:
    """What the templates of this door call the states of a batch."""
    return {"batch_state": state_words}


def state_words(state: str) -> tuple[str, str]:
    """The state of a batch in words, and its tone."""
    return {
        "planned": (_("Planned"), "neutral"),
        "open": (_("Open for enrolment"), "success"),
        "running": (_("Running"), "info"),
        "closed": (_("Over"), "outline"),
        "cancelled": (_("Cancelled"), "danger"),
    }[state]
