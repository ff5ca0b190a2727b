"""Door 2: wallets, the ledger, adjustments by one or two people, and whether the books agree."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member, members_by_id, members_with_role, this_channel
from lms.core import db
from lms.core.clock import local_day, now
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.wallet import jobs, operations, policies, queries
from lms.wallet.errors import NotEnough
from lms.wallet.forms import AdjustForm, DateForm, DayForm, LimitForm, WordForm
from lms.wallet.models import Adjustment, account_id_of, cause_of
from lms.wallet.operations.checking import PATIENCE
from lms.wallet.queries import end_of
from lms.wallet.reports import KINDS, Accounts, Adjustments, Entries, Lots, Transactions, Wallets
from lms.wallet.views import answer_statement, words
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.i18n import choose_zone
from lms.web.idempotency import sent_once
from lms.web.lists import answer_list
from lms.web.toasts import toast

bp = Blueprint("wallet_admin", __name__, url_prefix="/admin/wallet")
LINES = 50
LAST_MOMENT = timedelta(microseconds=1)


@bp.route("/")
def index() -> ResponseReturnValue:
    """The wallets of people."""
    allow(policies.can_see_ledger(actor()))
    return answer_list(Wallets(), "wallet/admin/index.html")


@bp.route("/entries")
def entries() -> ResponseReturnValue:
    """The ledger."""
    allow(policies.can_see_ledger(actor()))
    return answer_list(Entries(), "wallet/admin/entries.html")


@bp.route("/accounts")
def accounts() -> ResponseReturnValue:
    """Every account, people's and the academy's own."""
    allow(policies.can_see_ledger(actor()))
    return answer_list(Accounts(), "wallet/admin/accounts.html")


@bp.route("/transactions")
def transactions() -> ResponseReturnValue:
    """What moved, transaction by transaction."""
    allow(policies.can_see_ledger(actor()))
    return answer_list(Transactions(), "wallet/admin/transactions.html")


@bp.route("/accounts/<uuid:account_id>")
def accounts_show(account_id: UUID) -> ResponseReturnValue:
    """One person's wallet, what it held on any day, and its movements; the academy's own accounts are read in the ledger."""
    allow(policies.can_see_ledger(actor()))
    account = queries.get_account(account_id)
    if account.user_id is None:
        return moved(url_for(".entries", account=account.kind))
    form = DayForm(request.args)
    day = form.on.data if form.validate() else None
    lines = queries.statement_of(account.user_id, limit=LINES + 1, before=request.args.get("before", type=int), currency=account.currency)
    return render_template(
        "wallet/admin/accounts_show.html",
        account=account,
        person=get_member(account.user_id),
        form=form,
        held=queries.balance_at(account.user_id, end_of(day, choose_zone()) - LAST_MOMENT, account.currency) if day else None,
        lots=queries.lots_of(account.id),
        lines=lines[:LINES],
        words=words(),
        older=lines[LINES - 1].position if len(lines) > LINES else None,
    )


@bp.route("/accounts/<uuid:account_id>/statement")
def accounts_statement(account_id: UUID) -> ResponseReturnValue:
    """One person's statement for some days: on screen, as PDF or CSV."""
    allow(policies.can_see_ledger(actor()))
    account = queries.get_account(account_id)
    if account.user_id is None:
        return moved(url_for(".entries", account=account.kind))
    return answer_statement(get_member(account.user_id), "wallet/admin/accounts_statement.html", currency=account.currency, account=account)


@bp.route("/transactions/<uuid:transaction_id>")
def transactions_show(transaction_id: UUID) -> ResponseReturnValue:
    """One transaction: its legs, its cause, and its seal."""
    allow(policies.can_see_ledger(actor()))
    found = queries.get_transaction(transaction_id)
    people = members_by_id(
        [leg.account.user_id for leg in found.legs if leg.account.user_id]
        + ([found.transaction.actor_id] if found.transaction.actor_id else [])
    )
    cause = cause_of(found.transaction.source, found.transaction.reference_id)
    return render_template(
        "wallet/admin/transactions_show.html", found=found, people=people, cause=cause, words=words(), kinds=kind_words()
    )


