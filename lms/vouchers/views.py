"""Door 1: redeem a voucher."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.i18n import gettext as _
from lms.vouchers import operations, policies
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.forms import RedeemForm
from lms.wallet.queries import balance_of
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.idempotency import sent_once
from lms.web.toasts import toast
from lms.web.words import money

bp = Blueprint("vouchers", __name__, url_prefix="/vouchers")


@bp.route("/redeem", methods=["GET", "POST"])
@sent_once(must=False)
def redeem() -> ResponseReturnValue:
    """Type a code, or come by its QR link with the code filled in; only the button redeems."""
    allow(policies.can_redeem(actor()))
    form = RedeemForm()
    user_id = actor().user_id
    assert user_id is not None
    if not form.is_submitted():
        form.code.data = request.args.get("code", "")[:120]
        return render_template("vouchers/redeem.html", form=form, balance=balance_of(user_id))
    if not form.validate():
        return invalid("vouchers/redeem.html", page="vouchers/redeem.html", form=form, balance=balance_of(user_id))
    try:
        redemption = operations.redeem(form.code.data or "", by=actor(), address=request.remote_addr or "")
    except (UnknownCode, CodeRefused) as refusal:
        form.code.errors = [*form.code.errors, refusal.sentence]
        return invalid("vouchers/redeem.html", page="vouchers/redeem.html", form=form, balance=balance_of(user_id))
    toast(_("%(amount)s from this voucher is in your wallet.", amount=money(redemption.amount_minor, redemption.currency)), tone="success")
    return moved(url_for("wallet.index"))
