"""Door 3: an endpoint reads strictly, then has the four beats, then answers with a model.

    @bp.post("/people")
    @endpoint(status=201)
    def people_create(body: NewPerson) -> Person:
        allow(policies.can_manage_people(actor()))
        return Person.of(operations.invite_person(body.name, body.email, body.role, by=actor()))

`body: Body` is the JSON sent, `query: Query` the query string, the return annotation the JSON answered; the same
annotations make the OpenAPI document. Fields nobody declared are refused. Who asks is said by a bearer token alone.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, get_args, get_type_hints

from flask import Response, g, make_response
from pydantic import BaseModel

from lms.core.errors import Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.reports import Report
from lms.web.access import actor
from lms.web.api_document import Endpoint, describe
from lms.web.api_lists import Rows, answer_rows, list_models
from lms.web.api_reading import JSON, Amount, Answer, Body, Ids, Line, Moment, Query, check_address, given, read_body, read_query
from lms.web.idempotency import once

__all__ = ["Amount", "Answer", "Body", "Ids", "Line", "Moment", "Query", "Rows", "answer_rows", "endpoint", "given", "located"]
P = ParamSpec("P")
R = TypeVar("R")


def endpoint(
    *,
    status: int = 200,
    public: bool = False,
    money: bool = False,
    lists: type[Report] | None = None,
    also: Mapping[int, type[Answer]] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, Response]]:
    """Make a view an endpoint of the API.

    `public`: strangers may ask, too. `money`: needs an Idempotency-Key and is done once per key. `lists`: answers the rows of
    a declared list, whose filters are its query. `also`: other good answers by status.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, Response]:
        hints = get_type_hints(view)
        asks, answer = list_models(lists) if lists is not None else (hints.get("query"), hints.get("return"))
        about = Endpoint(hints.get("body"), asks, _answers(status, answer, also or {}), public, money, lists is not None)

        @functools.wraps(view)
        def run(*args: P.args, **path: P.kwargs) -> Response:
            if not public and not actor().is_known:
                raise Unauthenticated(_("Send an access token: Authorization: Bearer …"), rule="sign_in")
            check_address(asks)
            work = functools.partial(_answer, view, about, dict(path), status)
            return once(work) if money else work()

        describe(run, view, about)
        return run

    return decorate


def _answer(view: Callable[..., Any], about: Endpoint, path: dict[str, Any], status: int) -> Response:
    """Read what was sent, ask the view, and render what it made."""
    if about.asks is not None and not about.is_list:
        path["query"] = read_query(about.asks)
    if about.takes is not None:
        path["body"] = read_body(about.takes)
    made = view(**path)
    return render(made, next((code for code, kind in about.good.items() if kind is type(made)), status))


def _answers(status: int, answer: Any, also: Mapping[int, type[Answer]]) -> dict[int, Any]:
    """The good answers by status; a union's other members are in `also`."""
    rest = [kind for kind in get_args(answer) if kind not in also.values()] if also else []
    kind = rest[0] if rest else answer
    return {status: None if kind is type(None) else kind, **also}


def render(made: object, status: int) -> Response:
    """A model as the answer; None as 204."""
    if isinstance(made, Response):
        return made
    if made is None:
        return make_response("", 204)
    assert isinstance(made, BaseModel)
    response = make_response(made.model_dump_json(), status)
    response.content_type = JSON
    if "api_location" in g:
        response.headers["Location"] = g.api_location
    return response


def located(address: str) -> None:
    """Say where what was just made is."""
    g.api_location = address
