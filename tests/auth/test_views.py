"""Sign-up, sign-in, codes, invitations, sessions: each door works, and refuses what it should."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import select, text

from lms.auth.models import Code, SignInSession
from lms.channels import operations as channel_operations
from lms.channels import queries as channel_queries
from lms.core import db, mail
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code
from tests.factories import people

NEW = {"name": "Nia Newcomer", "email": "nia@example.org", "password": people.PASSWORD}


def test_register__makes_an_account_with_the_code_from_the_mail(client: Browser) -> None:
    assert client.get("/auth/register", status=200).text("//h1") == "Make an account"
    assert client.post("/auth/register", NEW, status=303).location == "/auth/code"
    client.get("/auth/code", status=200)
    page = client.post("/auth/code", {"code": newest_code("nia@example.org")}, status=303)
    assert page.location == "/enrollments/"
    assert client.get("/auth/sessions", status=200).words.count("this browser") == 1


def test_register__answers_the_same_for_a_known_address(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    page = client.post("/auth/register", {**NEW, "email": "sam@example.org"}, status=303)
    assert page.location == "/auth/code"
    with db.unit_of_work(CHANNEL):
        assert "already" in mail.newest(1, "sam@example.org")[0].subject


def test_register__keeps_what_was_typed_and_says_what_is_wrong(client: Browser) -> None:
    page = client.post("/auth/register", {"name": "Nia", "email": "nia@", "password": "short"}, status=422)
    assert 'value="Nia"' in page.body
    assert "not an e-mail address" in page.words
    page = client.post("/auth/register", {**NEW, "password": "short"}, status=422)
    assert "at least 10 characters" in page.words


def test_sign_in__lets_a_student_in_with_the_password(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    page = client.post("/auth/sign-in", {"email": "SAM@example.org", "password": people.PASSWORD}, status=303)
    assert page.location == "/enrollments/"


def test_sign_in__asks_staff_for_a_code_too(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.root()
    assert client.sign_in("root@example.org", people.PASSWORD).location == "/auth/code"
    assert client.get("/auth/sessions", check=False).status == 303
    assert client.post("/auth/code", {"code": newest_code("root@example.org")}, status=303).location == "/admin/"


def test_sign_in__says_the_same_for_a_wrong_password_and_an_unknown_address(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    known = client.post("/auth/sign-in", {"email": "sam@example.org", "password": "wrong wrong"}, status=422)
    unknown = client.post("/auth/sign-in", {"email": "who@example.org", "password": "wrong wrong"}, status=422)
    strip = lambda page: re.sub(r"(sam|who)@example.org|value=\"[^\"]*\"|nonce=\"[^\"]*\"", "", page.body)  # noqa: E731
    assert strip(known) == strip(unknown)


def test_sign_in__with_a_foreign_next_stays_here(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\tevil"):
        browser = Browser(client.app)
        page = browser.post("/auth/sign-in", {"email": "sam@example.org", "password": people.PASSWORD, "next": target}, status=303)
        assert page.location == "/enrollments/", target


def test_code__is_dead_after_five_tries_and_counts_each_of_them(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    client.post("/auth/sign-in", {"email": "sam@example.org", "with_code": "1"}, status=303)
    right = newest_code("sam@example.org")
    for number in range(5):
        client.post("/auth/code", {"code": f"{(int(right) + number + 1) % 10**6:06d}"}, status=422)
    with db.unit_of_work(CHANNEL) as session:
        assert session.scalars(select(Code)).one().tries == 5
    client.post("/auth/code", {"code": right}, status=422)


def test_sign_in__sends_five_codes_an_hour_at_most_and_answers_alike(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    answers = {}
    for email in ("sam@example.org", "who@example.org"):
        browser = Browser(client.app)
        asked = [browser.post("/auth/sign-in", {"email": spelled, "with_code": "1"}, check=False) for spelled in (email, email.upper()) * 6]
        answers[email] = [one.status for one in asked]
        with db.unit_of_work(CHANNEL, read_only=True):
            assert len([one for one in mail.newest(50) if one.to_address.lower() == email]) == 5
    assert answers["sam@example.org"] == answers["who@example.org"] == [303] * 5 + [422] * 7


def test_code__right_and_wrong_at_once_make_one_session_and_are_all_counted(app: Flask, real_database: str) -> None:
    channel_queries.forget_faces()
    with db.unit_of_work(CHANNEL):
        people.sam()
    for typed, good in (("right", 1), ("wrong", 0)):
        asking = Browser(app)
        asking.post("/auth/sign-in", {"email": "sam@example.org", "with_code": "1"}, status=303)
        code = newest_code("sam@example.org")
        code = code if typed == "right" else f"{(int(code) + 1) % 10**6:06d}"
        start, token = threading.Barrier(20), asking.get("/auth/code", check=False).all('//input[@name="csrf_token"]')[0].get("value")
        cookies = {cookie.key: cookie.value for cookie in asking.raw._cookies.values()}

        def once(
            _number: int, code: str = code, token: str = token, cookies: dict[str, str] = cookies, start: threading.Barrier = start
        ) -> str:
            raw = app.test_client(use_cookies=False)
            start.wait()
            headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items())}
            return str(raw.post("/auth/code", data={"code": code, "csrf_token": token}, headers=headers).headers.get("Location", ""))

        with ThreadPoolExecutor(20) as pool:
            assert len([where for where in pool.map(once, range(20)) if where.startswith("/enrollments")]) == good, typed
    with db.unit_of_work(CHANNEL) as session:
        assert session.scalars(select(Code.tries).order_by(Code.created_at.desc())).first() == 5
        assert session.execute(text("SELECT count(*) FROM auth.sessions")).scalar_one() == 1


def test_code__works_once_and_only_in_the_browser_that_asked(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    client.post("/auth/sign-in", {"email": "sam@example.org", "with_code": "1"}, status=303)
    code = newest_code("sam@example.org")
    other = Browser(client.app)
    other.get("/auth/code", check=False)
    other.post("/auth/sign-in", {"email": "who@example.org", "with_code": "1"}, status=303)
    other.post("/auth/code", {"code": code}, status=422)
    client.post("/auth/code", {"code": f" {code[:3]} {code[3:]} "}, status=303)


def test_code__lies_nowhere_in_the_database_as_it_is(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    client.post("/auth/sign-in", {"email": "sam@example.org", "with_code": "1"}, status=303)
    code = newest_code("sam@example.org")
    with db.unit_of_work(CHANNEL) as session:
        for table in ("auth.codes", "core.mails", "core.outbox", "core.events", "core.audit"):
            rows = session.execute(text(f"SELECT t::text FROM {table} t WHERE t::text LIKE :code"), {"code": f"%{code}%"}).all()
            assert not rows, table


def test_code_again__replaces_the_code(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    client.post("/auth/sign-in", {"email": "sam@example.org", "with_code": "1"}, status=303)
    old = newest_code("sam@example.org")
    client.post("/auth/code/again", status=303)
    new = newest_code("sam@example.org")
    client.post("/auth/code", {"code": old}, status=422 if old != new else 303)
    client.post("/auth/code", {"code": new}, status=303)


def test_forgot__replaces_the_password_and_ends_other_sessions(client: Browser, as_sam: Browser) -> None:
    client.post("/auth/forgot", {"email": "sam@example.org"}, status=303)
    assert client.post("/auth/code", {"code": newest_code("sam@example.org")}, status=303).location == "/auth/password"
    client.get("/auth/password", status=200)
    client.post("/auth/password", {"password": "a new long password"}, status=303)
    assert as_sam.get("/auth/sessions", check=False).status == 303
    assert Browser(client.app).sign_in("sam@example.org", people.PASSWORD).status == 422


def test_invitations_show__lets_the_invited_choose_a_password_once(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        channel_operations.invite_person("Ivo Instructor", "ivo@example.org", "instructor", by=people.root())
    with db.unit_of_work(CHANNEL):
        body = mail.readable(found := mail.newest(1, "ivo@example.org")[0], found.body_text)
    link = re.search(r"https?://[^/]+(/auth/invitations/\S+)", body)[1]  # type: ignore[index]
    assert "Ivo" in client.get(link, status=200).words
    assert client.post(link, {"password": "short"}, status=422)
    assert client.post(link, {"password": people.PASSWORD}, status=303).location == "/admin/"
    assert "used already" in Browser(client.app).get(link, status=200).words
    Browser(client.app).post(link, {"password": people.PASSWORD}, status=409)


def test_sign_out__ends_the_session_for_good(as_sam: Browser) -> None:
    cookie = as_sam.raw.get_cookie("lectern").value  # type: ignore[union-attr]
    as_sam.post("/auth/sign-out", status=303)
    thief = Browser(as_sam.app)
    thief.raw.set_cookie("lectern", cookie)
    assert thief.get("/auth/sessions", check=False).status == 303


def test_sessions_end__ends_another_browser_but_never_a_strangers(as_sam: Browser, as_ada: Browser) -> None:
    second = Browser(as_sam.app)
    second.sign_in("sam@example.org", people.PASSWORD)
    with db.unit_of_work(CHANNEL) as session:
        rows = session.scalars(
            select(SignInSession).where(SignInSession.user_id == as_sam.person.user_id).order_by(SignInSession.created_at)
        ).all()
    as_ada.post(f"/auth/sessions/{rows[1].id}/end", status=404)
    as_sam.post(f"/auth/sessions/{rows[1].id}/end", status=303)
    assert second.get("/auth/sessions", check=False).status == 303
    assert as_sam.get("/auth/sessions", status=200)


def test_forms__without_a_token_or_from_another_site_are_refused(as_sam: Browser) -> None:
    as_sam.post("/auth/sign-out", token=False, status=403)
    as_sam.post("/auth/sign-out", headers={"Sec-Fetch-Site": "cross-site"}, status=403)
    as_sam.post("/auth/sign-out", headers={"Origin": "http://evil.example"}, status=403)
    assert as_sam.get("/auth/sessions", status=200)


def test_code__of_a_demo_sign_in_is_shown_where_it_is_asked_for(client: Browser, connection: sa.Connection) -> None:
    """The demo's passwords stand on its sign-in page, and nobody reads its mail; everybody else's code stays in the mail."""
    with db.unit_of_work(CHANNEL):
        ada, root = people.ada(), people.root()
    connection.execute(sa.text("RESET ROLE; ALTER TABLE channels.channels DISABLE TRIGGER channels_stay_real"))
    shown = json.dumps({"demo_sign_ins": [{"role": "instructor", "email": ada.email, "password": people.PASSWORD}]})
    turned = sa.text("UPDATE channels.channels SET is_demo = true, settings = CAST(:shown AS jsonb) WHERE id = :id")
    connection.execute(turned, {"shown": shown, "id": CHANNEL})
    channel_queries.forget_faces()
    assert "Enter as instructor" in client.get("/auth/sign-in", status=200).words
    client.sign_in(ada.email, people.PASSWORD)
    assert newest_code(ada.email) in client.get("/auth/code", status=200).words
    client.sign_in(root.email, people.PASSWORD)
    assert newest_code(root.email) not in client.get("/auth/code", status=200).words
