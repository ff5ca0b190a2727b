"""Saved views."""

from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.reporting import operations, policies, queries
from lms.reporting.admin.door import asked_path, asked_query, asked_report, bp
from lms.reporting.forms import ViewForm
from lms.reporting.operations.sending import view_words
from lms.reporting.operations.viewing import canonical_view
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
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
        save_href=f"{url_for('.views_new')}?{parameters}",
        checksum_href=f"{url_for('.checksum')}?{parameters}",
        report=report,
    )


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
        saved = operations.save_view(
            report, query, form.title.data, path=path, is_shared=form.is_shared.data, is_default=form.is_default.data, by=actor()
        )
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
        values = {"title": form.title.data, "is_shared": form.is_shared.data, "is_default": form.is_default.data}
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
