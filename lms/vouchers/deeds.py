"""What the audit log calls the acts on vouchers, and which of them one click takes back."""

from typing import Any

from lms.core import bin
from lms.core.bin import Kind
from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow
from lms.vouchers import operations, policies, queries
from lms.vouchers.models import Batch

STATES = {
    "created": _l("Not handed out"),
    "printed": _l("Printed"),
    "sent": _l("Sent"),
    "redeemed": _l("Redeemed"),
    "expired": _l("Expired"),
    "void": _l("Void"),
}
FIELDS = {
    "label": Label(_l("Name")),
    "purpose": Label(_l("Purpose")),
    "owner_id": Label(_l("Owner"), "person"),
    "value_minor": Label(_l("Value"), "money"),
    "percent": Label(_l("Percent")),
    "starts_at": Label(_l("Starts"), "time"),
    "expires_at": Label(_l("Expires"), "time"),
    "per_person": Label(_l("Per person")),
    "domains": Label(_l("Domains")),
    "course_ids": Label(_l("Courses"), "course"),
    "archived_at": Label(_l("In the archive since"), "time"),
    "sold_for_minor": Label(_l("Sold for"), "money"),
    "amount_minor": Label(_l("Amount"), "money"),
    "money_days": Label(_l("Days the money lasts")),
    "money_until": Label(_l("The money lasts until"), "time"),
    "state": Label(_l("State"), values=STATES),
    "reason": Label(_l("Reason")),
    "count": Label(_l("Codes")),
    "codes": Label(_l("Codes")),
    "letters": Label(_l("Letters")),
    "tries": Label(_l("Wrong codes")),
}


def _may(by: Actor, _batch: Batch) -> Decision:
    return policies.can_manage(by)


def _back_into_the_list(batch: Batch, _values: dict[str, Any], by: Actor) -> None:
    operations.unarchive_batch(batch, by=by)


def _back_into_the_archive(batch: Batch, _values: dict[str, Any], by: Actor) -> None:
    operations.archive_batch(batch, by=by)


register(
    Deeds(
        "vouchers",
        _l("Vouchers"),
        {
            "vouchers.create_batch": Deed(_l("made the batch"), "plus"),
            "vouchers.delete_batch": Deed(_l("deleted the batch"), "trash-2"),
            "vouchers.restore_batch": Deed(_l("restored the batch"), "undo-2"),
            "vouchers.archive_batch": Deed(_l("put the batch into the archive"), "archive"),
            "vouchers.unarchive_batch": Deed(_l("took the batch out of the archive"), "undo-2"),
            "vouchers.edit_batch": Deed(_l("changed the batch"), "pencil"),
            "vouchers.extend": Deed(_l("changed how long the batch is valid"), "clock"),
            "vouchers.move": Deed(_l("gave the batch to another owner"), "user-cog"),
            "vouchers.void": Deed(_l("voided codes"), "ban"),
            "vouchers.void_undone": Deed(_l("made void codes valid again"), "undo-2"),
            "vouchers.expire": Deed(_l("let codes expire"), "clock"),
            "vouchers.redeem": Deed(_l("redeemed the code"), "ticket-check"),
            "vouchers.download": Deed(_l("took the codes as a file"), "download"),
            "vouchers.discard_codes": Deed(_l("threw the readable codes away"), "lock"),
            "vouchers.send_codes": Deed(_l("had the codes sent by mail"), "mail"),
            "vouchers.mail_codes": Deed(_l("mailed codes"), "send"),
            "vouchers.withdraw_letter": Deed(_l("held a letter back"), "undo-2"),
            "vouchers.give": Deed(_l("gave a voucher"), "ticket-plus"),
            "vouchers.cancel_gift": Deed(_l("took a gift back"), "undo-2"),
            "vouchers.settle_alert": Deed(_l("took the warning off the inbox"), "circle-check"),
            "vouchers.guessing": Deed(_l("noticed unusually many wrong codes"), "triangle-alert"),
        },
        {
            "batches": Thing(_l("Batch of vouchers"), "/admin/vouchers/batches/{id}"),
            "codes": Thing(_l("Voucher"), "/admin/vouchers/codes/{id}"),
            "letters": Thing(_l("Letter"), "/admin/vouchers/letters/{id}"),
            "gifts": Thing(_l("Gift"), "/vouchers/gifts/{id}"),
            "alerts": Thing(_l("Warning"), "/admin/vouchers/alerts/{id}"),
        },
        FIELDS,
        {
            "vouchers.archive_batch": Revert(queries.get_batch, _may, _back_into_the_list),
            "vouchers.unarchive_batch": Revert(queries.get_batch, _may, _back_into_the_archive),
        },
    )
)


def _restore(row: BinRow, by: Actor) -> None:
    operations.restore_batch(queries.get_batch(row.target_id), by=by)


def _stays(_row: BinRow, _by: Actor) -> None:
    """A batch that leaves the bin for good keeps its void codes, for the books."""


bin.register(Kind("vouchers", _l("Batch of vouchers"), "ticket", "vouchers.batches", _restore, _stays))
