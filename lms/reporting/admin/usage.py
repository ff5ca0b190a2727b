"""Figures day by day, drawn, each with the rows behind it."""

from collections.abc import Callable
from datetime import timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels import queries as channels
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.reporting import operations, policies, queries
from lms.reporting.admin.door import bp
from lms.reporting.queries import Series
from lms.web.access import actor, allow
from lms.web.answers import moved
from lms.web.charts import Chart, Number, bar_chart, line_chart
from lms.web.tiles import Tile, a_tile, rows_href
from lms.web.toasts import toast
from lms.web.words import money, number, short_day

STRETCHES = (30, 90)


@bp.route("/usage")
def usage() -> ResponseReturnValue:
    """Enrolments, revenue and people, day by day."""
    allow(policies.can_see_figures(actor()))
    days = _asked_days()
    last = queries.channel_today()
    channel = channels.this_channel()
    first = last - timedelta(days=2 * days - 1)
    series, uncounted = queries.as_far_as_counted(
        queries.standing(), lambda known: queries.day_series(first, last, currency=channel.currency, known=known)
    )
    now_ = {name: line.part(days, 2 * days) for name, line in series.items()}
    before = {name: line.part(0, days) for name, line in series.items()}
    period = f"{now_['enrolments'].days[0]}..{last}"
    return render_template(
        "reporting/admin/usage.html",
        days=days,
        stretches=STRETCHES,
        charts=_charts(now_, channel.currency),
        tiles=_tiles(now_, before, channel.currency, f"{period}@{channel.zone}"),
        uncounted=uncounted,
        period=period,
        zone=channel.zone,
    )


@bp.route("/usage/recount", methods=["POST"])
def usage_recount() -> ResponseReturnValue:
    """Count the last days anew from the tables where things happened."""
    allow(policies.can_see_figures(actor()))
    last = queries.channel_today() - timedelta(days=1)
    operations.recount(last - timedelta(days=_asked_days() - 1), last, by=actor())
    toast(_("Counted again."))
    return moved(url_for(".usage", days=_asked_days()))


def _asked_days() -> int:
    days = request.values.get("days", str(STRETCHES[0]))
    if days not in {str(stretch) for stretch in STRETCHES}:
        raise Invalid(_("Choose 30 or 90 days."))
    return int(days)


def _charts(series: dict[str, Series], currency: str) -> list[tuple[str, Chart, str]]:
    """Title, drawing, and the list behind it."""

    def coins(value: Number) -> str:
        return money(int(value), currency)

    def chart(kind: Callable[..., Chart], title: str, names: tuple[tuple[str, str], ...], say: Callable[[Number], str]) -> Chart:
        labels = [short_day(one) for one in series[names[0][0]].days]
        return kind(title, labels, [(label, series[name].values) for name, label in names], say=say, head=_("Day"))

    usage_list, revenue_list = "reporting.usage", "reporting.revenue"
    return [
        (_("Enrolments"), chart(bar_chart, _("Enrolments"), (("enrolments", _("Enrolments")),), number), usage_list),
        (_("Revenue"), chart(line_chart, _("Revenue"), (("revenue", _("Paid")), ("refunds", _("Refunded"))), coins), revenue_list),
        (_("People here"), chart(line_chart, _("People here"), (("active", _("People")),), number), usage_list),
        (
            _("Completed"),
            chart(bar_chart, _("Completed"), (("lessons_completed", _("Lessons")), ("courses_completed", _("Courses"))), number),
            usage_list,
        ),
    ]


def _tiles(series: dict[str, Series], before: dict[str, Series], currency: str, period: str) -> list[Tile]:
    """The sums of the stretch, each with its trend against the stretch before, and the list of its rows."""
    against = _("against the %(days)s days before", days=len(series["enrolments"].days))
    made = []
    for name, label, href in (
        ("enrolments", _("Enrolments"), rows_href("/admin/enrollments/", "enrolled", enrolled=period)),
        ("revenue", _("Paid"), rows_href("/admin/payments/movements", "paid", at=period, kind="sale")),
        ("lessons_completed", _("Lessons completed"), rows_href("/admin/enrollments/lessons", "lessons", completed=period)),
        ("sign_ins", _("Sign-ins"), rows_href("/admin/reporting/reports/reporting.sign_ins", "sign_ins", created=period)),
    ):
        total = series[name].total
        value = money(total, currency) if name == "revenue" else number(total)
        made.append(a_tile(label, value, href, now=total, before=before[name].total, against=against, days=series[name].values))
    return made
