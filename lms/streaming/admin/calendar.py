"""The month: every class this person runs, day by day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.streaming import policies, queries
from lms.streaming.admin.door import bp
from lms.streaming.models import Session
from lms.web.access import actor, allow
from lms.web.i18n import reader_zone

MOST_YEARS = 20


@dataclass(frozen=True, slots=True)
class Day:
    """One field of the month."""

    date: date
    is_today: bool
    is_other: bool
    sessions: tuple[Session, ...]


@bp.route("/calendar")
def calendar() -> ResponseReturnValue:
    """A month of live classes in the reader's zone; `?month=2026-11` chooses it."""
    allow(policies.can_list(actor()))
    place = reader_zone()
    today = now().astimezone(place).date()
    first = _month(request.args.get("month", ""), today)
    begin = first - timedelta(days=first.weekday())
    after = (first + timedelta(days=32)).replace(day=1)
    end = after + timedelta(days=-after.weekday() % 7)
    found = queries.sessions_between(_midnight(begin), _midnight(end), by=actor())
    held: dict[date, list[Session]] = {}
    for session in found:
        held.setdefault(session.starts_at.astimezone(place).date(), []).append(session)
    days = [begin + timedelta(days=number) for number in range((end - begin).days)]
    return render_template(
        "streaming/admin/calendar.html",
        first=first,
        days=[Day(day, day == today, day.month != first.month, tuple(held.get(day, ()))) for day in days],
        place=place,
        earlier=url_for(".calendar", month=(first - timedelta(days=1)).strftime("%Y-%m")),
        later=url_for(".calendar", month=after.strftime("%Y-%m")),
    )


def _month(asked: str, today: date) -> date:
    """The first day of the month asked for; this month when that is none."""
    try:
        found = date.fromisoformat(f"{asked}-01")
    except ValueError:
        return today.replace(day=1)
    return found if abs(found.year - today.year) <= MOST_YEARS else today.replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), reader_zone())
