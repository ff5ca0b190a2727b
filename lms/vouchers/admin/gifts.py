"""Gifts in the back office: every one with what became of it, and what students may give."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import this_channel
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.money import Money, parse
from lms.vouchers import operations, policies, queries
from lms.vouchers.admin.door import bp
from lms.vouchers.forms import GiftRulesForm
from lms.vouchers.reports import Gifts
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.lists import answer_list
from lms.web.toasts import toast


@bp.route("/gifts")
def gifts() -> ResponseReturnValue:
    """Every gift, with what became of it."""
    allow(policies.can_manage(actor()))
    return answer_list(Gifts(), "vouchers/admin/gifts.html")


@bp.route("/gifts/rules", methods=["GET", "POST"])
def gifts_rules() -> ResponseReturnValue:
    """Whether students may give vouchers, and which."""
    allow(policies.can_manage(actor()))
    form, page, rules = GiftRulesForm(), "vouchers/admin/gifts_rules.html", queries.gift_rules()
    shown = {"form": form, "currency": this_channel().currency}
    if not form.is_submitted():
        form.is_on.data, form.courses.data = rules.is_on, rules.courses
        form.amounts.data = "; ".join(str(one.decimal) for one in rules.amounts)
        return render_template(page, **shown)
    if form.validate():
        try:
            amounts = _amounts(form.amounts.data or "")
            is_new = operations.set_gift_rules(amounts, is_on=form.is_on.data, courses=form.courses.data, by=actor())
            toast(_("Saved.") if is_new else _("Nothing was changed."))
            return moved(url_for(".gifts"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **shown)


def _amounts(typed: str) -> list[Money]:
    """The amounts somebody wrote, set apart by semicolons."""
    try:
        return [parse(part.strip(), this_channel().currency) for part in typed.split(";") if part.strip()]
    except Invalid as error:
        sentence = _("Write amounts like 100; 250; 500.")
        raise Invalid(sentence, fields={"amounts": sentence}) from error
