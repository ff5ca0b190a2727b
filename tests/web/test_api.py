"""Door 3's frame: the document, what is refused before a view sees it, keys that repeat, a fuzz of every endpoint, and mass assignment."""

import json
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from openapi_spec_validator import validate

from lms.channels import queries as channel_queries
from lms.core import db
from lms.core.money import Money
from lms.vouchers import operations as vouchers
from lms.wallet.queries import balance_of
from lms.web.api_document import document
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people
from tests.load import fuzz
from tests.machine import Machine, token_of

HTML = {"pages_api.docs", "pages_api.openapi"}


@pytest.fixture
def the_document(app: Flask) -> dict[str, Any]:
    with app.app_context():
        return document()


# --- the document ----------------------------------------------------------------------------------------------------------------


def test_openapi__is_valid_and_small_enough_to_read(machine: Machine, the_document: dict[str, Any]) -> None:
    answer = machine.open("GET", "/openapi.json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.get_json() == json.loads(json.dumps(the_document))
    validate(the_document)
    assert machine.open("GET", "/openapi.json", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_openapi__holds_every_address_and_no_other(app: Flask, the_document: dict[str, Any]) -> None:
    documented = {(method.upper(), path) for path, methods in the_document["paths"].items() for method in methods}
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.endpoint not in HTML:
            path = "/".join(
                "{" + part.strip("<>").rpartition(":")[2] + "}" if part.startswith("<") else part for part in rule.rule.split("/")
            )
            served |= {(method, path) for method in rule.methods or () if method not in ("HEAD", "OPTIONS")}
    assert documented == served


def test_openapi__says_of_each_operation_what_it_is_and_who_may(the_document: dict[str, Any]) -> None:
    ids = []
    for path, methods in the_document["paths"].items():
        for method, operation in methods.items():
            ids.append(operation["operationId"])
            assert operation["summary"].endswith("."), f"{method} {path}"
            assert operation["security"] in ([], [{"token": []}]), f"{method} {path}"
            good = [status for status in operation["responses"] if status < "400"]
            assert good, f"{method} {path}"
            assert operation["responses"]["422"]["content"].keys() == {"application/problem+json"}
    assert len(ids) == len(set(ids))
    assert "." not in "".join(the_document["components"]["schemas"]), "names of schemas are plain"


def test_docs__shows_the_document_without_any_other_host(client: Browser) -> None:
    page = client.get("/api/v1/docs", status=200)
    assert page.text("//h1") == "API"
    for path in page.all("//script/@src | //link/@href"):
        assert str(path).startswith("/"), path
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "LICENSE"):
        assert client.get(f"/static/vendor/swagger-ui/{name}", check=False).status == 200
    assert "unsafe" not in page.response.headers["Content-Security-Policy"]


# --- reading strictly -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"name":"a","name":"b"}', "application/json", 400),
        (b'{"name":NaN}', "application/json", 400),
        (b"[" * 10_000 + b"]" * 10_000, "application/json", 400),
        (b'{"name":"\\ud800"}', "application/json", 400),
        (b'{"name":"a\\u0000"}', "application/json", 400),
        (b"", "application/json", 400),
        (b'"text"', "application/json", 422),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"name":1}', "application/json", 422),
        (b'{"name":"  "}', "application/json", 422),
        (b'{"name":"a","x":1}', "application/json", 422),
        (b"name=a", "application/x-www-form-urlencoded", 415),
        (b'{"name":"a"}', "text/plain", 415),
        (b'{"name":"' + b"a" * 1_100_000 + b'"}', "application/json", 413),
    ],
)
def test_read_body__refuses_as_a_problem(api_root: Machine, raw: bytes, kind: str, status: int) -> None:
    problem = api_root.post("/courses/categories", raw, content_type=kind, status=status)
    assert problem["status"] == status and problem["title"] and problem["request_id"]


