"""Every code by its last four symbols, and the trail of one."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member, members_by_id
from lms.core.clock import now
from lms.core.reports import View
from lms.vouchers import policies, queries
from lms.vouchers.admin.door import bp, gives_of
from lms.vouchers.reports import KIND_WORDS, Codes, Finance, Redemptions
from lms.web.access import actor, allow
from lms.web.answers import fragment
from lms.web.lists import answer_list

NEWEST = 10


@bp.route("/codes")
def codes() -> ResponseReturnValue:
    """Every code of every batch."""
    allow(policies.can_manage(actor()))
    return answer_list(Codes(), "vouchers/admin/codes.html")


@bp.route("/finance")
def finance() -> ResponseReturnValue:
    """Every batch in figures for the books."""
    allow(policies.can_manage(actor()))
    return answer_list(Finance(), "vouchers/admin/finance.html")


@bp.route("/redemptions")
def redemptions() -> ResponseReturnValue:
    """Who used which code."""
    allow(policies.can_manage(actor()))
    return answer_list(Redemptions(), "vouchers/admin/redemptions.html")


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """The vouchers one person used (a piece of their page)."""
    person = get_member(user_id)
    allow(policies.can_manage(actor()))
    theirs = View(filters=(("person", str(user_id)),))
    return fragment(
        "vouchers/admin/_people_show.html",
        page=url_for(".redemptions", person=user_id),
        person=person,
        redemptions=Redemptions().page(theirs, actor(), size=NEWEST),
        kinds=dict(KIND_WORDS),
    )


@bp.route("/codes/<uuid:code_id>")
def codes_show(code_id: UUID) -> ResponseReturnValue:
    """The trail of one code: made, handed out, used by whom, booked where."""
    code = queries.get_code(code_id)
    allow(policies.can_manage(actor()))
    batch, steps, uses = (queries.get_batch(code.batch_id), queries.trail_of(code.id), queries.uses_of(code.id))
    people = members_by_id([use.redemption.user_id for use in uses] + ([batch.created_by] if batch.created_by else []))
    return render_template(
        "vouchers/admin/codes_show.html",
        code=code,
        batch=batch,
        steps=steps,
        uses=uses,
        people=people,
        state=code.state_on(now()),
        gives=gives_of(batch, len(queries.course_ids_of(batch.id))),
    )
