"""Revenue: every sale, refund and refund taken back as one movement, and the months of each course they add up to."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from babel.dates import format_date
from sqlalchemy import Date, DateTime, Integer, Select, String, Text, Uuid, cast, func, literal, select, type_coerce, union_all
from sqlalchemy.sql.elements import ColumnElement

from lms.channels.models import Channel, Member
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.i18n import locale
from lms.core.reports import Choice, Column, Period, Report
from lms.core.reports.fields import Words
from lms.payments import policies
from lms.payments.models import Order, Refund

KINDS = (("sale", _l("Sale")), ("refund", _l("Refund")), ("refund_undo", _l("Refund taken back")))
ZONE = select(Channel.zone).where(Channel.id == cast(func.nullif(func.current_setting("app.channel_id", True), ""), Uuid)).scalar_subquery()


def _moved(kind: str, row_id: Any, at: Any, amount: Any, currency: Any) -> Select[Any]:
    return select(
        row_id.label("id"),
        literal(kind, Text).label("kind"),
        at.label("at"),
        amount.label("amount"),
        currency.label("currency"),
        Order.id.label("order_id"),
        Order.course_id.label("course_id"),
        Order.title.label("title"),
        Order.user_id.label("user_id"),
    )


UNDONE_ID = cast(func.md5(func.concat(cast(Refund.id, String), "undone")), Uuid)
MOVES = union_all(
    _moved("sale", Order.id, Order.paid_at, Order.amount_minor, Order.currency).where(
        Order.status.in_(("paid", "refunded")), Order.amount_minor > 0
    ),
    _moved("refund", Refund.id, Refund.refunded_at, -Refund.amount_minor, Refund.currency).join(Order, Order.id == Refund.order_id),
    _moved("refund_undo", UNDONE_ID, Refund.undone_at, Refund.amount_minor, Refund.currency)
    .join(Order, Order.id == Refund.order_id)
    .where(Refund.undone_at.is_not(None)),
).subquery("moves")


def month_of(moment: Any) -> ColumnElement[Any]:
    """The first day of the month a moment lies in, by the academy's own clock."""
    return cast(func.date_trunc("month", type_coerce(func.timezone(ZONE, moment), DateTime(timezone=False))), Date)


MONTH = month_of(MOVES.c.at)
MONTHS = (
    select(
        cast(func.md5(func.concat_ws("|", cast(MONTH, String), cast(MOVES.c.course_id, String), MOVES.c.currency)), Uuid).label("id"),
        MONTH.label("month"),
        MOVES.c.course_id.label("course_id"),
        func.max(MOVES.c.title).label("title"),
        MOVES.c.currency.label("currency"),
        cast(func.count().filter(MOVES.c.kind == "sale"), Integer).label("sales"),
        func.coalesce(func.sum(MOVES.c.amount).filter(MOVES.c.kind == "sale"), 0).label("paid"),
        func.coalesce(func.sum(-MOVES.c.amount).filter(MOVES.c.kind != "sale"), 0).label("back"),
        func.sum(MOVES.c.amount).label("net"),
    )
    .group_by(MONTH, MOVES.c.course_id, MOVES.c.currency)
    .subquery("months")
)


def month_options() -> Sequence[tuple[str, str]]:
    """The months in which anything was sold or given back, the newest first."""
    months = db.session().scalars(select(MONTH).distinct().order_by(MONTH.desc()).limit(240))
    return [(f"{one:%Y-%m}", str(format_date(one, "MMMM y", locale=locale()))) for one in months]


def course_options() -> Sequence[tuple[str, str]]:
    """The courses that were ever sold, by title."""
    title = func.max(Order.title)
    rows = db.session().execute(select(Order.course_id, title).where(Order.amount_minor > 0).group_by(Order.course_id).order_by(title))
    return [(str(course_id), name or str(course_id)) for course_id, name in rows]