def test_read_query__takes_what_was_declared_once(api_root: Machine) -> None:
    assert "colour" in api_root.get("/channels/people?colour=red", status=422)["fields"]
    assert "role" in api_root.get("/channels/people?role=emperor", status=422)["fields"]
    assert "q" in api_root.get("/channels/people?q=a&q=b", status=422)["fields"]
    assert "x" in api_root.get("/channels/me?x=1", status=422)["fields"]
    api_root.get("/channels/people?q=%00", status=400)
    api_root.get("/channels/people?columns=name&columns=email&sort=-name&size=1")


def test_answer__is_a_problem_wherever_it_goes_wrong(api_sam: Machine) -> None:
    assert api_sam.get("/nothing/here", status=404)["type"] == "/problems/not_found"
    assert api_sam.open("PUT", "/channels/me", {}).status_code == 405
    assert api_sam.get(f"/channels/people/{uuid4()}", status=404)["title"]
    assert api_sam.get("/channels/people", status=403)["rule"] == "admin"


PUBLIC = {
    "auth_token_create",
    "auth_code_create",
    "auth_register",
    "auth_register_confirm",
    "auth_invitations_accept",
    "auth_refresh",
    "auth_revoke",
    "courses_catalogue",
    "courses_show",
    "courses_outline",
    "courses_categories",
    "community_courses_reviews",
    "enrollments_lessons_show",
    "search_index",
}


def test_endpoints__are_shut_to_strangers_but_for_those_named_here(machine: Machine, the_document: dict[str, Any]) -> None:
    open_to_all = set()
    for path, methods in the_document["paths"].items():
        for method, operation in methods.items():
            if not operation["security"]:
                open_to_all.add(operation["operationId"])
                continue
            for parameter in operation["parameters"]:
                value = "1" if parameter["schema"].get("type") == "integer" else str(uuid4())
                path = path.replace("{" + parameter["name"] + "}", value)
            answer = machine.open(method.upper(), path, {} if "requestBody" in operation else None)
            assert answer.status_code == 401 and "Bearer" in answer.headers["WWW-Authenticate"], f"{method} {path}"
    assert open_to_all == PUBLIC


def test_endpoints__of_staff_are_shut_to_students(api_sam: Machine, the_document: dict[str, Any]) -> None:
    """Every list of the back office, and every endpoint that makes something in it."""
    for path in [path for path, methods in the_document["paths"].items() if "get" in methods and "{" not in path]:
        needed = {"/search": "?q=a", "/period": "?first=2026-01-01&last=2026-01-31"}.get(path[path.rindex("/") :], "")
        answer = api_sam.open("GET", path + needed)
        own = (
            "/gifts",
            "/gifts/rules",
            "/me",
            "/mine",
            "/past",
            "/wallet",
            "/statement",
            "/statement/period",
            "/notifications",
            "/preferences",
            "/sessions",
            "/catalogue",
            "/categories",
            "/search",
        )
        if answer.status_code == 200:
            assert path.endswith(own) and not path.endswith("/streaming/sessions"), path
        else:
            assert answer.status_code == 403 and answer.get_json()["rule"] in ("admin", "staff"), f"{path}: {answer.get_json()}"


# --- lists ----------------------------------------------------------------------------------------------------------------------


