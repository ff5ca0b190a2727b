"""Door 1: redeem a voucher, and give one."""

from datetime import UTC
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from lms.channels.queries import find_member, this_channel
from lms.core.clock import now, zone
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.vouchers import operations, policies, queries
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.forms import GiftForm, RedeemForm
from lms.vouchers.models import Redemption
from lms.vouchers.operations import GiftWish
from lms.vouchers.queries import GiftRules
from lms.vouchers.reports import GIFT_STATES
from lms.wallet.errors import NotEnough
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
    shows = not redemption.amount_minor or bool(queries.course_ids_of(redemption.batch_id))
    return moved(url_for(".redemptions_show", redemption_id=redemption.id) if shows else go_on or url_for("wallet.index"))


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


@bp.route("/gifts")
def gifts() -> ResponseReturnValue:
    """What I gave, and what became of it."""
    allow(policies.can_redeem(actor()))
    rules = queries.gift_rules()
    given = queries.gifts_of(_me())
    return render_template("vouchers/gifts.html", given=given, may_give=policies.can_give(actor(), rules), states=_states())


@bp.route("/gifts/new", methods=["GET", "POST"])
@sent_once()
def gifts_new() -> ResponseReturnValue:
    """Buy a voucher for somebody from my wallet, mailed to them on a day."""
    rules = queries.gift_rules()
    allow(policies.can_give(actor(), rules))
    form, page = GiftForm(), "vouchers/gifts_new.html"
    form.what.choices = _choices(rules)
    shown = {"form": form, "balance": balance_of(_me()), "zone": actor().zone}
    if not form.is_submitted():
        return render_template(page, **shown)
    if form.validate():
        try:
            gift = operations.give(_wish(form), by=actor())
            toast(_("Paid. The code goes to %(email)s.", email=form.email.data), tone="success")
            return moved(url_for(".gifts_show", gift_id=gift.id))
        except (Invalid, NotEnough) as refusal:
            form.refuse(Invalid(refusal.sentence, fields=refusal.fields or {"what": refusal.sentence}))
    return invalid(page, page=page, **shown)


@bp.route("/gifts/<uuid:gift_id>")
def gifts_show(gift_id: UUID) -> ResponseReturnValue:
    """One gift: its receipt and what became of it; never the code."""
    one = queries.get_given(gift_id)
    allow(policies.can_see_gift(actor(), one.gift))
    return render_template(
        "vouchers/gifts_show.html",
        one=one,
        giver=find_member(one.gift.giver_id),
        states=_states(),
        may_cancel=one.can_be_cancelled,
        is_mine=actor().user_id == one.gift.giver_id,
    )


@bp.route("/gifts/<uuid:gift_id>/cancel", methods=["POST"])
def gifts_cancel(gift_id: UUID) -> ResponseReturnValue:
    """Take a gift back, as long as its code is not used; the money returns to the wallet it came from."""
    one = queries.get_given(gift_id)
    allow(policies.can_see_gift(actor(), one.gift))
    if operations.cancel_gift(one.gift, by=actor()):
        toast(_("Taken back. The money is in the wallet again."))
    return moved(url_for(".gifts_show", gift_id=gift_id))


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _choices(rules: GiftRules) -> list[SelectChoice]:
    """The amounts, then the courses with what they cost now."""
    found = [SelectChoice(f"value:{one.minor}", money(one.minor, one.currency)) for one in rules.amounts]
    for course in queries.courses_to_give() if rules.courses else ():
        price = course.price_now
        if price.minor:
            found.append(SelectChoice(f"{course.id}:{price.minor}", f"{course.title} · {money(price.minor, price.currency)}"))
    return found


def _wish(form: GiftForm) -> GiftWish:
    """The gift the form asks for; its moment is by the giver's clock."""
    what, _colon, minor = form.what.data.partition(":")
    moment = form.send_at.data.replace(tzinfo=zone(actor().zone)).astimezone(UTC) if form.send_at.data else None
    return GiftWish(
        price=Money(int(minor), this_channel().currency),
        course_id=None if what == "value" else UUID(what),
        email=form.email.data or "",
        name=form.name.data or "",
        message=form.message.data or "",
        send_at=moment,
    )


def _states() -> dict[str, tuple[str, str]]:
    """What each state of a gift is called, and its tone."""
    tones = {"waiting": "neutral", "sent": "info", "withheld": "warning", "redeemed": "success", "cancelled": "neutral"}
    return {key: (str(words), tones[key]) for key, words in GIFT_STATES}
