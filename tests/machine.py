"""A machine for tests: speaks JSON to /api/v1 with a token, and holds every answer against the OpenAPI document."""

import json
from functools import cache
from typing import Any
from uuid import uuid4

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from lms.auth import operations as accounts
from lms.auth import queries as account_queries
from lms.core import db
from lms.core.decisions import Actor
from lms.web.api_document import document

BASE = "/api/v1"


class Machine:
    """One client of the API; `token` is what it sends, "" for none."""

    def __init__(self, app: Flask, token: str = "", host: str = "localhost") -> None:
        self.app = app
        self.token = token
        self.host = host
        self.raw = app.test_client()
        self.raw.environ_base["wsgi.input_terminated"] = True  # as gunicorn says: what is read past a length is refused, not empty
        self.person: Any = None

    def get(self, path: str, *, status: int = 200, **options: Any) -> Any:
        """GET; the JSON of the answer."""
        return self.send("GET", path, status=status, **options)

    def post(self, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """POST JSON; the JSON of the answer."""
        return self.send("POST", path, body, status=status, **options)

    def patch(self, path: str, body: Any, *, status: int = 200) -> Any:
        """PATCH JSON; the JSON of the answer."""
        return self.send("PATCH", path, body, status=status)

    def delete(self, path: str, *, status: int = 204) -> Any:
        """DELETE; nothing, or the problem."""
        return self.send("DELETE", path, status=status)

    def money(self, path: str, body: Any = None, *, key: str = "", status: int = 200) -> Any:
        """POST JSON under an Idempotency-Key, a new one unless given."""
        return self.send("POST", path, body, status=status, headers={"Idempotency-Key": key or str(uuid4())})

    def send(self, method: str, path: str, body: Any = None, *, status: int, **options: Any) -> Any:
        """Any request; the answer must have the status, and be as the document says."""
        response = self.open(method, path, body, **options)
        said = response.get_data(as_text=True)[:1500]
        assert response.status_code == status, f"{method} {path}: {response.status_code}, not {status}: {said}"
        self.check(method, path, response)
        return response.get_json() if response.data else None

    def open(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """The answer as it came."""
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            options["data"] = body if isinstance(body, (bytes, str)) else json.dumps(body)
            options.setdefault("content_type", "application/json")
        where = path if path.startswith("/api/") else BASE + path
        return self.raw.open(where, method=method, headers=sent, base_url=f"http://{self.host}", **options)

    def check(self, method: str, path: str, response: TestResponse) -> None:
        """The answer is one the document announces for this address."""
        operation = self.operation(method, path)
        answers = operation["responses"] if operation else {}
        if operation is None:
            assert response.status_code in (404, 405), path
            return
        assert str(response.status_code) in answers, f"{method} {path} answers {response.status_code}, which the document does not know"
        content = answers[str(response.status_code)].get("content")
        if content is None:
            assert not response.data
            return
        (kind,) = content
        assert response.mimetype == kind, f"{method} {path}: {response.mimetype}"
        schema = {**content[kind]["schema"], "components": document()["components"]}
        faults = [
            f"{list(fault.absolute_path)}: {fault.message[:300]}" for fault in Draft202012Validator(schema).iter_errors(response.json)
        ]
        assert not faults, f"{method} {path}: {faults[:5]}"

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document says of an address."""
        where = (path if path.startswith("/api/") else BASE + path).partition("?")[0]
        with self.app.test_request_context():
            try:
                rule, _ = self.app.url_map.bind("localhost").match(where, method, return_rule=True)
            except HTTPException:
                return None
            return _operations(self.app).get((rule.rule, method))


@cache
def _operations(app: Flask) -> dict[tuple[str, str], Any]:
    """The operations of the document by rule and method."""
    made = {}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            for method, operation in document()["paths"].get(_template(rule.rule), {}).items():
                if method.upper() in (rule.methods or ()):
                    made[(rule.rule, method.upper())] = operation
    return made


def _template(rule: str) -> str:
    """`/x/<uuid:id>` as the document writes it: `/x/{id}`."""
    return "/".join("{" + part.strip("<>").rpartition(":")[2] + "}" if part.startswith("<") else part for part in rule.split("/"))


def token_of(person: Actor, channel_id: Any) -> accounts.Tokens:
    """A pair of tokens for a person, in a unit of work of its own."""
    with db.unit_of_work(channel_id):
        user = account_queries.find_user(person.email)
        assert user is not None
        return accounts.start_api_session(user, device="test")
