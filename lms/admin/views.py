"""The back office's own pages: dashboard, audit log, system, bulk acts."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.admin import jobs, operations, policies, queries
from lms.admin.reports import ACTOR_KINDS, MAIL_STATES, MAIL_TONES, PLAN_STATES, PLAN_TONES, Audit, Bin, Jobs, Mails, PlanRows, Plans
from lms.channels.queries import this_channel
from lms.config import Config
from lms.core import bin as recycle
from lms.core import db, deeds, doctor, mail
from lms.core import plans as bulk
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import percent
from lms.core.models import AuditRow, Plan
from lms.reporting import queries as reporting
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved, own_path
from lms.web.bulk import answer_bulk, options_form, params_of
from lms.web.charts import line_chart
from lms.web.design_sample import sample
from lms.web.exports import lines_response
from lms.web.history import told
from lms.web.lists import answer_list, list_page
from lms.web.tiles import Tile, a_tile, rows_href
from lms.web.toasts import toast
from lms.web.words import money, number, short_day

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.route("/")
def index() -> ResponseReturnValue:
    """The month in figures, what waits for a human, what comes next."""
    allow(policies.can_see_dashboard(actor()))
    figures = queries.month_figures(actor(), currency=g.channel.currency)
    made = figures.month["enrolments"]
    labels = [short_day(value) for value in made.days]
    return render_template(
        "admin/index.html",
        tiles=_tiles(figures, g.channel.currency),
        uncounted=figures.uncounted,
        pinned=reporting.pinned_views(actor()),
        chart=line_chart(_("Enrolments"), labels, [(_("Enrolments"), made.values)], head=_("Day")),
        waiting=queries.waiting(6) if actor().is_admin else [],
        sessions=queries.coming_sessions(actor()),
    )


def _tiles(figures: queries.Figures, currency: str) -> list[Tile]:
    """The four figures of the month; each opens as many rows as it says."""
    enrolments, people, against = "/admin/enrollments/", "/admin/channels/people", _("against the month before")
    made, made_before = figures.month["enrolments"], figures.before["enrolments"].total
    paid, paid_before = figures.net(figures.month), sum(figures.net(figures.before))
    is_admin, period = actor().is_admin, figures.period
    here = rows_href(people if is_admin else enrolments, "here", seen=period)
    if is_admin:
        sold = rows_href("/admin/payments/movements", "revenue", at=period)
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
        a_tile(_("Revenue"), money(sum(paid), currency), sold, now=sum(paid), before=paid_before, against=against, days=paid),
        a_tile(_("Completed"), percent(figures.completion), rows_href(enrolments, "completed", completed=figures.ever_period), note=said),
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
    return answer_list(Audit(), "admin/audit.html", waiting=queries.waiting_check(), last=queries.last_check())


@bp.route("/audit/chain", methods=["GET", "POST"])
def audit_chain() -> ResponseReturnValue:
    """Whether the chain of the audit log is whole (a piece of its page); POST has it read again."""
    allow(policies.can_see_audit(actor()))
    if request.method == "POST":
        check, is_new = operations.ask_for_check(by=actor())
        if is_new:
            jobs.check_audit_now.put({"check_id": check.id}, key=f"audit:{check.id}")
        return changed("admin/_chain.html", otherwise=url_for(".audit"), waiting=check, last=queries.last_check())
    return fragment("admin/_chain.html", page=url_for(".audit"), waiting=queries.waiting_check(), last=queries.last_check())


@bp.route("/audit/<uuid:row_id>")
def audit_show(row_id: UUID) -> ResponseReturnValue:
    """One act, with the values before and after."""
    row, seal = queries.get_audit_row(row_id)
    allow(policies.can_see_audit(actor()))
    (said,) = told([row])
    return render_template(
        "admin/audit_show.html",
        row=row,
        seal=seal,
        told=said,
        thing=deeds.thing_of(row),
        href=deeds.href_of(row),
        may_revert=queries.may_revert(row, by=actor()),
        kinds=dict(ACTOR_KINDS),
    )


@bp.route("/audit/<uuid:row_id>/revert", methods=["POST"])
def audit_revert(row_id: UUID) -> ResponseReturnValue:
    """Put back what an act changed, by the rules of what it changed; with `whole` all that was changed in the same breath."""
    row, _seal = queries.get_audit_row(row_id)
    allow(deeds.may_revert(row, by=actor()))
    page = _page_before(row)
    try:
        with db.session().begin_nested():
            for one in queries.same_breath(row) if request.args.get("whole") else [row]:
                deeds.revert(one, by=actor())
    except Refusal as refusal:
        toast(refusal.sentence, tone="warning")
        return moved(page)
    toast(_("Taken back: %(what)s.", what=_what(row)))
    return moved(page)


def _page_before(row: AuditRow) -> str:
    """Where Undo was pressed: the address says, else the browser; else the page of what was changed."""
    came = urlsplit(request.referrer or "")
    path = f"{came.path}?{came.query}" if came.query else came.path
    other = url_for(".audit_show", row_id=row.id) if actor().is_admin else deeds.href_of(row) or url_for(".index")
    return own_path(request.args.get("back") or (path if came.netloc == request.host else ""), other)


def _what(row: AuditRow) -> str:
    """What an act was about, in a few words."""
    fields = [label for label, _before, _after in told([row])[0]["changes"]]
    name = row.target_name or str(deeds.thing_of(row).words)
    return f"{name}, {', '.join(fields)}" if fields else name


@bp.route("/bin")
def bin() -> ResponseReturnValue:
    """What was deleted in the last thirty days."""
    allow(policies.can_see_bin(actor()))
    return answer_list(Bin(), "admin/bin.html")


@bp.route("/bin/<uuid:row_id>")
def bin_show(row_id: UUID) -> ResponseReturnValue:
    """One thing in the bin: who deleted it and when, and what hangs on it."""
    row = recycle.get_row(row_id)
    allow(policies.can_see_bin(actor()))
    kind = recycle.kind_of(row)
    return render_template("admin/bin_show.html", row=row, kind=kind, hanging=queries.hanging_on(kind.table, row.target_id))


@bp.route("/bin/<uuid:row_id>/restore", methods=["POST"])
def bin_restore(row_id: UUID) -> ResponseReturnValue:
    """Bring something back."""
    row = recycle.get_row(row_id)
    allow(policies.can_handle_bin(actor(), row))
    recycle.restore(row, by=actor())
    toast(_("“%(title)s” is back.", title=row.title), tone="success")
    return moved(url_for(".bin"))


@bp.route("/bin/<uuid:row_id>/purge", methods=["POST"])
def bin_purge(row_id: UUID) -> ResponseReturnValue:
    """Delete something for good."""
    row = recycle.get_row(row_id)
    allow(policies.can_handle_bin(actor(), row), fresh=True)
    gone = recycle.purge(row, by=actor())
    words = _("“%(title)s” is deleted for good.") if gone else _("“%(title)s” is deleted for good; records that name it keep its name.")
    toast(words % {"title": row.title})
    return moved(url_for(".bin"))


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
    return render_template("admin/system_mail_show.html", mail=found, body=body, states=dict(MAIL_STATES), tones=MAIL_TONES)


@bp.route("/system/mail/<uuid:mail_id>/retry", methods=["POST"])
def system_mail_retry(mail_id: UUID) -> ResponseReturnValue:
    """Send a mail once more that was refused or not sent."""
    found = queries.get_mail(mail_id)
    allow(policies.can_see_system(actor()))
    operations.retry_mail(found, by=actor())
    toast(_("The mail is sent once more. If its reason still holds, it says so here."))
    return moved(url_for(".system_mail_show", mail_id=mail_id))


@bp.route("/system/design")
def system_design() -> ResponseReturnValue:
    """Every piece of the design system in every state."""
    allow(policies.can_see_system(actor()))
    return render_template("admin/system_design.html", sample=sample())


@bp.route("/plans")
def plans() -> ResponseReturnValue:
    """Bulk acts: what waits, and the receipts."""
    allow(policies.can_see_plans(actor()))
    return answer_list(Plans(), "admin/plans.html")


@bp.route("/plans/start", methods=["POST"])
def plans_start() -> ResponseReturnValue:
    """Plan an act on the chosen rows of a list."""
    allow(policies.can_make_plan(actor()))
    return answer_bulk()


@bp.route("/plans/<uuid:plan_id>", methods=["GET", "POST"])
def plans_show(plan_id: UUID) -> ResponseReturnValue:
    """One bulk act: what it would do row by row, then what it did; POST answers what it asks and plans with that."""
    plan = bulk.get_plan(plan_id)
    act = bulk.get_act(plan.act)
    allow(policies.can_handle_plan(actor(), act))
    form = options_form(act, plan.params, currency=g.channel.currency)
    if request.method == "POST":
        page = "admin/plans_show.html"
        if not form.validate():
            return invalid(page, page=page, **_about_plan(plan, act, form))
        try:
            bulk.replan(plan, params=params_of(act, form), by=actor())
        except Refusal as refusal:
            form.refuse(refusal)
            return invalid(page, page=page, **_about_plan(plan, act, form))
        return moved(url_for(".plans_show", plan_id=plan_id))
    return render_template("admin/plans_show.html", **_about_plan(plan, act, form))


def _about_plan(plan: Plan, act: bulk.Act, form: Any) -> dict[str, Any]:
    return {
        "plan": plan,
        "act": act,
        "form": form,
        "list": list_page(PlanRows(plan, act), counted=True),
        "states": dict(PLAN_STATES),
        "tones": PLAN_TONES,
        "unused": [column["heading"] for column in plan.columns if not column["field"] and column["heading"]],
    }


@bp.route("/plans/<uuid:plan_id>/status")
def plans_status(plan_id: UUID) -> ResponseReturnValue:
    """How far a bulk act is; once it rests, its page."""
    plan = bulk.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), bulk.get_act(plan.act)))
    page = url_for(".plans_show", plan_id=plan_id)
    return fragment("admin/_plan_progress.html", page=page, plan=plan) if plan.is_working else moved(page)


@bp.route("/plans/<uuid:plan_id>/apply", methods=["POST"])
def plans_apply(plan_id: UUID) -> ResponseReturnValue:
    """Do what is planned."""
    plan = bulk.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), bulk.get_act(plan.act)))
    bulk.apply(plan, by=actor())
    return moved(url_for(".plans_show", plan_id=plan_id))


@bp.route("/plans/<uuid:plan_id>/again", methods=["POST"])
def plans_again(plan_id: UUID) -> ResponseReturnValue:
    """Plan the same rows again with what stands now."""
    plan = bulk.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), bulk.get_act(plan.act)))
    bulk.replan(plan, by=actor())
    return moved(url_for(".plans_show", plan_id=plan_id))


@bp.route("/plans/<uuid:plan_id>/undo", methods=["POST"])
def plans_undo(plan_id: UUID) -> ResponseReturnValue:
    """Take back what was applied; `back` in the address is where a single act was undone from."""
    plan = bulk.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), bulk.get_act(plan.act)))
    bulk.undo(plan, by=actor())
    if plan.is_single and plan.undone_count:
        toast(_("Taken back."))
    elif plan.is_single:
        toast(_("Somebody changed this since, so it was left as it is."), tone="warning")
    return moved(own_path(request.args.get("back") if plan.is_single else None, url_for(".plans_show", plan_id=plan_id)))


@bp.route("/plans/<uuid:plan_id>/discard", methods=["POST"])
def plans_discard(plan_id: UUID) -> ResponseReturnValue:
    """Throw a plan away that was not applied."""
    plan = bulk.get_plan(plan_id)
    act = bulk.get_act(plan.act)
    allow(policies.can_handle_plan(actor(), act))
    bulk.throw_away(plan, by=actor())
    toast(_("The plan is thrown away. Nothing was changed."))
    return moved(act.back)


@bp.route("/plans/<uuid:plan_id>/refused")
def plans_refused(plan_id: UUID) -> ResponseReturnValue:
    """The rows that were refused, as they came, with the reason of each: mend the file and import it again."""
    plan = bulk.get_plan(plan_id)
    allow(policies.can_handle_plan(actor(), bulk.get_act(plan.act)))
    name = f"refused-rows-{plan.created_at:%Y-%m-%d}.csv"
    return lines_response(lambda: bulk.refused_lines(bulk.get_plan(plan_id)), name, actor())