@bp.route("/books", methods=["GET", "POST"])
def books() -> ResponseReturnValue:
    """Whether the books agree: what the last reading found, and a button that has them read again."""
    allow(policies.can_see_ledger(actor()))
    if request.method == "POST":
        reading, is_new = operations.ask_for_reading(by=actor())
        if is_new:
            jobs.check_books_now.put({"reading_id": reading.id}, key=f"books:{reading.id}")
        return changed("wallet/admin/_books.html", otherwise=url_for(".books"), **_books())
    return render_template("wallet/admin/books.html", **_books())


@bp.route("/books/state")
def books_state() -> ResponseReturnValue:
    """What the last reading found, or that one is under way (a piece of its page)."""
    allow(policies.can_see_ledger(actor()))
    return fragment("wallet/admin/_books.html", page=url_for(".books"), **_books())


@bp.route("/adjustments")
def adjustments() -> ResponseReturnValue:
    """What was put in and taken out by hand, and what waits for a second person."""
    allow(policies.can_adjust(actor()))
    return answer_list(Adjustments(), "wallet/admin/adjustments.html", limit=queries.adjustment_limit())


@bp.route("/adjustments/<uuid:adjustment_id>")
def adjustments_show(adjustment_id: UUID) -> ResponseReturnValue:
    """One adjustment, and the decision about it."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_adjust(actor()))
    return render_template("wallet/admin/adjustments_show.html", form=WordForm(), **_about(adjustment))


@bp.route("/adjustments/<uuid:adjustment_id>/approve", methods=["POST"])
@sent_once()
def adjustments_approve(adjustment_id: UUID) -> ResponseReturnValue:
    """Book a waiting adjustment, as the second person."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_decide(actor(), adjustment.requested_by), fresh=True)
    form, page = WordForm(), "wallet/admin/adjustments_show.html"
    if not form.validate():
        return invalid(page, page=page, form=form, **_about(adjustment))
    try:
        operations.approve_adjustment(adjustment, word=form.word.data or "", by=actor())
    except NotEnough as refusal:
        form.form_errors = [refusal.sentence]
        db.session().expire(adjustment)
        return invalid(page, page=page, form=form, **_about(queries.get_adjustment(adjustment_id)))
    toast(_("Booked. It stands on the statement now."), tone="success")
    return moved(url_for(".adjustments_show", adjustment_id=adjustment.id))


@bp.route("/adjustments/<uuid:adjustment_id>/refuse", methods=["POST"])
@sent_once()
def adjustments_refuse(adjustment_id: UUID) -> ResponseReturnValue:
    """Refuse a waiting adjustment, with a word to who asked."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_decide(actor(), adjustment.requested_by))
    form, page = WordForm(), "wallet/admin/adjustments_show.html"
    if form.validate():
        try:
            operations.refuse_adjustment(adjustment, word=form.word.data or "", by=actor())
            toast(_("Refused. No money moved."))
            return moved(url_for(".adjustments_show", adjustment_id=adjustment.id))
        except Invalid as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, **_about(adjustment))


@bp.route("/adjustments/<uuid:adjustment_id>/withdraw", methods=["POST"])
@sent_once()
def adjustments_withdraw(adjustment_id: UUID) -> ResponseReturnValue:
    """Take back what one asked for oneself."""
    adjustment = queries.get_adjustment(adjustment_id)
    allow(policies.can_withdraw(actor(), adjustment.requested_by))
    operations.withdraw_adjustment(adjustment, by=actor())
    toast(_("Taken back. No money moved."))
    return moved(url_for(".adjustments_show", adjustment_id=adjustment.id))


@bp.route("/limit", methods=["GET", "POST"])
def limit() -> ResponseReturnValue:
    """From which amount an adjustment needs two people."""
    allow(policies.can_adjust(actor()))
    may_set = policies.can_set_limit(actor(), has_owner=bool(members_with_role("owner")))
    form, page = LimitForm(), "wallet/admin/limit.html"
    form.limit.currency = this_channel().currency
    shown = {"form": form, "may_set": may_set, "currency": form.limit.currency}
    if not form.is_submitted():
        form.limit.data = queries.adjustment_limit()
        return render_template(page, **shown)
    allow(may_set)
    form.limit.process(request.form)
    if not form.validate():
        return invalid(page, page=page, **shown)
    is_new = operations.set_adjustment_limit(form.limit.data, by=actor())
    toast(_("Saved.") if is_new else _("Nothing was changed."))
    return moved(url_for(".limit"))


@bp.route("/people/<uuid:user_id>/adjust", methods=["GET", "POST"])
@sent_once()
def people_adjust(user_id: UUID) -> ResponseReturnValue:
    """Put money into a person's wallet, or take it out, with the reason."""
    person = get_member(user_id)
    allow(policies.can_adjust(actor()), fresh=True)
    form, page, currency = AdjustForm(), "wallet/admin/people_adjust.html", this_channel().currency
    form.amount.currency = currency
    held, limit = queries.balance_of(user_id, currency), queries.adjustment_limit()
    shown = {"form": form, "person": person, "held": held, "limit": limit, "is_own": actor().user_id == user_id}
    if not form.is_submitted():
        return render_template(page, **shown)
    form.amount.process(request.form)
    if form.validate():
        try:
            until = end_of(form.until.data, this_channel().zone) if form.until.data else None
            made = operations.request_adjustment(user_id, form.money(), form.reason.data or "", until=until, by=actor())
            words = _("It waits for another admin now.") if made.is_waiting else _("Booked. It stands on the statement now.")
            toast(words, tone="neutral" if made.is_waiting else "success")
            return moved(url_for(".adjustments_show", adjustment_id=made.id))
        except (Invalid, NotEnough) as refusal:
            form.refuse(Invalid(refusal.sentence, fields=refusal.fields))
    return invalid(page, page=page, **shown)