class Revenue(Report):
    """What each course brought in by month, what went back, and what is left."""

    name = "payments.revenue"
    title = _l("Revenue")
    lead = _l("Sales less refunds, by month and course. Months are those of the academy's own zone. Open a line to see what it is made of.")
    key = MONTHS.c.id
    href = "/admin/payments/movements?course={course_id}&month={days}"
    path = "/admin/payments/revenue"
    sort = "-month"
    empty = ("banknote", _l("No money yet"), _l("It appears here with the first paid order."))
    columns = (
        Column("days", _l("Month"), func.to_char(MONTHS.c.month, "YYYY-MM"), kind="month", nullable=False, sortable=False),
        Column("month", _l("First day"), MONTHS.c.month, kind="date", nullable=False, shown=False),
        Column("title", _l("Course"), MONTHS.c.title, nullable=False),
        Column("sales", _l("Orders"), MONTHS.c.sales, kind="int", total=True, nullable=False),
        Column("paid", _l("Paid"), MONTHS.c.paid, kind="money", currency=MONTHS.c.currency, total=True, nullable=False),
        Column("back", _l("Given back"), MONTHS.c.back, kind="money", currency=MONTHS.c.currency, total=True, nullable=False),
        Column("net", _l("Left"), MONTHS.c.net, kind="money", currency=MONTHS.c.currency, total=True, nullable=False),
        Column("course_id", _l("Course id"), MONTHS.c.course_id, shown=False, sortable=False),
    )
    filters = (
        Choice("course", _l("Course"), MONTHS.c.course_id, options=course_options),
        Choice("month", _l("Month"), func.to_char(MONTHS.c.month, "YYYY-MM"), options=month_options),
        Period("days", _l("First day"), MONTHS.c.month, whole_days=True),
    )
    search = (MONTHS.c.title,)

    def query(self, by: Actor) -> Select[Any]:
        """All of it."""
        return select(MONTHS)

    def allowed(self, by: Actor) -> Decision:
        """Who may see the orders."""
        return policies.can_see_orders(by)


class Movements(Report):
    """Every sale, refund and refund taken back."""

    name = "payments.movements"
    title = _l("Sales and refunds")
    lead = _l("What the revenue is made of, one by one. They add up to it.")
    key = MOVES.c.id
    href = "/admin/payments/orders/{order}"
    path = "/admin/payments/movements"
    sort = "-at"
    empty = ("banknote", _l("No money yet"), _l("It appears here with the first paid order."))
    figures: ClassVar[Mapping[str, Words]] = {
        "revenue": _l("Orders paid on these days of the academy's own zone, less what was given back on them, plus refunds taken back."),
        "paid": _l("Orders paid on these days of the academy's own zone; what was given back is not taken off."),
    }
    columns = (
        Column("at", _l("When"), MOVES.c.at, kind="time", nullable=False),
        Column("kind", _l("What"), MOVES.c.kind, kind="state", words=dict(KINDS), tones={"sale": "success", "refund": "info"}),
        Column("title", _l("Course"), MOVES.c.title, nullable=False),
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False, nullable=False),
        Column("amount", _l("Amount"), MOVES.c.amount, kind="money", currency=MOVES.c.currency, total=True, nullable=False),
        Column("order", _l("Order"), MOVES.c.order_id, shown=False, sortable=False),
    )
    filters = (
        Choice("kind", _l("What"), MOVES.c.kind, options=KINDS),
        Choice("course", _l("Course"), MOVES.c.course_id, options=course_options),
        Choice("month", _l("Month"), func.to_char(MONTH, "YYYY-MM"), options=month_options),
        Period("at", _l("When"), MOVES.c.at),
    )
    search = (MOVES.c.title, Member.name, Member.email)

    def query(self, by: Actor) -> Select[Any]:
        """Every movement with its person."""
        return select(MOVES).join(Member, Member.id == MOVES.c.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Who may see the orders."""
        return policies.can_see_orders(by)


def months_of(currency: str, most: int) -> list[tuple[str, int, int]]:
    """The newest months that moved money in a currency, the oldest first: (month, paid, given back)."""
    statement = (
        select(MONTHS.c.month, func.sum(MONTHS.c.paid), func.sum(MONTHS.c.back))
        .where(MONTHS.c.currency == currency)
        .group_by(MONTHS.c.month)
        .order_by(MONTHS.c.month.desc())
        .limit(most)
    )
    return [(f"{month:%Y-%m}", int(paid), int(back)) for month, paid, back in reversed(db.session().execute(statement).all())]
