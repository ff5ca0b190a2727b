"""Batches with how they stand, and for the books."""

from typing import Any

from sqlalchemy import BigInteger, Select, Text, and_, bindparam, cast, func, not_, or_, select, true
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.queries import members_with_role
from lms.core.decisions import Actor, Decision
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Period, Report, View
from lms.vouchers import policies
from lms.vouchers.models import Batch, Code
from lms.vouchers.reports.codes import IS_OPEN, IS_PAST, KIND_WORDS

Owner = aliased(Member)


def _part(label: Lazy, count: Any, tone: int) -> Any:
    """One part of a bar: its name in the reader's language, how many, and its colour."""
    return func.jsonb_build_array(bindparam(None, callable_=lambda: str(label), type_=Text), count, tone)


def _left(condition: Any) -> Any:
    return func.coalesce(func.sum(Code.max_uses - Code.uses).filter(condition), 0)


def _money_left(condition: Any) -> Any:
    return func.coalesce(func.sum((Code.max_uses - Code.uses) * Code.value_minor).filter(condition), 0)


# One scan of a batch's codes; the count and the sort of the list leave it out.
STANDING = (
    select(
        func.jsonb_build_array(
            _part(_l("Redeemed"), func.coalesce(func.sum(Code.uses), 0), 1),
            _part(_l("Outstanding"), _left(and_(IS_OPEN, not_(func.coalesce(IS_PAST, False)))), 0),
            _part(_l("Void"), _left(Code.state == "void"), 4),
            _part(_l("Expired"), _left(or_(Code.state == "expired", and_(IS_OPEN, IS_PAST))), 3),
        )
    )
    .where(Code.channel_id == Batch.channel_id, Code.batch_id == Batch.id)
    .correlate(Batch)
    .scalar_subquery()
)


def _running(raw: str) -> Any:
    if raw in ("archived", "any"):
        return Batch.archived_at.is_not(None) if raw == "archived" else true()
    past = and_(Batch.expires_at.is_not(None), Batch.expires_at <= func.now())
    return and_(past if raw == "expired" else not_(past), Batch.archived_at.is_(None))


def _owners() -> list[tuple[str, str]]:
    return [(str(member.id), member.name) for member in members_with_role("instructor", "admin", "owner")]


STATES = (("running", _l("Running")), ("expired", _l("Expired")), ("archived", _l("In the archive")), ("any", _l("Any, the archive too")))


class Batches(Report):
    """Batches of vouchers with how they stand; those in the archive only when they are asked for."""

    name = "vouchers.batches"
    path = "/admin/vouchers/batches"
    title = _l("Vouchers")
    lead = _l("Codes made together: what they are worth, who answers for them, and how many are still out.")
    key = Batch.id
    href = "/admin/vouchers/batches/{id}"
    sort = "-created_at"
    empty = ("ticket", _l("No vouchers yet"), _l("A batch is a set of codes with one value. Print them, send them, or sell them."))
    columns = (
        Column("label", _l("Batch"), Batch.label, href="/admin/vouchers/batches/{id}"),
        Column("created_at", _l("Created"), Batch.created_at, kind="time"),
        Column("codes", _l("Codes"), Batch.code_count, kind="int", total=True),
        Column("kind", _l("Gives"), Batch.kind, kind="state", words=dict(KIND_WORDS), nullable=False),
        Column("value", _l("Value"), func.nullif(Batch.value_minor, 0), kind="money", currency=Batch.currency, nullable=True),
        Column("percent", _l("Percent"), Batch.percent, kind="int", shown=False),
        Column(
            "worth",
            _l("Worth"),
            Batch.value_minor * Batch.code_count * Batch.uses_per_code,
            kind="money",
            currency=Batch.currency,
            total=True,
            nullable=False,
        ),
        Column("standing", _l("Standing"), STANDING, kind="segments", sortable=False),
        Column("expires_at", _l("Expires"), Batch.expires_at, kind="time"),
        Column("owner", _l("Owner"), Owner.name, nullable=True),
        Column("purpose", _l("Purpose"), Batch.purpose, shown=False),
        Column("prefix", _l("Prefix"), Batch.prefix, shown=False),
        Column("per_person", _l("Limit per person"), Batch.per_person, kind="int", shown=False),
        Column("sold_for", _l("Sold for"), Batch.sold_for_minor, kind="money", currency=Batch.currency, shown=False),
    )
    filters = (
        Choice("state", _l("State"), _running, options=STATES),
        Choice("kind", _l("Gives"), Batch.kind, options=KIND_WORDS),
        Choice("owner", _l("Owner"), Batch.owner_id, options=_owners),
        Period("created", _l("Created"), Batch.created_at),
        Period("expires", _l("Expires"), Batch.expires_at),
    )
    search = (Batch.label, Batch.purpose, Batch.prefix)

    def query(self, by: Actor) -> Select[Any]:
        """Every batch with its owner; gifts have a list of their own."""
        return select(Batch).outerjoin(Owner, Owner.id == Batch.owner_id).where(~Batch.is_gift, Batch.deleted_at.is_(None))

    def filtered(self, view: View, by: Actor, *, rows: Select[Any] | None = None) -> Select[Any]:
        """The rows under the view's filters; without one of the state, the archive is left out."""
        statement = super().filtered(view, by, rows=rows)
        return statement if "state" in dict(view.filters) else statement.where(Batch.archived_at.is_(None))

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)


