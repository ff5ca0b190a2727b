"""Lists of the wallet: wallets of people, every account, the transactions, and the ledger entry by entry."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import aliased

from lms.channels.models import Member
from lms.channels.queries import this_channel
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.money import parse
from lms.core.reports import Choice, Column, Flag, Period, Report
from lms.core.segments import Condition, declare
from lms.wallet import policies, queries
from lms.wallet.models import Account, Adjustment, Entry, Lot, Transaction

KINDS = (
    ("student", _l("Wallet")),
    ("vouchers", _l("Vouchers")),
    ("revenue", _l("Revenue")),
    ("adjustments", _l("Adjustments")),
    ("clearing", _l("Clearing")),
    ("expired", _l("Expired")),
)
SOURCES = (
    ("voucher", _l("Voucher")),
    ("order", _l("Purchase")),
    ("refund", _l("Refund")),
    ("refund_undo", _l("Refund taken back")),
    ("adjustment", _l("Adjustment")),
    ("card", _l("Card")),
    ("expiry", _l("Expiry")),
    ("gift", _l("Gift")),
    ("gift_cancel", _l("Gift taken back")),
)
TONES = {"student": "primary", "revenue": "success"}
STATES = (("waiting", _l("Waiting")), ("booked", _l("Booked")), ("refused", _l("Refused")), ("withdrawn", _l("Taken back")))
Booker = aliased(Member)
Asker = aliased(Member)
Leg = aliased(Entry)
Holder = aliased(Account)
# The channel's own accounts keep no balance, so that no purchase waits for another: they are summed when asked.
SUMMED = func.coalesce(
    Account.balance_minor,
    select(func.sum(Leg.amount_minor)).where(Leg.account_id == Account.id).correlate(Account).scalar_subquery(),
    0,
)
MOVED = (
    select(func.sum(Leg.amount_minor)).where(Leg.transaction_id == Transaction.id, Leg.amount_minor > 0).correlate(Transaction)
).scalar_subquery()
WHOSE = (
    select(func.string_agg(Member.name, ", "))
    .select_from(Leg)
    .join(Holder, Holder.id == Leg.account_id)
    .join(Member, Member.id == Holder.user_id)
    .where(Leg.transaction_id == Transaction.id)
    .correlate(Transaction)
).scalar_subquery()


class Wallets(Report):
    """What every person holds."""

    name = "wallet.wallets"
    title = _l("Wallets")
    lead = _l("What people hold, and how often it moved.")
    key = Account.id
    href = "/admin/wallet/accounts/{id}"
    path = "/admin/wallet/"
    sort = "-balance"
    empty = ("wallet", _l("No money in any wallet yet"), _l("Make a batch of vouchers; the first one redeemed opens the first wallet."))
    columns = (
        Column("name", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email),
        Column("balance", _l("Balance"), Account.balance_minor, kind="money", currency=Account.currency, total=True, nullable=False),
        Column("dated", _l("Of it with a date"), Account.dated_minor, kind="money", currency=Account.currency, total=True, shown=False),
        Column("moves", _l("Movements"), Account.moves, kind="int"),
        Column("opened_at", _l("Opened"), Account.opened_at, kind="time"),
    )
    filters = (Flag("with_money", _l("Holds money"), Account.balance_minor > 0), Period("opened", _l("Opened"), Account.opened_at))
    search = (Member.name, Member.email)

    def query(self, by: Actor) -> Select[Any]:
        """Every wallet with its person."""
        return select(Account).join(Member, Member.id == Account.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Who may read the ledger."""
        return policies.can_see_ledger(by)


@cache
def _lot_columns(_known: int) -> Sequence[Column]:
    return (
        Column("name", _l("Person"), Member.name, nullable=False),
        Column("email", _l("E-mail"), Member.email, shown=False),
        Column("expires_at", _l("Expires"), Lot.expires_at, kind="time"),
        Column("left", _l("Left"), Lot.left_minor, kind="money", currency=Account.currency, total=True),
        Column("amount", _l("Came in"), Lot.amount_minor, kind="money", currency=Account.currency, total=True),
        Column("source", _l("From"), Transaction.source, kind="state", words=dict(SOURCES)),
        Column("note", _l("Note"), queries.noted(), nullable=False),
        Column("opened_at", _l("Came"), Lot.opened_at, kind="time", shown=False),
        Column("reason", _l("Day changed because"), Lot.reason, shown=False),
    )


