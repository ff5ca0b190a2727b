"""The OpenAPI 3.1 document of the API, made from the same annotations the endpoints run by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import current_app
from pydantic import BaseModel, Field
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from lms.web.idempotency import HEADER

ABOUT = """Everything the back office can do, for machines.

Get an access token at `POST /api/v1/auth/token` and send it as `Authorization: Bearer …`; it lasts 15 minutes, and the refresh
token that came with it gets the next one. Scripts on the server can use `lms token <email>`.

Money is whole minor units (cents) with an ISO 4217 currency. Times are ISO 8601 in UTC. Lists come in pages: follow `next`
until it is null. Requests that move money need an `Idempotency-Key`; sent again with the same key they are not done again.
What is refused is answered as `application/problem+json` (RFC 9457): `title` is a sentence for people, `type` names the kind,
`fields` the faults one by one."""
REFUSALS = {
    400: "What was sent could not be read",
    401: "No valid access token",
    403: "A rule refuses it: `rule` says which",
    404: "There is no such thing",
    409: "It does not fit the state things are in",
    413: "Too large",
    415: "Not JSON",
    422: "What was sent does not fit: see `fields`",
    429: "Too often: see Retry-After",
    503: "A part does not answer now: see Retry-After",
}


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="The kind of refusal, for example /problems/forbidden")
    title: str = Field(description="A sentence for people")
    status: int
    request_id: str = Field(description="The number to quote when asking for help")
    fields: dict[str, str] | None = Field(default=None, description="The faults by field")
    rule: str | None = Field(default=None, description="The rule that refused")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an endpoint takes and answers."""

    takes: type[BaseModel] | None
    asks: type[BaseModel] | None
    good: Mapping[int, Any]
    public: bool
    money: bool
    is_list: bool


_named: dict[str, Any] = {}


def _name(model: Any) -> str:
    """The name of a schema: the model's own; two models of one name are a bug."""
    name: str = model.__name__
    if _named.setdefault(name, model) is not model:
        raise RuntimeError(f"two API models are called {name}")
    return name


spec = SpecTree(
    "flask",
    mode="strict",
    annotations=False,
    title="Lectern",
    description=ABOUT,
    version="v1",
    openapi_version="3.1.0",
    naming_strategy=_name,
    nested_naming_strategy=lambda _parent, child: child,
    validation_error_model=Problem,
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", bearer_format="JWT"))],
)


_described: list[tuple[Callable[..., Any], Callable[..., Any], Endpoint]] = []


def describe(run: Callable[..., Any], view: Callable[..., Any], about: Endpoint) -> None:
    """Note an endpoint for the document, which is written when somebody asks for it; nothing of it runs with a request."""
    run.endpoint = about  # type: ignore[attr-defined]
    _described.append((run, view, about))


def _write(run: Callable[..., Any], view: Callable[..., Any], about: Endpoint) -> None:
    module = view.__module__.split(".")[1]
    documented = spec.validate(
        query=about.asks,
        json=about.takes,
        resp=Answers(**{f"HTTP_{code}": kind for code, kind in about.good.items()}),
        security=[] if about.public else {"token": []},
        skip_validation=True,
        tags=(module,),
        operation_id=f"{module}_{view.__name__}",
    )(view)
    run.__wrapped__ = documented  # type: ignore[attr-defined]


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; raises nothing and asks nothing of the database."""
    for noted in _described:
        _write(*noted)
    _described.clear()
    made: dict[str, Any] = spec.spec
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _finish(operation, _endpoint_of(path, method))
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    return made


def _endpoint_of(path: str, method: str) -> Endpoint:
    """The endpoint at a path of the document."""
    for rule in current_app.url_map.iter_rules():
        about = getattr(current_app.view_functions[rule.endpoint], "endpoint", None)
        if about is not None and method.upper() in (rule.methods or ()) and spec.backend.parse_path(rule, None)[0] == path:
            found: Endpoint = about
            return found
    raise LookupError(f"{method} {path}")


def _finish(operation: dict[str, Any], about: Endpoint) -> None:
    """Add what every endpoint has: the refusals, and the header of those that move money."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, words in REFUSALS.items():
        if about.public and status == 401 and about.takes is None:
            words = "The access token sent is not valid"
        operation["responses"][str(status)] = {"description": words, "content": content}
    if about.public:
        operation["security"] = []
    if about.money:
        operation["parameters"].append(
            {
                "name": HEADER,
                "in": "header",
                "required": True,
                "schema": {"type": "string", "minLength": 8, "maxLength": 200},
                "description": "A new one for each act; the same one repeats the answer and not the act. Kept for a day.",
            }
        )
