"""Accounts, transactions, their entries, and the lots of money with a date. The database writes balances and what is left in lots,
and refuses every change of what was once inserted.

Beside them: adjustments, which may wait for a second person, and what each reading of the books found.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint, func, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant, belongs_to
from lms.core.money import Money

KINDS = ("student", "vouchers", "revenue", "adjustments", "clearing", "expired")
# Which of the channel's own accounts stands opposite a person's wallet, by what moved the money.
HOUSE = {
    "voucher": "vouchers",
    "order": "revenue",
    "refund": "revenue",
    "refund_undo": "revenue",
    "adjustment": "adjustments",
    "card": "clearing",
    "expiry": "expired",
    "gift": "vouchers",
    "gift_cancel": "vouchers",
}
# Where the cause of a movement is shown, by its source; a link is a public contract, an import is not.
CAUSES = {
    "order": "/admin/payments/orders/{id}",
    "refund": "/admin/payments/refunds/{id}",
    "refund_undo": "/admin/payments/refunds/{id}",
    "adjustment": "/admin/wallet/adjustments/{id}",
    "voucher": "/vouchers/redemptions/{id}",
    "gift": "/vouchers/gifts/{id}",
    "gift_cancel": "/vouchers/gifts/{id}",
}


def cause_of(source: str, reference_id: UUID) -> str:
    """The page of what caused a movement; "" when it has none."""
    return CAUSES[source].format(id=reference_id) if source in CAUSES else ""


def account_id_of(channel_id: UUID, kind: str, user_id: UUID | None, currency: str) -> UUID:
    """The id of an account follows from what it is (UUIDv5), so that nobody has to look it up before using it."""
    return uuid5(channel_id, f"{kind}:{user_id or ''}:{currency}")


class Account(Tenant, Base):
    """A person's wallet, which keeps its balance and never goes below zero, or one of the channel's own accounts, summed when asked."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("channel_id", "kind", "user_id", "currency", postgresql_nulls_not_distinct=True),
        belongs_to("user_id", "channels.members"),
        Index("ix_accounts_balance", "channel_id", "kind", "balance_minor"),
        {"schema": "wallet"},
    )

    kind: Mapped[str]
    user_id: Mapped[UUID | None]
    currency: Mapped[str]
    balance_minor: Mapped[int | None]
    dated_minor: Mapped[int] = mapped_column(default=0)
    moves: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def balance(self) -> Money:
        """What a person's wallet holds."""
        return Money(self.balance_minor or 0, self.currency)


class Transaction(Tenant, Base):
    """One movement of money: at least two entries that sum to zero; unique by what caused it (`source` and `reference_id`).

    What comes into a wallet lasts until `money_until`, where that is said; a transaction that mirrors another (a refund its purchase)
    moves the same money the other way, with the dates it had.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("channel_id", "source", "reference_id"),
        belongs_to("mirrors_id", "wallet.transactions"),
        Index("ix_transactions_mirrors", "channel_id", "mirrors_id", postgresql_where=text("mirrors_id IS NOT NULL")),
        Index("ix_transactions_at", "channel_id", "at", "id"),
        Index("ix_transactions_written", "written_at"),
        {"schema": "wallet"},
    )

    source: Mapped[str]
    reference_id: Mapped[UUID]
    currency: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    actor_id: Mapped[UUID | None]
    actor_kind: Mapped[str]
    mirrors_id: Mapped[UUID | None]
    money_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(default=now)
    written_at: Mapped[datetime]
    xid: Mapped[int]


class Entry(Tenant, Base):
    """One leg of a transaction: what it adds to (or takes from) an account; a wallet's entries are numbered and carry the balance after."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("channel_id", "transaction_id", "account_id"),
        UniqueConstraint("channel_id", "account_id", "position"),
        belongs_to("transaction_id", "wallet.transactions"),
        belongs_to("account_id", "wallet.accounts"),
        Index("ix_entries_at", "channel_id", "at", "id"),
        {"schema": "wallet"},
    )

    transaction_id: Mapped[UUID]
    account_id: Mapped[UUID]
    amount_minor: Mapped[int] = mapped_column(BigInteger())
    position: Mapped[int | None]
    balance_after: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=now)
    xid: Mapped[int]


