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
from lms.web.charts import Chart, Number, bar_chart, line_chart, sparkline
from lms.web.toasts import toast
from lms.web.words import day, money, number

STRETCHES = (30, 90)


@bp.route("/usage")
def usage() -> ResponseReturnValue:
    """Enrolments, revenue and people, day by day."""
    allow(policies.can_see_figures(actor()))
    days = _asked_days()
    last = queries.channel_today()
    channel = channels.this_channel()
    series = queries.day_series(last - timedelta(days=2 * days - 1), last, currency=channel.currency)
    now_, before = {}, {}
    for name, line in series.items():
        now_[name] = Series(name, line.days[days:], line.values[days:])
        before[name] = Series(name, line.days[:days], line.values[:days])
    return render_template(
        "reporting/admin/usage.html",
        days=days,
        stretches=STRETCHES,
        charts=_charts(now_, channel.currency),
        tiles=_tiles(now_, before, channel.currency),
        period=f"{last - timedelta(days=days - 1)}..{last}",
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
        labels = [day(one) for one in series[names[0][0]].days]
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


def _tiles(series: dict[str, Series], before: dict[str, Series], currency: str) -> list[dict[str, object]]:
    """The sums of the stretch, each with its trend against the stretch before."""
    made: list[dict[str, object]] = []
    for name, label in (
        ("enrolments", _("Enrolments")),
        ("revenue", _("Paid")),
        ("lessons_completed", _("Lessons completed")),
        ("sign_ins", _("Sign-ins")),
    ):
        total, was = series[name].total, before[name].total
        change = round(100 * (total - was) / was) if was else None
        made.append(
            {
                "label": label,
                "value": money(total, currency) if name == "revenue" else number(total),
                "trend": f"{change:+d} %" if change is not None else None,
                "good": change >= 0 if change is not None else None,
                "spark": sparkline(series[name].values),
            }
        )
    return made
