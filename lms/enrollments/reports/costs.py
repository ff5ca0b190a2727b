"""What films cost and how much of them is watched: month by month and course by course."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Date,
    Interval,
    Numeric,
    Select,
    Text,
    Uuid,
    cast,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from lms.channels.queries import this_channel
from lms.content.models import PRICES, Spent
from lms.content.queries import watching_rule
from lms.core import db
from lms.core.decisions import Actor, Decision, admins
from lms.core.i18n import lazy_gettext as _l
from lms.core.money import digits
from lms.core.reports import Choice, Column, Period, Report
from lms.core.reports.fields import Words
from lms.courses.models import Course, Lesson, Resource
from lms.enrollments.models import WatchDay
from lms.enrollments.reports.lists import course_options

HOUR_MS, GB, MILLION = 3_600_000, 10**9, 10**6
SUMS = ("cpu_ms", "made_ms", "given", "originals", "cold", "made", "watch_ms")


def _of(name: str, kind: Any = Numeric) -> Any:
    return literal_column(f"added.{name}", kind)


def _home() -> Any:
    """The course each file is counted to: its first lesson's, else that of the lesson it stands beside, else the one it is the cover of."""
    places = union_all(
        select(Lesson.asset_id.label("asset_id"), Lesson.course_id.label("course_id"), literal(1).label("rank"), Lesson.id.label("since")),
        select(Resource.asset_id, Lesson.course_id, literal(2), Resource.id).join(Lesson, Lesson.id == Resource.lesson_id),
        select(Course.cover_asset_id, Course.id, literal(3), Course.id),
    ).subquery("places")
    one = select(places.c.asset_id, places.c.course_id).where(places.c.asset_id.is_not(None)).distinct(places.c.asset_id)
    return one.order_by(places.c.asset_id, places.c.rank, places.c.since).subquery("home")


def _added() -> Any:
    """Every month of every course with what was spent on its files and what of them was watched; bytes stored are the month's average."""
    home = _home()
    days = func.extract("day", Spent.month + cast("1 month", Interval) - cast("1 day", Interval))
    stored = (Spent.original_days, Spent.cold_days, Spent.made_days)
    month = cast(func.date_trunc("month", WatchDay.day), Date)
    nothing = [literal(0).label(name) for name in SUMS if name not in ("given", "watch_ms")]
    lines = union_all(
        select(
            Spent.month.label("month"),
            home.c.course_id.label("course_id"),
            Spent.cpu_ms.label("cpu_ms"),
            Spent.made_ms.label("made_ms"),
            *(cast(one / days, Numeric).label(name) for one, name in zip(stored, ("originals", "cold", "made"), strict=True)),
            Spent.given_bytes.label("given"),
            literal(0).label("watch_ms"),
        ).outerjoin(home, home.c.asset_id == Spent.asset_id),
        select(month, WatchDay.course_id, *nothing, WatchDay.bytes, WatchDay.watch_ms),
    ).subquery("lines")
    row = func.concat_ws("|", cast(lines.c.month, Text), cast(lines.c.course_id, Text))
    sums = [func.sum(lines.c[name]).label(name) for name in SUMS]
    rows = select(cast(func.md5(row), Uuid).label("id"), lines.c.month, lines.c.course_id, *sums)
    return rows.group_by(lines.c.month, lines.c.course_id).subquery("added")


def _price(micros: int, quantity: Any, currency: str) -> Any:
    """Minor units of a quantity at a price in millionths, not yet rounded."""
    return quantity * literal(micros, Numeric) * 10 ** digits(currency) / MILLION


def _cost(key: str, label: Words, value: Any, currency: str, *, total: bool = True) -> Column:
    return Column(
        key, label, cast(func.round(value), BigInteger), kind="money", currency=literal(currency, Text), total=total, nullable=not total
    )


