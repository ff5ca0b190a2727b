"""The page of all lists, any list by its name, and the checksum to compare files with."""

from urllib.parse import parse_qs

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.reporting import policies, queries
from lms.reporting.admin.door import asked_path, asked_query, asked_report, bp
from lms.web.access import actor, allow
from lms.web.answers import fragment
from lms.web.i18n import choose_zone
from lms.web.lists import answer_list


@bp.route("/")
def index() -> ResponseReturnValue:
    """Every list I may see, with the views saved of it; schedules and downloads beside."""
    allow(policies.can_see_reports(actor()))
    reports = queries.reports_for(actor())
    known = {report.name for report in reports}
    views: dict[str, list[object]] = {}
    for view in queries.views_for(actor()):
        if view.report in known:
            views.setdefault(view.report, []).append(view)
    return render_template(
        "reporting/admin/index.html", reports=reports, views=views, may_see_figures=bool(policies.can_see_figures(actor()))
    )


@bp.route("/reports/<name>")
def reports_show(name: str) -> ResponseReturnValue:
    """Any list by its name, for those that have no page of their own."""
    report = queries.get_report(name)
    allow(policies.can_read(actor(), report))
    return answer_list(report, "reporting/admin/reports_show.html")


@bp.route("/checksum")
def checksum() -> ResponseReturnValue:
    """The row count and checksum of a view, to hold against a file or a mail."""
    report = asked_report()
    allow(policies.can_read(actor(), report))
    view = report.read_view(parse_qs(asked_query()), zone_name=choose_zone())
    count, found = report.checksum(view, actor())
    page = asked_path(report) or url_for(".reports_show", name=report.name)
    return fragment("reporting/admin/_checksum.html", page=f"{page}?{view.query_string()}", count=count, checksum=found)
