"""Door 1: redeem a voucher."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.vouchers import operations, policies, queries
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.forms import RedeemForm
from lms.vouchers.models import Redemption
from lms.wallet.queries import balance_of
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved, own_path
from lms.web.idempotency import sent_once
from lms.web.toasts import toast
from lms.web.words import day, money

bp = Blueprint("vouchers", __name__, url_prefix="/vouchers")


@bp.route("/redeem", methods=["GET", "POST"])
@sent_once(must=False)
def redeem() -> ResponseReturnValue:
    """Type a code, or come by its QR link with the code filled in; only the button redeems."""
    allow(policies.can_redeem(actor()))
    form = RedeemForm()
    user_id = actor().user_id
    assert user_id is not None
    page, go_on = "vouchers/redeem.html", own_path(request.values.get("next"), "")
    if not form.is_submitted():
        form.code.data = request.args.get("code", "")[:120]
        return render_template(page, form=form, balance=balance_of(user_id), go_on=go_on)
    if not form.validate():
        return invalid(page, page=page, form=form, balance=balance_of(user_id), go_on=go_on)
    began = now()
    try:
        redemption = operations.redeem(form.code.data or "", by=actor(), address=request.remote_addr or "")
    except (UnknownCode, CodeRefused) as refusal:
        form.code.errors = [*form.code.errors, refusal.sentence]
        return invalid(page, page=page, form=form, balance=balance_of(user_id), go_on=go_on)
    _say(redemption, is_new=redemption.at >= began)
    return moved(
        url_for(".redemptions_show", redemption_id=redemption.id) if not redemption.amount_minor else go_on or url_for("wallet.index")
    )


@bp.route("/redemptions/<uuid:redemption_id>")
def redemptions_show(redemption_id: UUID) -> ResponseReturnValue:
    """What a code I redeemed gave me."""
    redemption = queries.get_redemption(redemption_id)
    allow(policies.can_see_redemption(actor(), redemption))
    batch = queries.get_batch(redemption.batch_id)
    return render_template("vouchers/redemptions_show.html", redemption=redemption, batch=batch, courses=queries.courses_of(batch.id))


def _say(redemption: Redemption, *, is_new: bool) -> None:
    """The toast after redeeming; a code sent twice says what it did the first time."""
    amount = money(redemption.amount_minor, redemption.currency)
    if not is_new:
        toast(_("You redeemed this code already, on %(day)s. It works once for one person.", day=day(redemption.at)))
    elif redemption.amount_minor:
        toast(_("%(amount)s from this voucher is in your wallet.", amount=amount), tone="success")