def _priced(prices: Mapping[str, int | None], currency: str) -> list[Column]:
    """What it cost, as far as prices were said."""
    stored = _of("originals") + _of("made")
    cold = prices["price_stored"] if prices["price_cold"] is None else prices["price_cold"]
    parts: dict[str, Any] = {}
    if prices["price_hour"] is not None:
        parts["cost_making"] = _price(prices["price_hour"], _of("cpu_ms") / HOUR_MS, currency)
    if prices["price_stored"] is not None or prices["price_cold"] is not None:
        parts["cost_stored"] = _price(prices["price_stored"] or 0, stored / GB, currency) + _price(cold or 0, _of("cold") / GB, currency)
    if prices["price_given"] is not None:
        parts["cost_given"] = _price(prices["price_given"], _of("given") / GB, currency)
    if not parts:
        return []
    whole = sum(parts.values(), literal(0, Numeric))
    labels = {"cost_making": _l("Cost of preparing"), "cost_stored": _l("Cost of room"), "cost_given": _l("Cost of bytes given")}
    hour = whole / func.nullif(_of("watch_ms") / HOUR_MS, 0)
    return [
        *(_cost(key, labels[key], value, currency) for key, value in parts.items()),
        _cost("cost", _l("Cost"), sum((func.round(one) for one in parts.values()), literal(0, Numeric)), currency),
        _cost("cost_hour", _l("Cost of a watched hour"), hour, currency, total=False),
    ]


def _bytes(key: str, label: Words, value: Any, help_: Words = "", *, nullable: bool = False) -> Column:
    return Column(key, label, cast(func.round(value), BigInteger), kind="bytes", total=True, nullable=nullable, help=help_)


class Costs(Report):
    """What films of each course cost in each month, and how much of them was watched."""

    name = "enrollments.costs"
    is_settled = False
    title = _l("Costs and minutes of films")
    lead = _l(
        "Per month and course: length made ready, processor time, room as the average of the month, time watched, and bytes given."
        " A file counts for the course of its first lesson. With prices under Files, Room, what it cost stands beside."
    )
    key = _of("id", Uuid)
    sort = "-month"
    empty = ("gauge", _l("Nothing was prepared or watched yet"), _l("The first film makes the first row."))
    figures: ClassVar[Mapping[str, Words]] = {
        "costs": _l(
            "Processor time is that of the workers, ffmpeg's among it, without what killed workers had begun. Bytes given are what"
            " players say they took, and downloads; from a bucket of its own most browsers do not say it."
        ),
    }
    filters = (
        Choice("course", _l("Course"), _of("course_id", Uuid), options=course_options),
        Period("month", _l("Month"), _of("month", Date), whole_days=True),
    )
    search = (Course.title,)

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]  # with costs where prices were said
        """What was used, and what it cost at the academy's prices."""
        kept = db.session().info
        if "enrollments.costs" not in kept:
            rule = watching_rule()
            kept["enrollments.costs"] = [
                *USED,
                *_priced({name: getattr(rule, name) for name in PRICES}, this_channel().currency),
                COURSE_ID,
            ]
        columns: Sequence[Column] = kept["enrollments.costs"]
        return columns

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return admins(by)

    def query(self, by: Actor) -> Select[Any]:
        """Each month of each course; files of no course stand together."""
        return select(_added()).outerjoin(Course, Course.id == _of("course_id", Uuid))


USED = (
    Column("month", _l("Month"), func.to_char(_of("month", Date), "YYYY-MM"), kind="month", nullable=False),
    Column("course", _l("Course"), Course.title, href="/admin/courses/{course_id}", nullable=True),
    Column("prepared", _l("Length made ready"), func.floor(_of("made_ms") / 1000), kind="duration", total=True, nullable=False),
    Column("cpu", _l("Processor time"), func.round(_of("cpu_ms") / 1000), kind="duration", total=True, nullable=False),
    _bytes("originals", _l("Originals"), _of("originals"), _l("Average of the month, without the cold place")),
    _bytes("made", _l("Made of them"), _of("made"), _l("Average of the month")),
    _bytes("cold", _l("In the cold place"), _of("cold"), _l("Average of the month")),
    Column("watched", _l("Watched"), func.floor(_of("watch_ms") / 1000), kind="duration", total=True, nullable=False),
    _bytes("given", _l("Bytes given"), func.nullif(_of("given"), 0), _l("As far as players tell, and downloads"), nullable=True),
)
COURSE_ID = Column("course_id", _l("Course id"), _of("course_id", Uuid), shown=False, nullable=True)
