"""Door 2: wallets, the ledger, its transactions, and whether the books agree."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import find_member, get_member, members_by_id, this_channel
from lms.wallet import policies, queries
from lms.wallet.forms import DayForm
from lms.wallet.models import account_id_of, cause_of
from lms.wallet.queries import end_of
from lms.wallet.reports import KINDS, Accounts, Entries, Transactions, Wallets
from lms.wallet.views import answer_statement, words
from lms.web.access import actor, allow
from lms.web.answers import fragment, moved
from lms.web.i18n import choose_zone
from lms.web.lists import answer_list

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


@bp.route("/books")
def books() -> ResponseReturnValue:
    """Whether the books agree, read from the first entry to the last."""
    allow(policies.can_see_ledger(actor()))
    return render_template("wallet/admin/books.html", faults=queries.ledger_faults(), sums=queries.sums())


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """One person's wallet in short (a piece of their page)."""
    allow(policies.can_see_ledger(actor()))
    person = find_member(user_id)
    currency = this_channel().currency
    account_id = account_id_of(this_channel().id, "student", user_id, currency)
    lines = queries.statement_of(user_id, limit=5, currency=currency)
    page = url_for(".accounts_show", account_id=account_id) if lines else url_for(".index", q=person.email if person else "")
    return fragment(
        "wallet/admin/_people_show.html",
        page=page,
        lines=lines,
        words=words(),
        balance=queries.balance_of(user_id, currency),
        account_id=account_id,
    )


def kind_words() -> dict[str, str]:
    """What each kind of account is called."""
    return {key: str(label) for key, label in KINDS}
