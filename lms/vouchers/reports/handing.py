"""How codes left the house: letters and gifts; and what an admin is warned of."""

from typing import Any

from sqlalchemy import Select, and_, case, func, select

from lms.channels.models import Member
from lms.channels.reports import of_person
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import Choice, Column, Flag, Only, Period, Report
from lms.vouchers import policies
from lms.vouchers.models import Alert, Batch, Code, Gift, Letter
from lms.vouchers.reports.batches import Owner
from lms.vouchers.reports.codes import CODE_STATES, NOW_STATE, TONES, label_of

LETTER_STATES = (("waiting", _l("Waiting")), ("sent", _l("Sent")), ("withheld", _l("Held back")))


class Letters(Report):
    """Codes sent by mail, and what became of each letter."""

    name = "vouchers.letters"
    title = _l("Letters")
    lead = _l("Codes sent by mail, one to each address; the code itself is in the letter alone.")
    key = Letter.id
    href = "/admin/vouchers/letters/{id}"
    sort = "-send_at"
    empty = ("mail", _l("No letters yet"), _l("While the codes of a new batch are here, they can be mailed to a list of people."))
    columns = (
        Column("email", _l("To"), Letter.email),
        Column("person", _l("Name"), Letter.name),
        Column("code", _l("Code"), "····" + Code.last4, nullable=False),
        Column("batch", _l("Batch"), Batch.label, nullable=False, shown=False),
        Column("send_at", _l("Goes out"), Letter.send_at, kind="time"),
        Column(
            "state", _l("State"), Letter.state, kind="state", words=dict(LETTER_STATES), nullable=False,
            tones={"waiting": "neutral", "sent": "success", "withheld": "warning"},
        ),
        Column("reason", _l("Why"), Letter.reason),
        Column("used", _l("Code now"), NOW_STATE, kind="state", words=dict(CODE_STATES), tones=TONES, nullable=False),
    )  # fmt: skip
    filters = (
        Choice("state", _l("State"), Letter.state, options=LETTER_STATES),
        Period("send", _l("Goes out"), Letter.send_at),
        Only("batch", _l("Batch"), Letter.batch_id, label_of),
    )
    search = (Letter.email, Letter.name, Code.last4)

    def __init__(self, batch: Batch | None = None) -> None:
        if batch is not None:
            self.fixed = {"batch": str(batch.id)}

    def query(self, by: Actor) -> Select[Any]:
        """The letters with their code and batch."""
        return select(Letter).join(Code, Code.id == Letter.code_id).join(Batch, Batch.id == Letter.batch_id)

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)


GIFT_STATES = (
    ("waiting", _l("Waiting")),
    ("sent", _l("Sent")),
    ("withheld", _l("Held back")),
    ("redeemed", _l("Redeemed")),
    ("cancelled", _l("Taken back")),
)


GIFT_STATE = case((Gift.cancelled_at.is_not(None), "cancelled"), (Code.uses > 0, "redeemed"), else_=Letter.state)


class Gifts(Report):
    """What students gave to whom, and what became of it."""

    name = "vouchers.gifts"
    title = _l("Gifts")
    lead = _l("Vouchers that students bought for somebody; the code is in the letter alone.")
    key = Gift.id
    href = "/vouchers/gifts/{id}"
    path = "/admin/vouchers/gifts"
    sort = "-made_at"
    empty = ("ticket", _l("Nobody has given a voucher"), _l("Students can when you let them: see What may be given."))
    columns = (
        Column("number", _l("Number"), Gift.number),
        Column("made_at", _l("Bought"), Gift.made_at, kind="time"),
        Column("giver", _l("From"), Member.name, nullable=False),
        Column("what", _l("Gift"), Batch.label, nullable=False),
        Column("amount", _l("Amount"), Gift.amount_minor, kind="money", currency=Gift.currency, total=True),
        Column("email", _l("To"), Letter.email, nullable=False),
        Column("name", _l("Name"), Letter.name, nullable=False, shown=False),
        Column("send_at", _l("Goes out"), Letter.send_at, kind="time", nullable=False),
        Column(
            "state", _l("State"), GIFT_STATE, kind="state", words=dict(GIFT_STATES), nullable=False,
            tones={"waiting": "neutral", "sent": "info", "withheld": "warning", "redeemed": "success", "cancelled": "neutral"},
        ),
        Column("cancelled_at", _l("Taken back"), Gift.cancelled_at, kind="time", shown=False),
    )  # fmt: skip
    filters = (
        Choice("state", _l("State"), GIFT_STATE, options=GIFT_STATES),
        Period("made", _l("Bought"), Gift.made_at),
        of_person(Gift.giver_id),
    )
    search = (Member.name, Letter.email, Letter.name, Batch.label, Gift.number, func.replace(Gift.number, "-", ""))

    def query(self, by: Actor) -> Select[Any]:
        """Every gift with its giver, letter, code and batch."""
        return (
            select(Gift)
            .join(Member, Member.id == Gift.giver_id)
            .join(Letter, Letter.id == Gift.letter_id)
            .join(Code, Code.id == Letter.code_id)
            .join(Batch, Batch.id == Gift.batch_id)
        )

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)


CAUSES = (("low", _l("Nearly used up")), ("expiring", _l("Ends soon")), ("guessing", _l("Wrong codes")))


class Alerts(Report):
    """What an admin was warned of: batches nearly used or about to end, unusual guessing."""

    name = "vouchers.alerts"
    title = _l("Warnings")
    lead = _l("Batches nearly used up or about to end, and unusually many wrong codes. Each warning stands once while its cause lasts.")
    key = Alert.id
    href = "/admin/vouchers/alerts/{id}"
    path = "/admin/vouchers/alerts"
    sort = "-raised_at"
    empty = ("triangle-alert", _l("Nothing to warn of"), "")
    columns = (
        Column("cause", _l("Warning"), Alert.cause, kind="state", words=dict(CAUSES), nullable=False),
        Column("batch", _l("Batch"), Batch.label, nullable=True),
        Column("detail", _l("Detail"), Alert.detail, nullable=False),
        Column("raised_at", _l("Raised"), Alert.raised_at, kind="time"),
        Column("settled_at", _l("Settled"), Alert.settled_at, kind="time"),
        Column("settled_by", _l("By"), Owner.name, nullable=True, shown=False),
        Column("ended_at", _l("Cause ended"), Alert.ended_at, kind="time", shown=False),
    )
    filters = (
        Choice("cause", _l("Warning"), Alert.cause, options=CAUSES),
        Flag("open", _l("Still open"), and_(Alert.settled_at.is_(None), Alert.ended_at.is_(None))),
        Period("raised", _l("Raised"), Alert.raised_at),
    )
    search = (Batch.label, Alert.detail)

    def query(self, by: Actor) -> Select[Any]:
        """Every warning with its batch and who settled it."""
        return select(Alert).outerjoin(Batch, Batch.id == Alert.batch_id).outerjoin(Owner, Owner.id == Alert.settled_by)

    def allowed(self, by: Actor) -> Decision:
        """Who may manage vouchers."""
        return policies.can_manage(by)
