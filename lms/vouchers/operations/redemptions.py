"""Redeeming: a code's money into a wallet, or its courses opened; the same person and code again answer the same redemption."""

from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.vouchers import queries
from lms.vouchers.errors import CodeRefused
from lms.vouchers.models import Redemption
from lms.vouchers.operations.taking import again, look_up, objection, refusal_of, take, until_taken


def redeem(code_text: str, *, by: Actor, address: str = "") -> Redemption:
    """Put a code's value into the actor's wallet, or open its courses to them; the same person and code again answer the same redemption.

    Raises UnknownCode, CodeRefused (its rule says which) or TooMany; ten wrong codes an hour are all an account or address has.
    """
    if by.user_id is None:
        raise Forbidden(_("Sign in to redeem a voucher."), rule="sign_in")
    user_id, code_id = by.user_id, look_up(code_text, by=by, address=address).code.id

    def attempt() -> Redemption | None:
        found = again(code_id, by)
        if found.mine is not None:
            return found.mine
        if found.batch.is_coupon:
            raise CodeRefused(
                _("This is a coupon: it takes something off a price. Choose a course, and type the code where you enrol."), rule="coupon"
            )
        why_not = refusal_of(found.code, found.batch, by=by)
        if why_not is None and found.batch.kind == "course":
            why_not = objection(user_id, queries.course_ids_of(found.batch.id), found.batch.id)
        if why_not is not None:
            raise why_not
        return take(found, by=by, amount=found.batch.value if found.batch.kind == "course" else found.value)

    return until_taken(attempt)
