"""Week by week: how much is learnt, and who comes back."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, Integer, Numeric, Select, Text, Uuid, case, cast, func, literal, select

from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Column, Period, Report
from lms.core.reports.fields import Words
from lms.reporting import policies, queries
from lms.reporting.models import Weekly
from lms.reporting.reports.days import of

WEEKS = 12
DAYS = 7
LEARNT = ("lessons_completed", "courses_completed", "enrolments", "joined", "watched")


def _monday(day: Any) -> Any:
    return cast(func.date_trunc("week", day), Date)


def _by_week(metrics: Sequence[str]) -> Any:
    """These figures summed up by weeks, each with an id of its own."""
    found = queries.figures(queries.standing(), metrics)
    week = _monday(found.c.day)
    sums = [func.coalesce(func.sum(found.c.value).filter(found.c.metric == metric), 0).label(metric) for metric in metrics]
    return select(cast(func.md5(cast(week, Text)), Uuid).label("id"), week.label("week"), *sums).group_by(week).subquery("added")


class Engagement(Report):
    """How much was learnt in each week, and by how many."""

    name = "reporting.engagement"
    is_settled = False
    title = _l("Learning week by week")
    lead = _l(
        "Weeks from Monday to Sunday in the academy's own zone. People are counted once a week; this week is counted every five minutes."
    )
    key = of("id", Uuid)
    sort = "-week"
    empty = ("activity", _l("Nothing was learnt yet"), _l("The first lesson somebody completes makes the first row."))
    figures: ClassVar[Mapping[str, Words]] = {
        "engagement": _l("Everybody who opened a page or learnt something in the week counts once; watching is the time by the clock."),
    }
    columns = (
        Column("week", _l("Week of"), of("week", Date), kind="date", nullable=False),
        Column("people", _l("People here"), func.coalesce(of("people"), 0), kind="int", nullable=False),
        Column("watched", _l("Watched"), func.floor(of("watched", Numeric) / 1000), kind="duration", total=True, nullable=False),
        Column("lessons", _l("Lessons completed"), of("lessons_completed", Numeric), kind="int", total=True, nullable=False),
        Column("courses", _l("Courses completed"), of("courses_completed", Numeric), kind="int", total=True, nullable=False),
        Column("enrolments", _l("Enrolments"), of("enrolments", Numeric), kind="int", total=True, nullable=False),
        Column("joined", _l("New people"), of("joined", Numeric), kind="int", total=True, nullable=False),
    )
    filters = (Period("week", _l("Week of"), of("week", Date), whole_days=True),)

    def query(self, by: Actor) -> Select[Any]:
        """Each week with what was learnt in it and how many were here."""
        added = _by_week(LEARNT)
        here = select(Weekly.week, cast(func.sum(Weekly.people), BigInteger).label("people")).group_by(Weekly.week).subquery("here")
        both = select(*added.c, here.c.people).outerjoin_from(added, here, here.c.week == added.c.week)
        return select(both.subquery("added"))

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)


def _share(week: int) -> Column:
    label = _l("Week %(week)s", week=week)
    return Column(f"week_{week}", label, of(f"week_{week}", Numeric), kind="percent", sortable=False, nullable=True)


class Retention(Report):
    """Of the people who joined in a week, how many in a hundred were here again in each week after it."""

    name = "reporting.retention"
    is_settled = False
    title = _l("Who comes back")
    lead = _l("Of those who joined in a week, how many in a hundred were here in the weeks after it. Week 0 is the week they joined.")
    key = of("id", Uuid)
    sort = "-week"
    empty = ("users", _l("Nobody has joined yet"), _l("The people of each week make a row."))
    figures: ClassVar[Mapping[str, Words]] = {
        "retention": _l(
            "A row is everybody who joined in that week. A cell is the share of them who opened a page or learnt something in the week"
            " that many weeks later; empty: that week has not come yet."
        ),
    }
    columns = (
        Column("week", _l("Joined in the week of"), of("week", Date), kind="date", nullable=False),
        Column("joined", _l("People"), of("joined", Numeric), kind="int", total=True, nullable=False),
        *(_share(week) for week in range(WEEKS + 1)),
    )
    filters = (Period("week", _l("Joined in the week of"), of("week", Date), whole_days=True),)

    def query(self, by: Actor) -> Select[Any]:
        """Each week somebody joined in, with the shares of the weeks after it."""
        added = _by_week(("joined",))
        today = queries.channel_today()
        later = cast((Weekly.week - Weekly.cohort) / DAYS, Integer)
        back = select(Weekly.cohort, later.label("later"), Weekly.people).where(Weekly.week >= Weekly.cohort).subquery("back")
        shares = [_came_back(added, back, number, today).label(f"week_{number}") for number in range(WEEKS + 1)]
        rows = (
            select(added.c.id, added.c.week, added.c.joined, *shares)
            .outerjoin_from(added, back, back.c.cohort == added.c.week)
            .where(added.c.joined > 0)
            .group_by(added.c.id, added.c.week, added.c.joined)
        )
        return select(rows.subquery("added"))

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_see_figures(by)


def _came_back(added: Any, back: Any, number: int, today: date) -> Any:
    """The share of a week's people who were here that many weeks later, at most all of them; nothing while that week has not begun."""
    people = func.coalesce(func.sum(back.c.people).filter(back.c.later == number), 0)
    has_begun = added.c.week <= literal(today - timedelta(days=DAYS * number), Date)
    return case((has_begun, func.least(100, func.round(100 * people / added.c.joined))))
