"""The back office's own pages: dashboard, audit log, system."""

from uuid import UUID

from babel.dates import format_date
from flask import Blueprint, current_app, g, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.admin import operations, policies, queries
from lms.admin.reports import Audit, Jobs, Mails
from lms.channels.queries import this_channel
from lms.config import Config
from lms.core import doctor, mail
from lms.core.i18n import gettext as _
from lms.core.i18n import locale as get_locale
from lms.web.access import actor, allow
from lms.web.answers import moved
from lms.web.charts import line_chart
from lms.web.design_sample import sample
from lms.web.lists import answer_list
from lms.web.tiles import Tile, a_tile, rows_href
from lms.web.toasts import toast
from lms.web.words import money, number

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.route("/")
def index() -> ResponseReturnValue:
    """The month in figures, what waits for a human, what comes next."""
    allow(policies.can_see_dashboard(actor()))
    figures = queries.month_figures(actor(), currency=g.channel.currency)
    made = figures.month["enrolments"]
    labels = [format_date(value, "d MMM", locale=get_locale()) for value in made.days]
    return render_template(
        "admin/index.html",
        tiles=_tiles(figures, g.channel.currency),
        chart=line_chart(_("Enrolments"), labels, [(_("Enrolments"), made.values)], head=_("Day")),
        waiting=queries.waiting(6) if actor().is_admin else [],
        sessions=queries.coming_sessions(actor()),
    )


def _tiles(figures: queries.Figures, currency: str) -> list[Tile]:
    """The four figures of the month; each opens as many rows as it says."""
    enrolments, people, against = "/admin/enrollments/", "/admin/channels/people", _("against the month before")
    made, paid = figures.month["enrolments"], figures.month["revenue"]
    made_before, paid_before = figures.before["enrolments"].total, figures.before["revenue"].total
    is_admin, period = actor().is_admin, figures.period
    here = rows_href(people if is_admin else enrolments, "here", seen=period)
    if is_admin:
        sold = rows_href("/admin/payments/orders", "revenue", paid=period)
    else:
        sold = rows_href("/admin/reporting/reports/reporting.revenue", "revenue", day=period.partition("@")[0])
    said = _("%(done)s of %(all)s enrolments ever made", done=number(figures.completed), all=number(figures.ever))
    return [
        a_tile(
            _("People here") if is_admin else _("Enrolments in use"),
            number(figures.here),
            here,
            days=figures.month["active"].values if is_admin else (),
        ),
        a_tile(
            _("New enrolments"),
            number(made.total),
            rows_href(enrolments, "enrolled", enrolled=period),
            now=made.total,
            before=made_before,
            against=against,
            days=made.values,
        ),
        a_tile(_("Revenue"), money(paid.total, currency), sold, now=paid.total, before=paid_before, against=against, days=paid.values),
        a_tile(_("Completed"), f"{figures.completion} %", rows_href(enrolments, "completed", completed=figures.ever_period), note=said),
    ]


@bp.route("/inbox")
def inbox() -> ResponseReturnValue:
    """Everything that waits for a human, each with its next step."""
    allow(policies.can_see_inbox(actor()))
    return render_template("admin/inbox.html", waiting=queries.waiting())


@bp.route("/audit")
def audit() -> ResponseReturnValue:
    """Who did what to what."""
    allow(policies.can_see_audit(actor()))
    return answer_list(Audit(), "admin/audit.html")


@bp.route("/audit/<uuid:row_id>")
def audit_show(row_id: UUID) -> ResponseReturnValue:
    """One act, with the values before and after."""
    row, seal = queries.get_audit_row(row_id)
    allow(policies.can_see_audit(actor()))
    return render_template("admin/audit_show.html", row=row, seal=seal)


@bp.route("/system")
def system() -> ResponseReturnValue:
    """How the platform is."""
    allow(policies.can_see_system(actor()))
    config: Config = current_app.config["LMS"]
    return render_template("admin/system.html", findings=doctor.examine(config), is_sink=mail.is_sink())


@bp.route("/system/demo/remove", methods=["POST"])
def system_demo_remove() -> ResponseReturnValue:
    """Remove the demo with everything in it; the next page says how to open an academy."""
    channel = this_channel()
    allow(policies.can_remove_demo(actor(), is_demo=channel.is_demo))
    config: Config = current_app.config["LMS"]
    operations.remove_demo(channel.id, home=config.home)
    return moved("/")


@bp.route("/system/jobs")
def system_jobs() -> ResponseReturnValue:
    """What the workers do, did, and could not do."""
    allow(policies.can_see_system(actor()))
    return answer_list(Jobs(), "admin/system_jobs.html")


@bp.route("/system/jobs/<uuid:row_id>")
def system_jobs_show(row_id: UUID) -> ResponseReturnValue:
    """One job."""
    row = queries.get_job(row_id)
    allow(policies.can_see_system(actor()))
    return render_template("admin/system_jobs_show.html", row=row)


@bp.route("/system/jobs/<uuid:row_id>/retry", methods=["POST"])
def system_jobs_retry(row_id: UUID) -> ResponseReturnValue:
    """Try a job once more."""
    row = queries.get_job(row_id)
    allow(policies.can_see_system(actor()))
    operations.retry_job(row, by=actor())
    toast(_("The job is tried again."))
    return moved(url_for(".system_jobs_show", row_id=row_id))


@bp.route("/system/mail")
def system_mail() -> ResponseReturnValue:
    """Every mail, and what became of it."""
    allow(policies.can_see_system(actor()))
    return answer_list(Mails(), "admin/system_mail.html", is_sink=mail.is_sink())


@bp.route("/system/mail/<uuid:mail_id>")
def system_mail_show(mail_id: UUID) -> ResponseReturnValue:
    """One mail as it was written; secret ones only where mail stays in the sink."""
    found = queries.get_mail(mail_id)
    allow(policies.can_see_system(actor()))
    hidden = found.is_secret and not mail.is_sink()
    body = _("This mail held a code or a link for one person; it is not shown.") if hidden else mail.readable(found, found.body_text)
    return render_template("admin/system_mail_show.html", mail=found, body=body)


@bp.route("/system/design")
def system_design() -> ResponseReturnValue:
    """Every piece of the design system in every state."""
    allow(policies.can_see_system(actor()))
    return render_template("admin/system_design.html", sample=sample())