class Lot(Tenant, Base):
    """Money of one wallet that lasts until a date: what came in, and what is left of it; the rest of a balance has no date.

    The lot that expires first is spent first. `from_lot_id`: a refund gave an expired lot's money back under a new date.
    """

    __tablename__ = "lots"
    __table_args__ = (
        belongs_to("account_id", "wallet.accounts"),
        belongs_to("transaction_id", "wallet.transactions"),
        belongs_to("from_lot_id", "wallet.lots"),
        Index("ix_lots_account", "channel_id", "account_id", "expires_at", "id", postgresql_where=text("left_minor > 0")),
        Index("ix_lots_due", "channel_id", "expires_at", postgresql_where=text("left_minor > 0")),
        Index("ix_lots_transaction", "channel_id", "transaction_id"),
        {"schema": "wallet"},
    )

    account_id: Mapped[UUID]
    transaction_id: Mapped[UUID]
    from_lot_id: Mapped[UUID | None]
    amount_minor: Mapped[int]
    left_minor: Mapped[int]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime] = mapped_column(default=now)
    warned_days: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")

    @property
    def last(self) -> datetime:
        """The last moment at which it can be spent."""
        return self.expires_at - timedelta(seconds=1)


class LotMove(Tenant, Base):
    """What a transaction put into a lot, or took out of it (below zero). Only ever inserted, by the database."""

    __tablename__ = "lot_moves"
    __table_args__ = (
        belongs_to("lot_id", "wallet.lots"),
        belongs_to("transaction_id", "wallet.transactions"),
        Index("ix_lot_moves_lot", "channel_id", "lot_id"),
        Index("ix_lot_moves_transaction", "channel_id", "transaction_id"),
        {"schema": "wallet"},
    )

    lot_id: Mapped[UUID]
    transaction_id: Mapped[UUID]
    amount_minor: Mapped[int]


class Seal(Tenant, Base):
    """One link of a channel's ledger chain: the hash of a transaction and its legs with the link before it."""

    __tablename__ = "seals"
    __table_args__ = (
        UniqueConstraint("channel_id", "seq"),
        UniqueConstraint("channel_id", "transaction_id"),
        belongs_to("transaction_id", "wallet.transactions"),
        {"schema": "wallet"},
    )

    seq: Mapped[int]
    transaction_id: Mapped[UUID]
    hash: Mapped[bytes] = mapped_column(LargeBinary())


class Adjustment(Tenant, Base):
    """Money put into a wallet, or taken out of it (below zero), by hand and for a reason; a large one waits for a second person."""

    __tablename__ = "adjustments"
    __table_args__ = (
        belongs_to("user_id", "channels.members"),
        belongs_to("requested_by", "channels.members"),
        belongs_to("decided_by", "channels.members"),
        Index("ix_adjustments_waiting", "channel_id", "requested_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_adjustments_person", "channel_id", "user_id", "requested_at"),
        Index("ix_adjustments_alone", "channel_id", "requested_by", "requested_at", postgresql_where=text("NOT needs_second")),
        {"schema": "wallet"},
    )

    user_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    money_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="waiting")
    needs_second: Mapped[bool]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime] = mapped_column(default=now)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    word: Mapped[str] = mapped_column(default="")

    @property
    def amount(self) -> Money:
        """What comes into the wallet, or goes out of it (below zero)."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_waiting(self) -> bool:
        """Whether a second person has yet to decide."""
        return self.state == "waiting"


class Reading(Tenant, Base):
    """One reading of the books from the first entry to the last: asked for, then done, with how many differences it found."""

    __tablename__ = "readings"
    __table_args__ = (
        belongs_to("asked_by", "channels.members"),
        Index("ix_readings_asked", "channel_id", "asked_at", "id"),
        {"schema": "wallet"},
    )

    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    faults: Mapped[int | None]
    seq: Mapped[int | None]


class Difference(Tenant, Base):
    """Something that did not agree, from the reading that found it to the first that did not find it any more."""

    __tablename__ = "differences"
    __table_args__ = (
        Index(
            "ix_differences_open",
            "channel_id",
            "subject",
            func.md5(literal_column("sentence")),
            unique=True,
            postgresql_where=text("gone_at IS NULL"),
        ),
        {"schema": "wallet"},
    )

    subject: Mapped[str]
    sentence: Mapped[str]
    found_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    gone_at: Mapped[datetime | None]
