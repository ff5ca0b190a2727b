"""Whether counted days still say what their rows say."""

from collections import Counter
from datetime import date, timedelta

from sqlalchemy import Date, literal, select

from lms.core import db
from lms.reporting.models import Daily
from lms.reporting.queries.figures import _sources, counted_days, standing

NEWEST = SPREAD = 7
# What of a day does not change or go away without the day being counted again; sign-ins and marks of lessons do.
LASTING = ("enrolments", "orders", "revenue", "refunds", "courses_completed", "joined")


def daily_faults() -> list[str]:
    """Where the newest counted days, and as many spread over all of them, differ from their rows, in plain sentences.

    Days that wait to be counted again are left out: their figures are looked up until then.
    """
    counted = counted_days()
    if counted is None:
        return []
    (first, last), stale = counted, standing().stale
    days = {last - timedelta(days=number) for number in range(NEWEST)}
    days |= {first + timedelta(days=(last - first).days * number // SPREAD) for number in range(SPREAD)}
    return [fault for day in sorted(days) if first <= day <= last and day not in stale for fault in _faults_of(day)]


def _faults_of(day: date) -> list[str]:
    there, kept = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for source in _sources(literal(day, Date), literal(day + timedelta(days=1), Date), LASTING):
        for row in db.session().execute(source):
            there[row.metric, row.currency or ""] += int(row.value)
    wanted = select(Daily.metric, Daily.currency, Daily.value).where(Daily.day == day, Daily.metric.in_(LASTING))
    for metric, currency, value in db.session().execute(wanted):
        kept[metric, currency or ""] += int(value)
    return [
        f"{day}: {kept[key]} is kept for {' '.join(key).replace('_', ' ').strip()}, and its rows come to {there[key]}."
        " Have the days counted again at /admin/reporting/usage."
        for key in sorted(there.keys() | kept.keys())
        if there[key] != kept[key]
    ]
