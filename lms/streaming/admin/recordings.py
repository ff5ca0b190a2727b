"""What is left of a class: its card, another try, and the academy's rule for how long."""

from uuid import UUID

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.decisions import admins
from lms.core.i18n import gettext as _
from lms.streaming import jobs, operations, queries
from lms.streaming.admin.door import bp, run_by_me
from lms.streaming.forms import RuleForm
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.toasts import toast


@bp.route("/sessions/<uuid:session_id>/recording", methods=["GET", "POST"])
def sessions_recording(session_id: UUID) -> ResponseReturnValue:
    """Where the recording of a class stands; posting tries again to make it."""
    session = run_by_me(session_id)
    page = url_for(".sessions_show", session_id=session_id)
    if request.method == "POST":
        wanted = operations.retry_recording(session, by=actor())
        if wanted == "join":
            jobs.keep_recording.put({"session_id": session.id}, key=f"recording:{session.id}")
        elif wanted == "fetch":
            jobs.fetch_recording.put({"session_id": session.id}, key=jobs.fetch_key(session.id))
        return changed("streaming/admin/_recording.html", otherwise=page, session=session, kept=queries.card_of(session_id))
    return fragment("streaming/admin/_recording.html", page=page, session=session, kept=queries.card_of(session_id))


@bp.route("/settings", methods=["GET", "POST"])
def settings() -> ResponseReturnValue:
    """For how long recordings stay that nobody made a published lesson of, and how outside rooms report."""
    allow(admins(actor()))
    page = "streaming/admin/settings.html"
    form = RuleForm(data={"keep_days": queries.rule().keep_days})
    hooks = {
        "address": g.channel.origin + url_for("streaming.hooks"),
        "secret": queries.hook_secret(),
        "receipts": queries.newest_receipts(),
        "old_counts": len(queries.hook_secrets()) > 1,
    }
    if request.form.get("wish") == "secret":
        operations.change_hook_secret(by=actor())
        toast(_("There is a new secret. The old one counts for a day more."))
        return moved(url_for(".settings"))
    if not form.is_submitted():
        return render_template(page, form=form, **hooks)
    if not form.validate():
        return invalid(page, page=page, form=form, **hooks)
    operations.keep_rule(form.keep_days.data, by=actor())
    toast(_("Saved."))
    return moved(url_for(".settings"))