STANDINGS = (
    select(
        Code.batch_id,
        func.sum(Code.max_uses).label("issued"),
        func.sum(Code.uses).label("redeemed"),
        _left(and_(IS_OPEN, not_(func.coalesce(IS_PAST, False)))).label("outstanding"),
        _left(Code.state == "void").label("void"),
        _left(or_(Code.state == "expired", and_(IS_OPEN, IS_PAST))).label("expired"),
        func.sum(Code.max_uses * Code.value_minor).label("issued_money"),
        func.sum(Code.uses * Code.value_minor).label("redeemed_money"),
        _money_left(and_(IS_OPEN, not_(func.coalesce(IS_PAST, False)))).label("outstanding_money"),
        _money_left(Code.state == "void").label("void_money"),
        _money_left(or_(Code.state == "expired", and_(IS_OPEN, IS_PAST))).label("expired_money"),
        func.count().filter(Code.state.in_(("sent", "printed"))).label("handed_out"),
    )
    .group_by(Code.channel_id, Code.batch_id)
    .subquery("standing")
)


def _counted(key: str, label: Lazy) -> Column:
    return Column(key, label, cast(STANDINGS.c[key], BigInteger), kind="int", total=True, nullable=False)


def _valued(key: str, label: Lazy) -> Column:
    value = cast(STANDINGS.c[key], BigInteger)
    return Column(key, label, value, kind="money", currency=Batch.currency, total=True, nullable=False)


class Finance(Report):
    """Batches for the books: issued = redeemed + outstanding + void + expired, in uses and in money."""

    name = "vouchers.finance"
    title = _l("Vouchers for the books")
    lead = _l("Issued = redeemed + outstanding + void + expired, in uses and in money, batch by batch.")
    key = Batch.id
    href = "/admin/vouchers/batches/{id}"
    sort = "-created_at"
    empty = ("ticket", _l("No vouchers yet"), "")
    columns = (
        Column("label", _l("Batch"), Batch.label),
        Column("kind", _l("Gives"), Batch.kind, kind="state", words=dict(KIND_WORDS), nullable=False),
        Column("created_at", _l("Created"), Batch.created_at, kind="time"),
        Column("expires_at", _l("Expires"), Batch.expires_at, kind="time", shown=False),
        Column("owner", _l("Owner"), Owner.name, nullable=True, shown=False),
        Column("purpose", _l("Purpose"), Batch.purpose, shown=False),
        _counted("issued", _l("Issued")),
        _counted("redeemed", _l("Redeemed")),
        _counted("outstanding", _l("Outstanding")),
        _counted("void", _l("Void")),
        _counted("expired", _l("Expired")),
        _valued("issued_money", _l("Issued, money")),
        _valued("redeemed_money", _l("Redeemed, money")),
        _valued("outstanding_money", _l("Outstanding, money")),
        _valued("void_money", _l("Void, money")),
        _valued("expired_money", _l("Expired, money")),
        Column(
            "sold_money", _l("Sold for"), Batch.sold_for_minor * Batch.code_count, kind="money", currency=Batch.currency, total=True,
            shown=False, nullable=True,
        ),
    )  # fmt: skip
    filters = Batches.filters
    search = Batches.search

    def query(self, by: Actor) -> Select[Any]:
        """Every batch with what its codes add up to."""
        return select(Batch).join(STANDINGS, STANDINGS.c.batch_id == Batch.id).outerjoin(Owner, Owner.id == Batch.owner_id)

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)
