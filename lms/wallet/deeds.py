"""What the audit log calls the moves of money and the acts on wallets."""

from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.wallet import operations, policies, queries

STATES = {"waiting": _l("Waiting"), "booked": _l("Booked"), "refused": _l("Refused"), "withdrawn": _l("Taken back")}

register(
    Deeds(
        "wallet",
        _l("Wallets and ledger"),
        {
            "wallet.order": Deed(_l("paid from a wallet"), "receipt"),
            "wallet.refund": Deed(_l("gave money back to a wallet"), "undo-2"),
            "wallet.refund_undo": Deed(_l("took a refund back from a wallet"), "undo-2"),
            "wallet.voucher": Deed(_l("put a voucher into a wallet"), "ticket"),
            "wallet.adjustment": Deed(_l("booked an adjustment of a wallet"), "banknote"),
            "wallet.expiry": Deed(_l("let money in a wallet expire"), "clock"),
            "wallet.date": Deed(_l("changed until when money in a wallet lasts"), "clock"),
            "wallet.request_adjustment": Deed(_l("asked to adjust the wallet"), "banknote"),
            "wallet.approve_adjustment": Deed(_l("approved the adjustment"), "circle-check"),
            "wallet.refuse_adjustment": Deed(_l("refused the adjustment"), "ban"),
            "wallet.withdraw_adjustment": Deed(_l("took the wish to adjust back"), "undo-2"),
            "wallet.gift": Deed(_l("paid for a gift from a wallet"), "ticket-plus"),
            "wallet.gift_cancel": Deed(_l("gave the money of a gift back to a wallet"), "undo-2"),
            "wallet.card": Deed(_l("put money into a wallet by card"), "banknote"),
            "wallet.check": Deed(_l("read the books"), "shield-check"),
        },
        {
            "transactions": Thing(_l("Transaction")),
            "adjustments": Thing(_l("Adjustment"), "/admin/wallet/adjustments/{id}"),
            "lots": Thing(_l("Money with a date"), "/admin/wallet/lots/{id}"),
            "ledger": Thing(_l("Ledger"), "/admin/wallet/books"),
        },
        {
            "amount_minor": Label(_l("Amount"), "money"),
            "reason": Label(_l("Reason")),
            "word": Label(_l("Word")),
            "state": Label(_l("State"), values=STATES),
            "user_id": Label(_l("Person"), "person"),
            "expires_at": Label(_l("Valid until"), "time"),
            "money_until": Label(_l("Valid until"), "time"),
        },
        {"wallet.date": Revert(queries.get_lot, lambda by, _lot: policies.can_adjust(by), operations.put_date)},
    )
)
