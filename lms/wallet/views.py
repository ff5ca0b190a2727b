"""Door 1: my wallet, and my statement of any period."""

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from lms.channels.models import Member
from lms.channels.queries import get_member
from lms.core.clock import local_day, now
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.wallet import policies, queries
from lms.wallet.forms import PeriodForm
from lms.wallet.operations.statements import MOST_IN_A_FILE, MOST_ON_PAPER, Head, statement_csv, statement_pdf
from lms.wallet.queries import Span
from lms.wallet.reports import SOURCES
from lms.web.access import actor, allow
from lms.web.answers import invalid
from lms.web.i18n import choose_zone

bp = Blueprint("wallet", __name__, url_prefix="/wallet")
LINES = 25
ON_SCREEN = 500
FILES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


@bp.route("/")
def index() -> ResponseReturnValue:
    """What I hold, and every movement of it."""
    allow(policies.can_see_own(actor()))
    user_id = actor().user_id
    assert user_id is not None
    lines = queries.statement_of(user_id, limit=LINES + 1, before=request.args.get("before", type=int))
    return render_template(
        "wallet/index.html",
        balance=queries.balance_of(user_id),
        dated=queries.dated_of(user_id),
        lines=lines[:LINES],
        words=words(),
        older=lines[LINES - 1].position if len(lines) > LINES else None,
    )


@bp.route("/statement")
def statement() -> ResponseReturnValue:
    """My statement for some days: opening balance, every movement, closing balance; on screen, as PDF or CSV."""
    allow(policies.can_see_own(actor()))
    user_id = actor().user_id
    assert user_id is not None
    return answer_statement(get_member(user_id), "wallet/statement.html")


def answer_statement(member: Member, page: str, *, currency: str | None = None, **shown: Any) -> ResponseReturnValue:
    """The statement the address asks for (`first`, `last`), as the page, or with `format=csv` or `pdf` as a file."""
    zone_name, form = choose_zone(), PeriodForm(request.args)
    today = local_day(now(), zone_name)
    if not form.validate():
        year = Span(today.replace(month=1, day=1), today, zone_name)
        found = queries.statement_between(member.id, year, most=ON_SCREEN, currency=currency)
        return invalid(page, page=page, form=form, statement=found, person=member, words=words(), **shown)
    span, wanted = form.span(today, zone_name), request.args.get("format", "")
    form.first.data, form.last.data = span.first, span.last
    if wanted == "":
        found = queries.statement_between(member.id, span, most=ON_SCREEN, currency=currency)
        return render_template(page, form=form, statement=found, person=member, words=words(), **shown)
    if wanted not in FILES:
        raise Invalid(_("A statement comes as csv or pdf."))
    most = MOST_IN_A_FILE if wanted == "csv" else MOST_ON_PAPER
    found = queries.statement_between(member.id, span, most=most, currency=currency)
    head = Head(g.channel.name, member.name, member.email, words())
    body, kind = (
        (statement_csv(found, head), "text/csv; charset=utf-8") if wanted == "csv" else (statement_pdf(found, head), "application/pdf")
    )
    return _file(body, kind, f"statement-{span.first}-{span.last}.{wanted}")


def words() -> dict[str, str]:
    """What each source of money is called."""
    return {key: str(label) for key, label in SOURCES}


def _file(body: bytes, kind: str, name: str) -> Response:
    response = make_response(body)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
