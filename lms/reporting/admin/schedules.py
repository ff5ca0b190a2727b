"""Mails on a schedule."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import Forbidden, Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.reports import Report
from lms.reporting import jobs, operations, policies, queries
from lms.reporting.admin.door import asked_path, asked_query, asked_report, bp
from lms.reporting.forms import ScheduleForm, cadence_words
from lms.reporting.models import SavedView
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.i18n import choose_zone
from lms.web.toasts import toast


@bp.route("/schedules")
def schedules() -> ResponseReturnValue:
    """What goes out by mail, the next first."""
    allow(policies.can_see_reports(actor()))
    return render_template("reporting/admin/schedules.html", schedules=queries.schedules_for(actor()), words=cadence_words)


@bp.route("/schedules/new", methods=["GET", "POST"])
def schedules_new() -> ResponseReturnValue:
    """Send a saved view by mail; a view that has no name yet gets one first."""
    if not request.values.get("view"):
        report = asked_report()
        allow(policies.can_read(actor(), report))
        target = url_for(".views_new", report=report.name, query=asked_query(), path=asked_path(report), then="schedule")
        return redirect(target, 303)
    view, report = _asked_view()
    allow(policies.can_open_view(actor(), view, report))
    form, page = ScheduleForm(), "reporting/admin/schedules_new.html"
    if not form.is_submitted():
        form.zone.data, form.recipients.data = choose_zone(), actor().email
        form.cadence.data, form.days.data, form.hour.data = "weekly", ["0"], "8"
        return render_template(page, form=form, view=view, report=report)
    try:
        if not form.validate():
            return invalid(page, page=page, form=form, view=view, report=report)
        schedule = operations.add_schedule(view, form.timetable(), form.addresses(), by=actor())
    except (Invalid, Forbidden) as refusal:
        _refuse(form, refusal)
        return invalid(page, page=page, form=form, view=view, report=report)
    toast(_("%(title)s goes out by mail. %(when)s.", title=view.title, when=cadence_words(schedule)))
    return moved(url_for(".schedules_show", schedule_id=schedule.id))


@bp.route("/schedules/<uuid:schedule_id>")
def schedules_show(schedule_id: UUID) -> ResponseReturnValue:
    """One schedule: when it comes next, and what it sent."""
    schedule = queries.get_schedule(schedule_id)
    allow(policies.can_edit_schedule(actor(), schedule))
    return render_template("reporting/admin/schedules_show.html", schedule=schedule, runs=queries.runs_of(schedule_id), words=cadence_words)


@bp.route("/schedules/<uuid:schedule_id>/edit", methods=["GET", "POST"])
def schedules_edit(schedule_id: UUID) -> ResponseReturnValue:
    """Change when and to whom it goes."""
    schedule = queries.get_schedule(schedule_id)
    allow(policies.can_edit_schedule(actor(), schedule))
    form, page = ScheduleForm(), "reporting/admin/schedules_edit.html"
    if not form.is_submitted():
        form.show(schedule)
        return render_template(page, form=form, schedule=schedule)
    try:
        if not form.validate():
            return invalid(page, page=page, form=form, schedule=schedule)
        changed = operations.edit_schedule(schedule, form.timetable(), form.addresses(), by=actor())
    except (Invalid, Forbidden) as refusal:
        _refuse(form, refusal)
        return invalid(page, page=page, form=form, schedule=schedule)
    toast(_("Saved. %(when)s.", when=cadence_words(schedule)) if changed else _("Nothing was changed."))
    return moved(url_for(".schedules_show", schedule_id=schedule_id))


@bp.route("/schedules/<uuid:schedule_id>/pause", methods=["POST"])
def schedules_pause(schedule_id: UUID) -> ResponseReturnValue:
    """Send nothing until told to go on."""
    schedule = queries.get_schedule(schedule_id)
    allow(policies.can_edit_schedule(actor(), schedule))
    operations.set_schedule_on(schedule, False, by=actor())
    toast(_("Paused."), undo=url_for(".schedules_resume", schedule_id=schedule_id))
    return moved(url_for(".schedules_show", schedule_id=schedule_id))


@bp.route("/schedules/<uuid:schedule_id>/resume", methods=["POST"])
def schedules_resume(schedule_id: UUID) -> ResponseReturnValue:
    """Go on with the next time."""
    schedule = queries.get_schedule(schedule_id)
    allow(policies.can_edit_schedule(actor(), schedule))
    operations.set_schedule_on(schedule, True, by=actor())
    toast(_("On. %(when)s.", when=cadence_words(schedule)))
    return moved(url_for(".schedules_show", schedule_id=schedule_id))


@bp.route("/schedules/<uuid:schedule_id>/send", methods=["POST"])
def schedules_send(schedule_id: UUID) -> ResponseReturnValue:
    """Send it once now, beside its timetable."""
    schedule = queries.get_schedule(schedule_id)
    allow(policies.can_edit_schedule(actor(), schedule))
    run_id = operations.start_run(schedule, by=actor())
    if run_id is not None:
        jobs.send_run.later(run_id=run_id)
    toast(_("It is being made and goes out to %(count)s addresses.", count=len(schedule.recipients)))
    return moved(url_for(".schedules_show", schedule_id=schedule_id))


@bp.route("/schedules/<uuid:schedule_id>/delete", methods=["POST"])
def schedules_delete(schedule_id: UUID) -> ResponseReturnValue:
    """Put it into the bin: it sends nothing until it is brought back."""
    schedule = queries.get_schedule(schedule_id, deleted=True)
    allow(policies.can_edit_schedule(actor(), schedule))
    operations.delete_schedule(schedule, by=actor())
    undo = url_for(".schedules_restore", schedule_id=schedule.id)
    toast(_("The schedule is deleted. The view is still there."), undo=undo)
    return moved(url_for(".schedules"))


@bp.route("/schedules/<uuid:schedule_id>/restore", methods=["POST"])
def schedules_restore(schedule_id: UUID) -> ResponseReturnValue:
    """Have the list sent by mail again."""
    schedule = queries.get_schedule(schedule_id, deleted=True)
    allow(policies.can_edit_schedule(actor(), schedule))
    operations.restore_schedule(schedule, by=actor())
    toast(_("The list is sent by mail again."))
    return moved(url_for(".schedules"))


def _asked_view() -> tuple[SavedView, Report]:
    try:
        view = queries.get_view(UUID(request.values["view"]))
    except ValueError as error:
        raise Invalid(_("Choose a saved view.")) from error
    return view, queries.get_report(view.report)


def _refuse(form: ScheduleForm, refusal: Refusal) -> None:
    """Beside the field it is about: what an instructor may not do is about the addresses."""
    is_about_people = isinstance(refusal, Forbidden)
    form.refuse(Invalid(refusal.sentence, fields={"recipients": refusal.sentence}) if is_about_people else refusal)
