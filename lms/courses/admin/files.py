"""Files to download beside a lesson, and where a file of the academy is used."""

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.content.policies import can_view as can_view_file
from lms.content.queries import get_asset
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.courses import operations, policies, queries
from lms.courses.admin.door import bp
from lms.courses.admin.lessons import load
from lms.courses.admin.outline import read_ids
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment
from lms.web.toasts import toast


@bp.route("/lessons/<uuid:lesson_id>/resources", methods=["GET", "POST"])
def lessons_resources(lesson_id: UUID) -> ResponseReturnValue:
    """The files students may download beside a lesson, with how often they did; POST adds one."""
    lesson, course = load(lesson_id)
    page = url_for(".lessons_edit", lesson_id=lesson.id)
    if request.method == "GET":
        return render_template(
            "courses/admin/lessons_resources.html", lesson=lesson, course=course, resources=queries.resources_of(lesson.id), **_pick()
        )
    ids = read_ids([request.form.get("asset_id", "") or request.form.get("asset_pick", "")])
    if not ids:
        raise Invalid(_("Choose a file first."), fields={"asset_id": _("Choose a file.")})
    operations.add_resource(lesson, ids[0], by=actor(), title=request.form.get("title", ""))
    toast(_("The file stands beside the lesson."), tone="success")
    return changed(
        "courses/admin/_resources.html", otherwise=page if request.form.get("stay") else request.path, lesson=lesson, **_rows(lesson.id)
    )


@bp.route("/lessons/<uuid:lesson_id>/resources/list")
def lessons_resources_list(lesson_id: UUID) -> ResponseReturnValue:
    """The same in short, for the lesson's editor."""
    lesson, _course = load(lesson_id)
    page = url_for(".lessons_resources", lesson_id=lesson.id)
    return fragment("courses/admin/_resources.html", page=page, lesson=lesson, **_rows(lesson.id))


@bp.route("/resources/<uuid:resource_id>/remove", methods=["POST"])
def resources_remove(resource_id: UUID) -> ResponseReturnValue:
    """Take a file away from a lesson."""
    resource = queries.get_resource(resource_id)
    lesson, _course = load(resource.lesson_id)
    operations.remove_resource(resource, by=actor())
    toast(_("“%(name)s” no longer stands beside the lesson. It is still among your files.", name=resource.title))
    page = url_for(".lessons_resources", lesson_id=lesson.id)
    return changed("courses/admin/_resources.html", otherwise=page, lesson=lesson, **_rows(lesson.id))


@bp.route("/files/<uuid:asset_id>/uses")
def files_uses(asset_id: UUID) -> ResponseReturnValue:
    """The lessons that show a file or offer it."""
    asset = get_asset(asset_id)
    allow(can_view_file(actor(), asset))
    uses = [(lesson, course, bool(policies.can_view(actor(), course))) for lesson, course in queries.uses_of(asset_id)]
    return fragment("courses/admin/_uses.html", page=url_for("content_admin.assets_show", asset_id=asset_id), uses=uses)


def _rows(lesson_id: UUID) -> dict[str, object]:
    return {"resources": queries.resources_of(lesson_id)}


def _pick() -> dict[str, object]:
    """The files somebody may choose from: documents, archives and others they uploaded."""
    return {"files": [*queries.files_of(actor(), "document"), *queries.files_of(actor(), "file"), *queries.files_of(actor(), "image")]}
