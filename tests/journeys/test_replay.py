"""T003: every address with an id in it, replayed by those whose thing it is not: another student, and the admin of another academy.

The addresses come from the URL map, so a new door is replayed without being written down here.
"""

import re
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from lms.core import db, limits, mail
from tests.architecture.test_matrix import NOT_ASKED
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, signed_in
from tests.factories import people
from tests.factories.community import a_review
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.streaming import a_session
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros

MINE = "Sam Student"


def things_of_sam() -> dict[str, Any]:
    """One of everything that belongs to Sam, to Ada or to the academy: what a URL may name."""
    sam = people.sam()
    course = a_course("Secret knots", lessons=1, published=True, price=euros(5))
    an_enrollment(sam, course)
    a_review(sam, course)
    a_batch()
    a_session(course)
    return {"sam": sam, "course": course}


def ids_by_table(session: Any) -> dict[str, list[UUID]]:
    """Every id of the academy's rows, by schema: what somebody may have seen, guessed or bought."""
    tables = session.execute(
        sa.text(
            "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'channel_id' AND table_name IN"
            " (SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND data_type = 'uuid')"
            " AND table_schema NOT IN ('information_schema', 'pg_catalog') GROUP BY 1, 2"
        )
    ).all()
    found: dict[str, list[UUID]] = {}
    for schema, table in tables:
        rows = session.execute(sa.text(f'SELECT DISTINCT id FROM "{schema}"."{table}" WHERE channel_id = :one LIMIT 1'), {"one": CHANNEL})
        found.setdefault(schema, []).extend(rows.scalars())
    return found


def addresses(app: Flask, ids: dict[str, list[UUID]]) -> list[tuple[str, str]]:
    """(method, address) for each rule with one id in it and each id of its module, reads and writes."""
    made = []
    for rule in app.url_map.iter_rules():
        kinds = {type(converter).__name__ for converter in rule._converters.values()}
        if kinds != {"UUIDConverter"} or rule.endpoint in NOT_ASKED or rule.rule.startswith("/ws/") or rule.rule.startswith("/api/"):
            continue
        module = rule.endpoint.split(".")[0].removesuffix("_admin")
        known = ids.get("core" if module == "admin" else module, []) + (ids.get("courses", []) if module == "enrollments" else [])
        if module in ("chat",):
            known = ids.get("streaming", [])
        for one in known:
            path = str(rule.build(dict.fromkeys(rule.arguments, one))[1])
            made += [(method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return made


def counts(session: Any) -> int:
    """How many deeds the academy's audit log holds: nothing that is refused leaves one."""
    return int(session.execute(sa.text("SELECT count(*) FROM core.audit WHERE channel_id = :one"), {"one": CHANNEL}).scalar_one())


@pytest.mark.timeout(300)
def test_replay__of_every_address_by_another_academys_admin_shows_and_changes_nothing(
    app: Flask, as_root: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.unit_of_work(CHANNEL) as session:
        things_of_sam()
        session.flush()
        ids = ids_by_table(session)
    with db.unit_of_work(OTHER_CHANNEL):
        other = people.a_person("Otto Other", "admin", "otto@example.org")
    otto = signed_in_at(app, "beta.example", other.email)
    monkeypatch.setattr(limits, "hit", lambda *_args, **_options: None)
    replayed, before = addresses(app, ids), audit_count()
    assert len(replayed) > 80 and sum(len(found) for found in ids.values()) > 10
    own = [path for method, path in replayed if method == "GET" and as_root.get(path, check=False).status == 200]
    assert len(own) > 8, "the addresses are real: their own admin opens them"
    for method, path in replayed:
        page = otto._send(method, path, False, False, None, False, headers={"X-CSRFToken": otto.token})
        assert page.status in (303, 400, 403, 404, 405, 422), f"{method} {path}: {page.status}"
        assert page.status != 303 or not page.body.count(MINE), path
        assert "Secret knots" not in page.body and MINE not in page.body, f"{method} {path}"
    assert audit_count() == before, "nothing of the academy was changed"


@pytest.mark.timeout(300)
def test_replay__of_the_back_office_by_a_student_is_refused_everywhere(
    app: Flask, as_root: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.unit_of_work(CHANNEL) as session:
        things_of_sam()
        session.flush()
        ids = ids_by_table(session)
    nia = signed_in(app, lambda: people.a_student("Nia Newcomer"))
    nia.token = nia.form_token()
    monkeypatch.setattr(limits, "hit", lambda *_args, **_options: None)
    replayed, before = [one for one in addresses(app, ids) if one[1].startswith("/admin/")], audit_count()
    assert len(replayed) > 50
    for method, path in replayed:
        page = nia._send(method, path, False, False, None, False, headers={"X-CSRFToken": nia.token})
        assert page.status in (403, 404, 405, 422), f"{method} {path}: {page.status}"
        assert "Secret knots" not in page.body and MINE not in page.body, f"{method} {path}"
    assert audit_count() == before


def audit_count() -> int:
    with db.unit_of_work(CHANNEL, read_only=True) as session:
        return counts(session)


def signed_in_at(app: Flask, host: str, email: str) -> Browser:
    """The browser of somebody signed in at a host, past the second factor."""
    browser = Browser(app, host=host)
    if browser.sign_in(email, people.PASSWORD).location.startswith("/auth/code"):
        with db.unit_of_work(OTHER_CHANNEL, read_only=True):
            code = people_code(email)
        browser.post("/auth/code", {"code": code}, status=303, check=False)
    assert browser.get("/admin/", check=False).status == 200
    browser.token = browser.form_token()
    return browser


def people_code(email: str) -> str:
    """The code in the newest mail to an address, in the running unit of work."""
    newest = mail.newest(1, email)[0]
    found = re.search(r"\b(\d{6})\b", mail.readable(newest, newest.body_text))
    assert found
    return found[1]
