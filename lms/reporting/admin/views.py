"""Saved views."""

from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.reports import DRAWN, Report, groupable
from lms.core.reports.formulas import computed, usable
from lms.core.reports.words import view_words
from lms.reporting import operations, policies, queries
from lms.reporting.admin.door import asked_path, asked_query, asked_report, bp
from lms.reporting.forms import BuildForm, ViewForm
from lms.reporting.operations.viewing import canonical_view
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.drawing import drawing
from lms.web.toasts import toast


@bp.route("/views/chips")
def views_chips() -> ResponseReturnValue:
    """The views saved of a list, as chips above it."""
    report = asked_report()
    allow(policies.can_read(actor(), report))
    query, path = asked_query(), asked_path(report)
    parameters = urlencode({"report": report.name, "query": query, "path": path})
    return fragment(
        "reporting/admin/_views.html",
        page=url_for(".index"),
        views=queries.views_of_report(report.name, actor()),
        query=query,
        whole=f"{path or url_for('.reports_show', name=report.name)}?view=all",
        build_href=f"{url_for('.views_build')}?{parameters}",
        save_href=f"{url_for('.views_new')}?{parameters}",
        checksum_href=f"{url_for('.checksum')}?{parameters}",
        report=report,
    )


@bp.route("/views/build", methods=["GET", "POST"])
def views_build() -> ResponseReturnValue:
    """Gather the rows of a list, compute columns, draw a chart; the list then shows it."""
    report, query = asked_report(), asked_query()
    allow(policies.can_read(actor(), report))
    path, view = asked_path(report), canonical_view(report, query, actor().zone)
    whole = path or url_for(".reports_show", name=report.name)
    figures = [(column.key, str(column.label)) for column in usable(report.columns)]
    form, page = BuildForm(), "reporting/admin/views_build.html"
    form.offer(groupable(report.columns), [(column.key, str(column.label)) for column in report.columns if column.kind in DRAWN])
    context = {"form": form, "report": report, "query": query, "path": path, "figures": figures, "here": f"{whole}?{query}"}
    if not form.is_submitted():
        form.show(view)
        return render_template(page, **context)
    if not form.validate() or not _fits(form, report):
        return invalid(page, page=page, **context)
    built = form.built(view)
    if built.chart and canonical_view(report, built.query_string(), actor().zone).chart != built.chart:
        form.drawn.errors = [
            *form.drawn.errors,
            _("The view shows no such figure. Groups have sums, shares and rows."),
        ]
        return invalid(page, page=page, **context)
    return moved(f"{whole}?{built.query_string() or 'view=all'}")


def _fits(form: BuildForm, report: Report) -> bool:
    """Whether every formula is understood; what is not is said beside it."""
    fits = True
    for place, entry in enumerate(form.formulas, 1):
        formula = entry.form.formula
        if formula.data:
            try:
                computed(place, entry.form.label.data or formula.data, formula.data, report.columns)
            except Invalid as refusal:
                formula.errors = [*formula.errors, refusal.sentence]
                fits = False
    return fits


@bp.route("/views/<uuid:view_id>/tile")
def views_tile(view_id: UUID) -> ResponseReturnValue:
    """A pinned view as a tile of the dashboard: its chart, or how many rows it has."""
    saved = queries.get_view(view_id)
    report = queries.get_report(saved.report)
    allow(policies.can_open_view(actor(), saved, report))
    view = canonical_view(report, saved.query, actor().zone)
    count = report.count(view, actor())
    drawn = drawing(report.shown(view), report.page(view, actor()).rows, view) if view.chart else None
    return fragment("reporting/admin/_tile.html", page=saved.href, view=saved, count=count, drawn=drawn)


@bp.route("/views/new", methods=["GET", "POST"])
def views_new() -> ResponseReturnValue:
    """Save the view a list is shown in."""
    report, query = asked_report(), asked_query()
    allow(policies.can_read(actor(), report))
    path, then = asked_path(report), request.values.get("then", "")
    view = canonical_view(report, query, actor().zone)
    form, page = ViewForm(), "reporting/admin/views_new.html"
    context = {"form": form, "report": report, "query": query, "path": path, "then": then, "words": view_words(report, view)}
    if not form.is_submitted():
        return render_template(page, **context)
    if not form.validate():
        return invalid(page, page=page, **context)
    try:
        values = {"is_shared": form.is_shared.data, "is_default": form.is_default.data, "pin": form.pin.data}
        saved = operations.save_view(report, query, form.title.data, path=path, by=actor(), **values)
    except Invalid as refusal:
        form.refuse(refusal)
        return invalid(page, page=page, **context)
    toast(_("Saved as %(title)s.", title=saved.title))
    return moved(url_for(".schedules_new", view=saved.id) if then == "schedule" else saved.href)


@bp.route("/views/<uuid:view_id>")
def views_show(view_id: UUID) -> ResponseReturnValue:
    """Go to the list in a saved view."""
    view = queries.get_view(view_id)
    allow(policies.can_open_view(actor(), view, queries.get_report(view.report)))
    return redirect(view.href, 302)


@bp.route("/views/<uuid:view_id>/edit", methods=["GET", "POST"])
def views_edit(view_id: UUID) -> ResponseReturnValue:
    """Rename a view, share it, open its list with it."""
    view = queries.get_view(view_id)
    allow(policies.can_edit_view(actor(), view))
    form, page = ViewForm(obj=view), "reporting/admin/views_edit.html"
    if not form.is_submitted():
        return render_template(page, form=form, view=view)
    if not form.validate():
        return invalid(page, page=page, form=form, view=view)
    try:
        values = {"title": form.title.data, "is_shared": form.is_shared.data, "is_default": form.is_default.data, "pin": form.pin.data}
        changed = operations.edit_view(view, by=actor(), **values)
    except Invalid as refusal:
        form.refuse(refusal)
        return invalid(page, page=page, form=form, view=view)
    toast(_("Saved.") if changed else _("Nothing was changed."))
    return moved(url_for(".index"))


@bp.route("/views/<uuid:view_id>/delete", methods=["POST"])
def views_delete(view_id: UUID) -> ResponseReturnValue:
    """Take a view away; its schedules rest."""
    view = queries.get_view(view_id, deleted=True)
    allow(policies.can_edit_view(actor(), view))
    operations.delete_view(view, by=actor())
    toast(_("%(title)s is deleted; mails of it rest.", title=view.title), undo=url_for(".views_restore", view_id=view.id))
    return moved(url_for(".index"))


@bp.route("/views/<uuid:view_id>/restore", methods=["POST"])
def views_restore(view_id: UUID) -> ResponseReturnValue:
    """Bring a deleted view back."""
    view = queries.get_view(view_id, deleted=True)
    allow(policies.can_edit_view(actor(), view))
    operations.restore_view(view, by=actor())
    toast(_("%(title)s is back.", title=view.title))
    return moved(url_for(".index"))
