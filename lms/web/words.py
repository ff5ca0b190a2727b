"""How values read on a page: money, days, moments in the reader's zone, durations, sizes, counts."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from flask import Flask, g

from lms.core import i18n
from lms.core.clock import now, zone
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.web.i18n import choose_zone, reader_zone

QUARTER = 900  # seconds
REMEMBERED = 4096  # what was put into words, for each kind of value


def money(minor: int, currency: str) -> str:
    """An amount with its currency."""
    return _money(minor, currency, i18n.locale())


@lru_cache(maxsize=REMEMBERED)
def _money(minor: int, currency: str, locale: str) -> str:
    return Money(minor, currency).format(locale)


def day(value: date | datetime | None) -> str:
    """A calendar day, in the reader's zone."""
    if value is None:
        return "–"
    return _day(value.astimezone(reader_zone()).date() if isinstance(value, datetime) else value, i18n.locale())


@lru_cache(maxsize=REMEMBERED)
def _day(value: date, locale: str) -> str:
    return str(format_date(value, "d MMM y", locale=locale))


@lru_cache(maxsize=REMEMBERED)
def _short_day(value: date, locale: str) -> str:
    return str(format_date(value, "d MMM", locale=locale))


def short_day(value: date) -> str:
    """A calendar day without its year, as the axis of a drawing has it."""
    return _short_day(value, i18n.locale())


def day_as(value: date, pattern: str) -> str:
    """A calendar day in a pattern of CLDR's letters (`EEEE`, `MMMM y`), in the reader's language."""
    return str(format_date(value, pattern, locale=i18n.locale()))


def month(value: str) -> str:
    """A month that is written 2026-11, in the reader's language."""
    return day_as(date.fromisoformat(f"{value}-01"), "MMM y")


def moment(value: datetime | None) -> str:
    """Day and time in the reader's zone."""
    if value is None:
        return "–"
    return _moment(value.replace(second=0, microsecond=0), choose_zone(), i18n.locale())


@lru_cache(maxsize=REMEMBERED)
def _moment(value: datetime, zone_name: str, locale: str) -> str:
    return str(format_datetime(value, "d MMM y, HH:mm", tzinfo=zone(zone_name), locale=locale))


def moment_with_zone(value: datetime | None) -> str:
    """Day and time in the reader's zone, with the zone named."""
    if value is None:
        return "–"
    return f"{moment(value)} {value.astimezone(reader_zone()).tzname()}"


def time_of_day(value: datetime) -> str:
    """The time alone, in the reader's zone."""
    return _time(value.replace(second=0, microsecond=0), choose_zone(), i18n.locale())


@lru_cache(maxsize=REMEMBERED)
def _time(value: datetime, zone_name: str, locale: str) -> str:
    return str(format_datetime(value, "HH:mm", tzinfo=zone(zone_name), locale=locale))


def until_with_zone(end: datetime, start: datetime) -> str:
    """The end of something whose beginning stands before it: the time alone on the same day, in the reader's zone, with the zone named."""
    place = reader_zone()
    if end.astimezone(place).date() != start.astimezone(place).date():
        return moment_with_zone(end)
    return f"{time_of_day(end)} {end.astimezone(place).tzname()}"


def moment_in(value: datetime, zone_name: str) -> str:
    """Day and time in another zone, with that zone named: what stands beside the reader's own."""
    return f"{_moment(value.replace(second=0, microsecond=0), zone_name, i18n.locale())} {value.astimezone(zone(zone_name)).tzname()}"


def zone_of(value: datetime) -> str:
    """The reader's zone when its clock differs at that moment from the academy's, else the academy's: equal names, one time to show."""
    own, channel = choose_zone(), g.channel.zone
    return channel if value.astimezone(zone(own)).utcoffset() == value.astimezone(zone(channel)).utcoffset() else own


def ago(value: datetime | None) -> str:
    """How long ago, in words."""
    if value is None:
        return _("never")
    return str(format_timedelta(value - now(), add_direction=True, locale=i18n.locale()))


def duration(seconds: float | None) -> str:
    """A length as 1:02:03 or 2:03."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def size(count: int | None) -> str:
    """A file's size in the unit that reads best."""
    if count is None:
        return "–"
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{number(round(value, 0 if unit == 'B' else 1))} {unit}"
        value /= 1000
    return str(count)


def number(value: float | int | None) -> str:
    """A number with the reader's separators."""
    return "–" if value is None else _number(value, i18n.locale())


@lru_cache(maxsize=REMEMBERED)
def _number(value: float | int, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


def zone_name() -> str:
    """The reader's zone, as people say it: the city, and what its clocks are called now."""
    return _zone_name(choose_zone(), int(now().timestamp()) // QUARTER)


@lru_cache(maxsize=REMEMBERED)
def _zone_name(name: str, quarter: int) -> str:
    """The zone's name in a quarter of an hour; clocks are put forward and back at the beginning of one."""
    city = name.rpartition("/")[2].replace("_", " ")
    short = datetime.fromtimestamp(quarter * QUARTER, zone(name)).tzname() or city
    return short if short == city else f"{city} ({short})"


def install(app: Flask) -> None:
    """Offer these words to templates as filters."""
    for word in (
        day,
        day_as,
        month,
        moment,
        moment_with_zone,
        until_with_zone,
        moment_in,
        zone_of,
        ago,
        duration,
        size,
        number,
        i18n.percent,
    ):
        app.jinja_env.filters[word.__name__] = word
    app.jinja_env.filters["language_name"] = i18n.language_name
    app.jinja_env.globals["money"] = money
    app.jinja_env.globals["timedelta"] = timedelta
