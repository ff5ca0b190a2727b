"""Asking to be let into a course, and answering."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from lms.core.clock import now
from lms.courses import queries as courses
from lms.enrollments import operations, policies, queries
from lms.enrollments.api.door import bp
from lms.enrollments.reports import Requests
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Rows, answer_rows, endpoint, located


class RequestBody(Body):
    """Why somebody asks."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class AnswerBody(Body):
    """Words the person reads; a refusal needs some."""

    answer: Annotated[str, Field(max_length=1000)] = ""


class RequestAnswer(Answer):
    """A request as it stands: waiting, approved, refused, withdrawn or expired; `used_at` is when it led to an enrolment."""

    id: UUID
    user_id: UUID
    course_id: UUID
    reason: str
    state: str
    answer: str
    asked_at: datetime
    answered_at: datetime | None
    is_by_rule: bool
    used_at: datetime | None


@bp.post("/courses/<uuid:course_id>/request")
@endpoint(status=201)
def courses_request(course_id: UUID, body: RequestBody) -> RequestAnswer:
    """Ask to be let in; asking again while a request waits gives that one."""
    course = courses.get_course(course_id)
    standing = queries.last_request(actor().user_id, course_id)
    decision = policies.can_ask(actor(), course, queries.active_enrollment(actor().user_id, course_id), standing, at=now())
    allow(policies.can_learn(actor()) if decision.rule == "asked" else decision)
    made = operations.ask_to_enroll(course, body.reason, by=actor())
    located(url_for(".requests_show", request_id=made.id))
    return RequestAnswer.model_validate(made)


@bp.get("/requests")
@endpoint(lists=Requests)
def requests_list() -> Rows:
    """The requests this person may answer."""
    allow(policies.can_see_students(actor(), None))
    return answer_rows(Requests())


@bp.get("/requests/<uuid:request_id>")
@endpoint()
def requests_show(request_id: UUID) -> RequestAnswer:
    """One request: one's own, or for those who answer it."""
    found = queries.get_request(request_id)
    allow(
        policies.can_learn(actor())
        if found.user_id == actor().user_id
        else policies.can_answer(actor(), courses.get_course(found.course_id))
    )
    return RequestAnswer.model_validate(found)


@bp.post("/requests/<uuid:request_id>/withdraw")
@endpoint()
def requests_withdraw(request_id: UUID) -> RequestAnswer:
    """Take my request back while nobody has answered."""
    found = queries.get_request(request_id)
    allow(policies.can_withdraw(actor(), found))
    operations.withdraw_request(found, by=actor())
    return RequestAnswer.model_validate(found)


@bp.post("/requests/<uuid:request_id>/approve")
@endpoint()
def requests_approve(request_id: UUID, body: AnswerBody) -> RequestAnswer:
    """Let the person in: at once where the course is free, else to its price."""
    found = queries.get_request(request_id)
    allow(policies.can_answer(actor(), courses.get_course(found.course_id)))
    operations.approve_request(found, answer=body.answer, by=actor())
    return RequestAnswer.model_validate(found)


@bp.post("/requests/<uuid:request_id>/refuse")
@endpoint()
def requests_refuse(request_id: UUID, body: AnswerBody) -> RequestAnswer:
    """Say no, in words."""
    found = queries.get_request(request_id)
    allow(policies.can_answer(actor(), courses.get_course(found.course_id)))
    operations.refuse_request(found, answer=body.answer, by=actor())
    return RequestAnswer.model_validate(found)
