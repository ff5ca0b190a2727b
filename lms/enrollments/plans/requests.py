"""Answering many requests at once: yes or no, with words the people read."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.channels.models import Member
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.plans import Act, Context, Field, Option, Row, State, register
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.models import Request
from lms.enrollments.reports.requests import REQUEST_STATES

STATE = Field("state", _l("State"), words=dict(REQUEST_STATES))


class _Answering(Act):
    """What saying yes and saying no share; a row's subject is the request."""

    fields: Sequence[Field] = (STATE,)
    lists = ("enrollments.requests",)
    back = "/admin/enrollments/requests"
    to = ""

    def allowed(self, by: Actor) -> Decision:
        """Staff; an instructor's rows are those of their own courses."""
        return policies.can_see_students(by, None)

    def stays(self, params: Mapping[str, Any]) -> str:
        """Mails went out."""
        return _("Whoever was told by mail keeps that mail.")

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Those that wait, of courses this person answers for."""
        wanted = (
            select(Request, Member.name, Course).join(Member, Member.id == Request.user_id).join(Course, Course.id == Request.course_id)
        )
        there = {one.Request.id: one for one in db.session().execute(wanted.where(Request.id.in_(_ids(rows))))}
        for row in rows:
            one = there.get(row.subject_id) if row.subject_id else None
            if one is None:
                row.deny(_("This request is not there any more."))
                continue
            row.label, row.key = f"{one.name} · {one.Course.title}", str(one.Request.id)
            decision = policies.can_answer(context.by, one.Course)
            row.settle({"state": one.Request.state}, {"state": self.to})
            if not decision:
                row.deny(decision.sentence)
            elif row.verdict == "changed" and one.Request.state != "waiting":
                row.deny(_("This request does not wait for an answer any more."))

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The state of each request."""
        wanted = select(Request.id, Request.state).where(Request.id.in_(_ids(rows))).order_by(Request.id)
        there = {one.id: one.state for one in db.session().execute(wanted.with_for_update() if lock else wanted)}
        return {row.number: {"state": there[row.subject_id]} for row in rows if row.subject_id in there}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Answer each; a rule that stands in the way by now refuses the row."""
        for row in rows:
            assert row.subject_id is not None
            try:
                with db.session().begin_nested():
                    self.answer(queries.get_request(row.subject_id), str(context.params.get("answer") or ""), context.by)
            except Refusal as refusal:
                row.refuse(refusal.sentence)

    def answer(self, request: Request, words: str, by: Actor) -> None:
        """Say it to one."""
        raise NotImplementedError

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Let each wait again; whoever began the course stays in it."""
        for row in rows:
            assert row.subject_id is not None
            if why := operations.reopen_request(queries.get_request(row.subject_id), by=context.by):
                row.conflict(why)


def _ids(rows: Sequence[Row]) -> list[UUID]:
    return [row.subject_id for row in rows if row.subject_id]


@register
class ApproveRequests(_Answering):
    """Chosen requests are granted."""

    name = "enrollments.approve_requests"
    title = _l("Let in")
    icon = "circle-check"
    options: Sequence[Option] = (
        Option("answer", _l("Words to them"), kind="textarea", required=False, help=_l("Stands in the mail. May be empty.")),
    )
    to = "approved"

    def answer(self, request: Request, words: str, by: Actor) -> None:
        """Yes."""
        operations.approve_request(request, answer=words, by=by)


@register
class RefuseRequests(_Answering):
    """Chosen requests are refused."""

    name = "enrollments.refuse_requests"
    title = _l("Refuse")
    icon = "ban"
    tone = "danger"
    options: Sequence[Option] = (Option("answer", _l("Why not"), kind="textarea", help=_l("They read it.")),)
    to = "refused"

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """Words, since they are read."""
        if not str(params.get("answer") or "").strip():
            sentence = _("Say why not; the person reads it.")
            raise Invalid(sentence, fields={"answer": sentence})
        return params

    def answer(self, request: Request, words: str, by: Actor) -> None:
        """No."""
        operations.refuse_request(request, answer=words, by=by)