class Lots(Report):
    """Money with a date, wallet by wallet."""

    name = "wallet.lots"
    title = _l("Money with a date")
    lead = _l("Whose money lasts until when. What expires first is spent first; what is left after its day expires.")
    key = Lot.id
    href = "/admin/wallet/lots/{id}"
    path = "/admin/wallet/lots"
    sort = "expires_at"
    empty = ("clock", _l("No money has a date"), _l("A batch of vouchers, or an adjustment, can say until when its money lasts."))
    columns = _lot_columns(0)
    filters = (Flag("with_money", _l("Something is left"), Lot.left_minor > 0), Period("expires", _l("Expires"), Lot.expires_at))
    search = (Member.name, Member.email, Transaction.note)

    def __init__(self) -> None:
        self.columns = _lot_columns(queries.causes_known())  # modules above have said by now how their causes are called

    def query(self, by: Actor) -> Select[Any]:
        """Every lot with its person and what brought it."""
        return (
            select(Lot)
            .join(Account, Account.id == Lot.account_id)
            .join(Member, Member.id == Account.user_id)
            .join(Transaction, Transaction.id == Lot.transaction_id)
        )

    def allowed(self, by: Actor) -> Decision:
        """Who may read the ledger."""
        return policies.can_see_ledger(by)


class Accounts(Report):
    """Every account with what it adds up to."""

    name = "wallet.accounts"
    title = _l("Accounts")
    lead = _l("People's wallets and the academy's own accounts. All of one currency add up to zero.")
    key = Account.id
    href = "/admin/wallet/accounts/{id}"
    path = "/admin/wallet/accounts"
    sort = "account"
    empty = ("scroll-text", _l("No account yet"), _l("The first redeemed voucher opens the first two."))
    columns = (
        Column("account", _l("Account"), Account.kind, kind="state", words=dict(KINDS), tones=TONES),
        Column("person", _l("Person"), Member.name, nullable=True),
        Column("email", _l("E-mail"), Member.email, nullable=True, shown=False),
        Column("balance", _l("Balance"), SUMMED, kind="money", currency=Account.currency, total=True, nullable=False),
        Column("opened_at", _l("Opened"), Account.opened_at, kind="time"),
    )
    filters = (Choice("account", _l("Account"), Account.kind, options=KINDS), Period("opened", _l("Opened"), Account.opened_at))
    search = (Member.name, Member.email)

    def query(self, by: Actor) -> Select[Any]:
        """Every account, a wallet with its person."""
        return select(Account).outerjoin(Member, Member.id == Account.user_id)

    def allowed(self, by: Actor) -> Decision:
        """Who may read the ledger."""
        return policies.can_see_ledger(by)


@cache
def _transaction_columns(_known: int) -> Sequence[Column]:
    return (
        Column("at", _l("When"), Transaction.at, kind="time"),
        Column("source", _l("Why"), Transaction.source, kind="state", words=dict(SOURCES)),
        Column("person", _l("Person"), WHOSE, nullable=True, sortable=False),
        Column("note", _l("Note"), queries.noted(), nullable=False),
        Column("amount", _l("Amount"), MOVED, kind="money", currency=Transaction.currency, sortable=False, total=True),
        Column(
            "booked_by", _l("Booked by"), case((Transaction.actor_id.is_(None), Transaction.actor_kind), else_=Booker.name), nullable=True
        ),
        Column("written_at", _l("Written"), Transaction.written_at, kind="time", shown=False),
        Column("reference", _l("Reference"), queries.called(), shown=False, sortable=False, nullable=True),
    )


class Transactions(Report):
    """What moved, transaction by transaction."""

    name = "wallet.transactions"
    title = _l("Transactions")
    lead = _l("What moved and why. Open one to see its legs and what caused it.")
    key = Transaction.id
    href = "/admin/wallet/transactions/{id}"
    path = "/admin/wallet/transactions"
    sort = "-at"
    empty = ("scroll-text", _l("Nothing has moved yet"), _l("The first redeemed voucher writes the first transaction."))
    columns = _transaction_columns(0)
    filters = (Choice("source", _l("Why"), Transaction.source, options=SOURCES), Period("at", _l("When"), Transaction.at))
    search = (WHOSE, Transaction.note)

    def __init__(self) -> None:
        self.columns = _transaction_columns(queries.causes_known())  # modules above have said by now how their causes are called

    def query(self, by: Actor) -> Select[Any]:
        """Every transaction with who booked it."""
        return select(Transaction).outerjoin(Booker, Booker.id == Transaction.actor_id)

    def allowed(self, by: Actor) -> Decision:
        """Who may read the ledger."""
        return policies.can_see_ledger(by)


@cache
def _entry_columns(_known: int) -> Sequence[Column]:
    return (
        Column("at", _l("When"), Entry.at, kind="time"),
        Column("account", _l("Account"), Account.kind, kind="state", words=dict(KINDS), tones=TONES),
        Column("person", _l("Person"), Member.name, nullable=True),
        Column("source", _l("Why"), Transaction.source, kind="state", words=dict(SOURCES)),
        Column("note", _l("Note"), queries.noted(), nullable=False),
        Column("amount", _l("Amount"), Entry.amount_minor, kind="money", currency=Account.currency, total=True),
        Column("balance_after", _l("Balance after"), Entry.balance_after, kind="money", currency=Account.currency),
        Column(
            "booked_by",
            _l("Booked by"),
            case((Transaction.actor_id.is_(None), Transaction.actor_kind), else_=Booker.name),
            nullable=True,
            shown=False,
        ),
        Column("transaction", _l("Transaction id"), Entry.transaction_id, shown=False, sortable=False),
    )


