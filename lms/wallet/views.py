"""Door 1: my wallet."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from lms.wallet import policies, queries
from lms.web.access import actor, allow

bp = Blueprint("wallet", __name__, url_prefix="/wallet")
LINES = 25


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
        lines=lines[:LINES],
        older=lines[LINES - 1].position if len(lines) > LINES else None,
    )
