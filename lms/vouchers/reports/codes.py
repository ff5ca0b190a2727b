"""Codes by their last four symbols, and who used them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, case, cast, func, select

from lms.channels.models import Member
from lms.channels.reports import of_person
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Only, Period, Report
from lms.courses.models import Course
from lms.vouchers import policies
from lms.vouchers.models import OPEN_STATES, Batch, Code, Redemption

CODE_STATES = (
    ("created", _l("Created")),
    ("sent", _l("Sent")),
    ("printed", _l("Printed")),
    ("redeemed", _l("Redeemed")),
    ("expired", _l("Expired")),
    ("void", _l("Void")),
)


KIND_WORDS = (
    ("value", _l("Money")),
    ("course", _l("Courses")),
    ("percent", _l("Percent off")),
    ("amount", _l("Amount off")),
)


TONES = {"created": "neutral", "sent": "info", "printed": "info", "redeemed": "success", "expired": "warning", "void": "danger"}


IS_OPEN = Code.state.in_(OPEN_STATES)


IS_PAST = Code.expires_at <= func.now()


NOW_STATE = case((and_(IS_OPEN, IS_PAST), "expired"), else_=Code.state)


def label_of(batch_id: UUID) -> str:
    """What a batch is called."""
    return db.session().scalar(select(Batch.label).where(Batch.id == batch_id)) or str(batch_id)


class Codes(Report):
    """Codes by their last four symbols, of one batch or of all."""

    name = "vouchers.codes"
    path = "/admin/vouchers/codes"
    title = _l("Codes")
    lead = _l("Every code by its last four symbols; the code itself is kept nowhere.")
    key = Code.id
    href = "/admin/vouchers/codes/{id}"
    sort = "-state_at"
    empty = ("ticket", _l("No codes"), "")
    columns = (
        Column("last4", _l("Code"), "····" + Code.last4, nullable=False),
        Column("number", _l("Number"), Code.number, kind="int"),
        Column("batch", _l("Batch"), Batch.label, shown=False),
        Column("state", _l("State"), NOW_STATE, kind="state", words=dict(CODE_STATES), tones=TONES, nullable=False),
        Column("value", _l("Value"), Code.value_minor, kind="money", currency=Batch.currency, total=True),
        Column("uses", _l("Uses"), Code.uses, kind="int", total=True),
        Column("state_at", _l("Since"), Code.state_at, kind="time"),
        Column("person", _l("By"), Member.name, nullable=True),
        Column("expires_at", _l("Expires"), Code.expires_at, kind="time", shown=False),
    )
    filters = (
        Choice("state", _l("State"), NOW_STATE, options=CODE_STATES),
        Period("since", _l("Since"), Code.state_at),
        Only("batch", _l("Batch"), Code.batch_id, label_of),
    )
    search = (Code.last4, Member.name, Member.email, Batch.label)

    def __init__(self, batch: Batch | None = None) -> None:
        if batch is not None:
            self.fixed = {"batch": str(batch.id)}
            self.title = batch.label  # type: ignore[misc, assignment]  # a list of one batch is called like it
            self.lead = batch.purpose  # type: ignore[misc, assignment]

    def query(self, by: Actor) -> Select[Any]:
        """The codes with their batch and who brought them to their state."""
        return select(Code).join(Batch, Batch.id == Code.batch_id).outerjoin(Member, Member.id == Code.state_by)

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)


class Redemptions(Report):
    """Who used which code, when, and what it gave."""

    name = "vouchers.redemptions"
    title = _l("Redemptions")
    lead = _l("Who used which code, when, and what it gave.")
    key = Redemption.id
    href = "/admin/vouchers/codes/{code_id}"
    sort = "-at"
    empty = ("ticket-check", _l("Nobody has used a code yet"), "")
    columns = (
        Column("at", _l("Redeemed"), Redemption.at, kind="time"),
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, nullable=False),
        Column("batch", _l("Batch"), Batch.label, nullable=False),
        Column("code", _l("Code"), "····" + Code.last4, nullable=False),
        Column("number", _l("Number"), Code.number, kind="int", shown=False),
        Column("kind", _l("Gives"), Batch.kind, kind="state", words=dict(KIND_WORDS), nullable=False),
        Column("amount", _l("Amount"), Redemption.amount_minor, kind="money", currency=Redemption.currency, total=True),
        Column("price", _l("Price before"), Redemption.price_minor, kind="money", currency=Redemption.currency, nullable=True, shown=False),
        Column("course", _l("Course"), Course.title, nullable=True),
        Column("code_id", _l("Code's id"), cast(Code.id, Text), shown=False, nullable=False),
    )
    filters = (
        Choice("kind", _l("Gives"), Batch.kind, options=KIND_WORDS),
        Period("at", _l("Redeemed"), Redemption.at),
        of_person(Redemption.user_id),
    )
    search = (Member.name, Member.email, Batch.label, Code.last4)

    def query(self, by: Actor) -> Select[Any]:
        """Every redemption with its person, batch, code and course."""
        return (
            select(Redemption)
            .join(Member, Member.id == Redemption.user_id)
            .join(Batch, Batch.id == Redemption.batch_id)
            .join(Code, Code.id == Redemption.code_id)
            .outerjoin(Course, Course.id == Redemption.course_id)
        )

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)
