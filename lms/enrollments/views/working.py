"""Coming to work here by a link somebody was given."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.decisions import anyone
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.enrollments import operations, policies, queries
from lms.enrollments.views.door import bp
from lms.web.access import actor, allow
from lms.web.answers import moved
from lms.web.toasts import toast


@bp.route("/work/<token:held>", methods=["GET", "POST"])
def work_show(held: str) -> ResponseReturnValue:
    """The role a link gives, to anybody who has it; one button takes it, and signing in as staff do makes it theirs."""
    way = queries.find_way(operations.digest_of(held))
    allow(anyone())
    if way is None or not way.link.role:
        raise NotFound(policies.no_such_link())
    decision = operations.may_take_work(way.link, by=actor())
    hire = queries.hire_of(way.link.id, actor().user_id)
    if request.method == "GET":
        return render_template("enrollments/work_show.html", held=held, way=way, link=way.link, decision=decision, hire=hire)
    allow(decision)
    was_staff = actor().is_staff
    operations.take_work(way.link.id, by=actor())
    if was_staff:
        toast(_("Taken. What you teach stands under Courses."), tone="success")
        return moved("/admin/")
    toast(_("Taken. Sign in once more, the way staff do here: your work is yours from then on."), tone="success", undo="")
    return moved(url_for("auth.sign_in", next="/admin/"))