class Entries(Report):
    """The ledger, entry by entry."""

    name = "wallet.entries"
    title = _l("Ledger")
    lead = _l("Every movement, leg by leg. Rows are only ever added; each transaction sums to zero.")
    key = Entry.id
    href = "/admin/wallet/transactions/{transaction}"
    path = "/admin/wallet/entries"
    sort = "-at"
    empty = ("scroll-text", _l("The ledger is empty"), _l("The first redeemed voucher writes the first two entries."))
    columns = _entry_columns(0)
    filters = (
        Choice("account", _l("Account"), Account.kind, options=KINDS),
        Choice("source", _l("Why"), Transaction.source, options=SOURCES),
        Period("at", _l("When"), Entry.at),
    )
    search = (Member.name, Member.email, Transaction.note)

    def __init__(self) -> None:
        self.columns = _entry_columns(queries.causes_known())  # modules above have said by now how their causes are called

    def query(self, by: Actor) -> Select[Any]:
        """Every entry with its account, its transaction and the wallet's person."""
        return (
            select(Entry)
            .join(Transaction, Transaction.id == Entry.transaction_id)
            .join(Account, Account.id == Entry.account_id)
            .outerjoin(Member, Member.id == Account.user_id)
            .outerjoin(Booker, Booker.id == Transaction.actor_id)
        )

    def allowed(self, by: Actor) -> Decision:
        """Who may read the ledger."""
        return policies.can_see_ledger(by)


class Adjustments(Report):
    """What was put in and taken out by hand."""

    name = "wallet.adjustments"
    title = _l("Adjustments")
    lead = _l("Money put in or taken out by hand, with the reason. Above the limit a second person approves it.")
    key = Adjustment.id
    href = "/admin/wallet/adjustments/{id}"
    path = "/admin/wallet/adjustments"
    sort = "-requested_at"
    empty = ("scroll-text", _l("Nobody has adjusted a wallet"), _l("Open a person's wallet to put money in or take it out."))
    columns = (
        Column("person", _l("Person"), Member.name, nullable=False),
        Column("amount", _l("Amount"), Adjustment.amount_minor, kind="money", currency=Adjustment.currency, total=True),
        Column("reason", _l("Reason"), Adjustment.reason),
        Column(
            "state",
            _l("Status"),
            Adjustment.state,
            kind="state",
            words=dict(STATES),
            tones={"waiting": "warning", "booked": "success", "refused": "danger", "withdrawn": "neutral"},
        ),
        Column("money_until", _l("Valid until"), Adjustment.money_until, kind="time", shown=False),
        Column("requested_at", _l("Asked"), Adjustment.requested_at, kind="time"),
        Column("asked_by", _l("Asked by"), Asker.name, nullable=True),
        Column("decided_by", _l("Decided by"), Booker.name, nullable=True),
        Column("decided_at", _l("Decided"), Adjustment.decided_at, kind="time", shown=False),
        Column("word", _l("Word"), Adjustment.word, shown=False),
        Column("email", _l("E-mail"), Member.email, shown=False),
    )
    filters = (
        Choice("state", _l("Status"), Adjustment.state, options=STATES),
        Flag("needs_second", _l("Needs two people"), Adjustment.needs_second),
        Period("asked", _l("Asked"), Adjustment.requested_at),
    )
    search = (Member.name, Member.email, Adjustment.reason)

    def query(self, by: Actor) -> Select[Any]:
        """Every adjustment with its people."""
        return (
            select(Adjustment)
            .join(Member, Member.id == Adjustment.user_id)
            .outerjoin(Asker, Asker.id == Adjustment.requested_by)
            .outerjoin(Booker, Booker.id == Adjustment.decided_by)
        )

    def allowed(self, by: Actor) -> Decision:
        """Who may adjust wallets."""
        return policies.can_adjust(by)


def _amount(raw: str) -> str:
    """An amount in the academy's currency, as it is kept."""
    return str(parse(raw, this_channel().currency).decimal)


def _holding(raw: str, more: bool) -> Any:
    """The people whose wallet holds at least (or more than) an amount."""
    money = parse(raw, this_channel().currency)
    held = select(Account.id).where(Account.kind == "student", Account.user_id == Member.id, Account.currency == money.currency)
    enough = Account.balance_minor > money.minor if more else Account.balance_minor >= money.minor
    return held.where(enough).correlate(Member).exists()


declare(
    Condition(
        "wallet_from", _l("Wallet holds at least"), lambda raw, _given: _holding(raw, False), "money", group=_l("Money"), check=_amount
    ),
    Condition("wallet_to", _l("Wallet holds at most"), lambda raw, _given: ~_holding(raw, True), "money", group=_l("Money"), check=_amount),
)