def test_answer_rows__pages_through_the_whole_list(api_root: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        for number in range(30):
            people.a_student(f"Student {number:03d}")
    path: str | None = "/channels/people?size=7&sort=-email"
    seen: list[str] = []
    while path:
        page = api_root.get(path)
        seen += [row["id"] for row in page["rows"]]
        assert page["count"] == 31
        path = page["next"]
    assert len(seen) == len(set(seen)) == 31
    found = api_root.get("/channels/people?q=student+007&columns=name")["rows"]
    assert found == [{"id": found[0]["id"], "name": "Student 007"}]
    assert api_root.get("/channels/people?after=bm9uc2Vuc2U")["rows"], "a key nobody made means the first page"


# --- money once -----------------------------------------------------------------------------------------------------------------


def a_code(value: int = 10) -> str:
    wish = vouchers.NewBatch(label="Spring", value=Money(value * 100, "EUR"), count=1, uses_per_code=1)
    return vouchers.create_batch(wish, by=people.root()).codes[0]


def test_once__repeats_the_answer_and_not_the_act(api_root: Machine) -> None:
    wish = {"label": "Spring", "value": {"minor": 1000, "currency": "EUR"}, "count": 2}
    problem = api_root.post("/vouchers/batches", wish, status=422)
    assert "Idempotency-Key" in problem["fields"]
    first = api_root.money("/vouchers/batches", wish, key="same-key-1", status=201)
    again = api_root.open("POST", "/vouchers/batches", wish, headers={"Idempotency-Key": "same-key-1"})
    assert again.get_json() == first and again.headers["Idempotency-Replayed"] == "true" and again.headers["Location"]
    assert api_root.get("/vouchers/batches")["count"] == 1
    assert api_root.money("/vouchers/batches", {**wish, "count": 3}, key="same-key-1", status=422)["rule"] == "idempotency_key"
    api_root.money("/vouchers/batches", {**wish, "count": 0}, key="same-key-2", status=422)
    api_root.money("/vouchers/batches", {**wish, "count": 1}, key="same-key-2", status=201)


def test_once__is_of_one_person_and_one_route(api_root: Machine, api_sam: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        code = a_code()
    first = api_sam.money("/vouchers/redeem", {"code": code}, key="same-key-1")
    assert api_sam.money("/vouchers/redeem", {"code": code}, key="same-key-1") == first
    api_ada.money("/vouchers/redeem", {"code": code}, key="same-key-1", status=409)
    api_root.money("/vouchers/batches", {"label": "x", "value": first["amount"], "count": 1}, key="same-key-1", status=201)


def test_once__a_hundred_at_once_are_one(app: Flask, real_database: str) -> None:
    channel_queries.forget_faces()
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
        code = a_code()
    token = token_of(sam, CHANNEL).access_token
    start = threading.Barrier(100)

    def send(_number: int) -> tuple[int, str]:
        start.wait()
        while True:
            answer = Machine(app, token).open("POST", "/vouchers/redeem", {"code": code}, headers={"Idempotency-Key": "one-key-for-all"})
            if answer.status_code != 503:  # a full pool sends away: the same key makes trying again safe
                return answer.status_code, answer.get_data(as_text=True)

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(send, range(100)))
    assert set(answers) == {(200, answers[0][1])}
    with db.unit_of_work(CHANNEL) as session:
        assert balance_of(sam.user_id) == Money(1000, "EUR")  # type: ignore[arg-type]
        assert session.execute(sa.text("SELECT count(*) FROM core.idempotency_keys")).scalar_one() == 1


# --- fuzz (T049) and mass assignment (T014) --------------------------------------------------------------------------------------


def some_ids(*persons: Any) -> list[str]:
    """Ids that are there: people, a course, its section and lessons, a batch and its codes; and one that is nowhere."""
    with db.unit_of_work(CHANNEL) as session:
        a_code()
        found = [str(person.user_id) for person in persons] + [str(uuid4())]
        for table in ("vouchers.batches", "vouchers.codes", "courses.courses", "courses.sections", "courses.lessons", "content.assets"):
            found += [str(value) for value in session.execute(sa.text(f"SELECT id FROM {table} LIMIT 3")).scalars()]
        return found


def test_endpoints__answer_any_nonsense_without_a_bug(
    app: Flask, api_root: Machine, api_sam: Machine, the_document: dict[str, Any]
) -> None:
    """At least 1,000 cases over every operation: no 5xx, every answer as the document says, memory flat."""
    course = api_root.post("/courses", {"title": "Fuzz"}, status=201)
    section = api_root.post(f"/courses/{course['id']}/sections", {"title": "One"}, status=201)
    api_root.post(f"/courses/sections/{section['id']}/lessons", {"title": "One", "body": "Words"}, status=201)
    known = [*some_ids(api_root.person, api_sam.person), course["id"], section["id"]]
    maker = fuzz.Maker(20261120, the_document["components"]["schemas"], known)
    operations = [
        (method.upper(), path, operation)
        for path, methods in the_document["paths"].items()
        for method, operation in methods.items()
        if "/auth/" not in path and not path.endswith(("/suspend", "/role"))
    ]
    count, statuses = 0, set()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _round in range(-(-1100 // len(operations))):
        for method, path, operation in operations:
            machine = maker.dice.choice([api_root, api_root, api_root, api_sam, Machine(app)])
            statuses.add(fuzz.fuzz_one(machine, maker, method, path, operation))
            count += 1
    assert count >= 1000 and not {status for status in statuses if status >= 500}
    assert {200, 401, 403, 404, 422} <= statuses
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before * 1.25 + 30_000


EXTRA: dict[str, Any] = {
    "id": str(uuid4()),
    "channel_id": str(uuid4()),
    "user_id": str(uuid4()),
    "owner_id": str(uuid4()),
    "role": "owner",
    "status": "published",
    "state": "paid",
    "price_minor": 0,
    "balance": 10**9,
    "balance_minor": 10**9,
    "score": 100,
    "progress": 100,
    "published": True,
    "published_at": "2020-01-01T00:00:00Z",
    "verified": True,
    "is_admin": True,
    "is_staff": True,
    "created_at": "2020-01-01T00:00:00Z",
    "created_by": str(uuid4()),
    "commission": 0,
    "email_verified_at": "2020-01-01T00:00:00Z",
    "password_hash": "x",
    "slug": "mine",
    "instructor": "me",
    "deleted_at": None,
}


def test_endpoints__take_no_field_that_was_not_declared(api_root: Machine, the_document: dict[str, Any]) -> None:
    """25 extra fields on every endpoint that writes, in JSON, nested, as a form and in the query: each is refused, nothing is written."""
    schemas = the_document["components"]["schemas"]
    known = some_ids(api_root.person)
    tried = 0
    for path, methods in the_document["paths"].items():
        for method, operation in ((verb.upper(), found) for verb, found in methods.items() if verb != "get"):
            address = path
            for parameter in operation["parameters"]:
                value = "1" if parameter["schema"].get("type") == "integer" else known[0]
                address = address.replace("{" + parameter["name"] + "}", value)
            headers = {"Idempotency-Key": str(uuid4())}
            body = operation.get("requestBody")
            fields = schemas[body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]["properties"] if body else {}
            extra = {name: value for name, value in EXTRA.items() if name not in fields}
            answer = api_root.open(method, address, {} if body else None, headers=headers, query_string=dict.fromkeys(extra, "1"))
            assert answer.status_code == 422, f"{method} {address}"
            if body:
                answer = api_root.open(method, address, extra, headers=headers)
                assert answer.status_code == 422 and set(extra) <= set(answer.get_json()["fields"]), (
                    f"{method} {address}: {answer.get_json()}"
                )
                answer = api_root.open(method, address, headers=headers, data=dict.fromkeys(extra, "1"))
                assert answer.status_code == 415, f"{method} {address}"
                for name in [name for name, part in fields.items() if "Amount" in json.dumps(part)]:
                    amount = {"minor": 1, "currency": "EUR", **EXTRA}
                    is_list = fields[name].get("type") == "array"
                    answer = api_root.open(method, address, {name: [amount] if is_list else amount}, headers=headers)
                    nested = {field.removeprefix(f"{name}.").removeprefix("0.") for field in answer.get_json()["fields"]}
                    assert set(EXTRA) <= nested, f"{method} {address} {name}"
            tried += len(extra) * 3
    assert tried > 25 * 50 * 3
