"""Who may enrol in a course by their own act."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses import operations, policies, queries
from lms.courses.admin.door import bp, head_of
from lms.courses.forms import EntryForm
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.toasts import toast


@bp.route("/<uuid:course_id>/entry", methods=["GET", "POST"])
def entry(course_id: UUID) -> ResponseReturnValue:
    """Everybody, whoever has a key or link, whoever asks and is let in, or nobody but by an admin."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    form, page = EntryForm(), "courses/admin/entry.html"
    if not form.is_submitted():
        form.fill(course)
        return render_template(page, form=form, **head_of(course, "settings"))
    if form.validate():
        try:
            changed = operations.set_entry(course, form.wish(), by=actor())
            toast(_("Saved. Whoever is enrolled stays enrolled.") if changed else _("Nothing was changed."))
            return moved(url_for(".settings", course_id=course.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, **head_of(course, "settings"))