@bp.route("/lots")
def lots() -> ResponseReturnValue:
    """Money with a date, wallet by wallet."""
    allow(policies.can_see_ledger(actor()))
    return answer_list(Lots(), "wallet/admin/lots.html")


@bp.route("/lots/<uuid:lot_id>", methods=["GET", "POST"])
def lots_show(lot_id: UUID) -> ResponseReturnValue:
    """Money of one wallet with one last day: what moved it, and another last day with the reason."""
    lot = queries.get_lot(lot_id)
    allow(policies.can_adjust(actor()), fresh=True)
    form, page, zone_name = DateForm(), "wallet/admin/lots_show.html", this_channel().zone
    account = queries.get_account(lot.account_id)
    assert account.user_id is not None
    shown = {"lot": lot, "account": account, "person": get_member(account.user_id), "form": form}
    shown |= {"moves": queries.moves_of(lot, account.currency), "words": words()}
    if not form.is_submitted():
        form.until.data = local_day(lot.last, zone_name)
        return render_template(page, **shown)
    if form.validate():
        try:
            is_new = operations.change_date(lot, end_of(form.until.data, zone_name), form.reason.data or "", by=actor())
            toast(_("Changed.") if is_new else _("Nothing was changed."))
            return moved(url_for(".accounts_show", account_id=account.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, **shown)


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """One person's wallet in short (a piece of their page)."""
    allow(policies.can_see_ledger(actor()))
    person = get_member(user_id)
    currency = this_channel().currency
    account_id = account_id_of(this_channel().id, "student", user_id, currency)
    lines = queries.statement_of(user_id, limit=5, currency=currency)
    page = url_for(".accounts_show", account_id=account_id) if lines else url_for(".index", q=person.email)
    return fragment(
        "wallet/admin/_people_show.html",
        page=page,
        person=person,
        lines=lines,
        words=words(),
        balance=queries.balance_of(user_id, currency),
        dated=queries.dated_of(user_id, currency),
        account_id=account_id,
    )


def _books() -> dict[str, object]:
    """What the page of the books shows."""
    return {
        "waiting": queries.waiting_reading(since=now() - PATIENCE),
        "last": queries.last_reading(),
        "differences": queries.open_differences(),
        "sums": queries.sums(),
    }


def _about(adjustment: Adjustment) -> dict[str, object]:
    """What an adjustment's page shows."""
    people = members_by_id([one for one in (adjustment.user_id, adjustment.requested_by, adjustment.decided_by) if one])
    return {
        "adjustment": adjustment,
        "people": people,
        "held": queries.balance_of(adjustment.user_id, adjustment.currency),
        "may_decide": policies.can_decide(actor(), adjustment.requested_by),
        "may_withdraw": policies.can_withdraw(actor(), adjustment.requested_by),
        "transaction_id": queries.find_transaction("adjustment", adjustment.id),
        "account_id": account_id_of(adjustment.channel_id, "student", adjustment.user_id, adjustment.currency),
        "limit": queries.adjustment_limit(),
    }


def kind_words() -> dict[str, str]:
    """What each kind of account is called."""
    return {key: str(label) for key, label in KINDS}
