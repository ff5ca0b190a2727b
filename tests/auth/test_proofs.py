"""Authenticator apps, recovery codes, and proving anew: what each opens, and that nothing opens twice."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from lms.auth import operations, queries
from lms.auth.errors import WrongCode
from lms.auth.models import SignInSession
from lms.channels.queries import get_member
from lms.core import db
from lms.core.clock import UTC, now
from lms.core.redis import redis
from tests.client import Browser
from tests.conftest import CHANNEL, machine_of, newest_code
from tests.factories import people
from tests.machine import Machine

RFC_KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def current(key: str, drift: int = 0) -> str:
    """What the app shows now, or some steps off."""
    return operations.app_code(key, int(now().timestamp()) // 30 + drift)


def age(browser: Browser, minutes: int = 11) -> None:
    """Let the last proof of a browser be some minutes old."""
    with db.unit_of_work(CHANNEL) as session:
        mine = update(SignInSession).where(SignInSession.user_id == browser.person.user_id)
        session.execute(mine.values(proved_at=now() - timedelta(minutes=minutes)))


def with_app(browser: Browser) -> tuple[str, list[str]]:
    """Set an app up by hand; its key and the recovery codes shown."""
    browser.post("/auth/second-factor/begin", status=303)
    key = browser.get("/auth/second-factor", status=200).all("//input[@id='app-key']")[0].get("value")
    browser.post("/auth/second-factor/confirm", {"code": current(key, -1)}, status=303)
    shown = browser.get("/auth/second-factor", status=200)
    return key, shown.text("//pre").split()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_app_code__is_what_rfc_6238_says(seconds: int, code: str) -> None:
    assert operations.app_code(RFC_KEY, seconds // 30, digits=8) == code


def test_step_of__takes_the_neighbouring_steps_and_no_more() -> None:
    at = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
    step = int(at.timestamp()) // 30
    assert [operations.step_of(RFC_KEY, operations.app_code(RFC_KEY, step + drift), at=at) for drift in (-2, -1, 0, 1, 2)] == [
        None, step - 1, step, step + 1, None,
    ]  # fmt: skip


def test_new_app_key__is_160_random_bits() -> None:
    assert len({operations.new_app_key() for _ in range(20)}) == 20 and len(operations.new_app_key()) == 32


def test_turn_app_on__refuses_a_wrong_code_and_keeps_the_key_sealed(work: object) -> None:
    sam = people.sam()
    user = queries.get_user(sam.user_id)
    key = operations.new_app_key()
    with pytest.raises(WrongCode):
        operations.turn_app_on(user, key, "000000" if current(key) != "000000" else "000001", by=sam)
    codes = operations.turn_app_on(user, key, current(key), by=sam)
    db.session().flush()
    row = db.session().execute(text("SELECT u::text FROM auth.users u WHERE id = :id"), {"id": sam.user_id}).scalar_one()
    assert key not in row and key.encode().hex() not in row and not any(code in row for code in codes)


def test_use_app_code__takes_each_code_once_and_counts_tries(work: object) -> None:
    sam = people.sam()
    user = queries.get_user(sam.user_id)
    key = operations.new_app_key()
    codes = operations.turn_app_on(user, key, current(key, -1), by=sam)
    operations.use_app_code(user, current(key))
    for again in (current(key), current(key, -1), codes[0] + "x"):
        with pytest.raises(WrongCode):
            operations.use_app_code(user, again)
    operations.use_app_code(user, codes[0].upper())
    with pytest.raises(WrongCode):
        operations.use_app_code(user, codes[0])
    renewed = operations.renew_recovery_codes(user, by=sam)
    with pytest.raises(WrongCode):
        operations.use_app_code(user, codes[1])
    operations.use_app_code(user, renewed[1])


def test_turn_app_off__goes_back_to_mail_and_twice_changes_nothing(work: object) -> None:
    sam = people.sam()
    user = queries.get_user(sam.user_id)
    key = operations.new_app_key()
    operations.turn_app_on(user, key, current(key), by=sam)
    for _ in range(2):
        operations.turn_app_off(user, by=sam)
        assert not user.has_app and user.recovery_digests == []


def test_second_factor__is_set_up_and_shows_recovery_codes_until_they_are_kept(as_root: Browser) -> None:
    assert "It is off" in as_root.get("/auth/second-factor", status=200).words
    key, codes = with_app(as_root)
    assert len(codes) == 10 and len(key) == 32
    as_root.post("/auth/second-factor/kept", status=303)
    assert codes[0] not in as_root.get("/auth/second-factor", status=200).words


def test_second_factor_begin__asks_for_a_fresh_proof(as_root: Browser) -> None:
    age(as_root)
    assert "/auth/prove" in as_root.post("/auth/second-factor/begin", status=303).location


def test_second_factor_confirm__refuses_a_wrong_code_and_keeps_the_key(as_root: Browser) -> None:
    as_root.post("/auth/second-factor/confirm", {"code": "123456"}, status=303)
    as_root.post("/auth/second-factor/begin", status=303)
    page = as_root.post("/auth/second-factor/confirm", {"code": "12345"}, status=422)
    assert "newest code" in page.words and page.all("//input[@id='app-key']")


def test_second_factor_kept__changes_nothing_else(as_sam: Browser) -> None:
    as_sam.post("/auth/second-factor/kept", status=303)
    assert "It is off" in as_sam.get("/auth/second-factor", status=200).words


def test_second_factor_renew__shows_ten_others(as_sam: Browser) -> None:
    _key, codes = with_app(as_sam)
    as_sam.post("/auth/second-factor/renew", status=303)
    assert not set(codes) & set(as_sam.get("/auth/second-factor", status=200).text("//pre").split())


def test_second_factor_off__needs_a_fresh_proof_by_the_app_itself(as_sam: Browser) -> None:
    _key, codes = with_app(as_sam)
    age(as_sam)
    assert "/auth/prove" in as_sam.post("/auth/second-factor/off", status=303).location
    as_sam.post("/auth/prove", {"password": people.PASSWORD}, status=422)
    as_sam.post("/auth/prove", {"code": codes[0]}, status=303)
    as_sam.post("/auth/second-factor/off", status=303)
    assert "It is off" in as_sam.get("/auth/second-factor", status=200).words


def test_app__is_the_last_step_whatever_the_first_was(app: Flask, as_root: Browser) -> None:
    key, codes = with_app(as_root)
    redis().flushdb()
    browser = Browser(app)
    assert browser.get("/auth/app").location == "/auth/sign-in"
    assert browser.sign_in("root@example.org", people.PASSWORD).location == "/auth/app"
    browser.get("/auth/app", status=200)
    browser.post("/auth/app", {"code": "no"}, status=422)
    assert browser.get("/admin/", check=False).status == 303
    assert browser.post("/auth/app", {"code": current(key)}, status=303).location == "/admin/"
    by_mail = Browser(app)
    by_mail.post("/auth/sign-in", {"email": "root@example.org", "with_code": "1"}, status=303)
    assert by_mail.post("/auth/code", {"code": newest_code("root@example.org")}, status=303).location == "/auth/app"
    assert by_mail.get("/admin/", check=False).status == 303
    assert by_mail.post("/auth/app", {"code": codes[3]}, status=303).location == "/admin/"
    forgot = Browser(app)
    forgot.post("/auth/forgot", {"email": "root@example.org"}, status=303)
    assert forgot.post("/auth/code", {"code": newest_code("root@example.org")}, status=303).location == "/auth/app"
    forgot.get("/auth/password", check=False, status=303)
    assert forgot.post("/auth/app", {"code": codes[4]}, status=303).location == "/auth/password"
    forgot.get("/auth/password", status=200)


def test_token_create__of_somebody_with_an_app_takes_its_code(app: Flask, as_sam: Browser, machine: Machine) -> None:
    _key, codes = with_app(as_sam)
    who = {"email": "sam@example.org", "password": people.PASSWORD}
    assert machine.post("/auth/token", who, status=401)["rule"] == "otp"
    machine.post("/auth/token", {**who, "otp": "000-000"}, status=422)
    assert machine.post("/auth/token", {**who, "otp": codes[0]})["access_token"]


# --- T035 -----------------------------------------------------------------------------------------------------------------------


def test_prove__is_asked_before_weighty_acts_ten_minutes_after_the_last_proof(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
    person = f"/admin/channels/people/{sam.user_id}"
    age(as_root)
    asked = as_root.post(f"{person}/role", {"role": "admin"}, headers={"Referer": f"http://localhost{person}"}, status=303)
    assert asked.location == f"/auth/prove?next={person}"
    assert as_root.get("/admin/channels/people/new", check=False).location == "/auth/prove?next=/admin/channels/people/new"
    with db.unit_of_work(CHANNEL):
        assert get_member(sam.user_id).role == "student"
    before = as_root.raw.get_cookie("lectern")
    as_root.get(asked.location, status=200)
    as_root.post(asked.location, {"password": "wrong wrong wrong"}, status=422)
    assert as_root.post(asked.location, {"password": people.PASSWORD}, status=303).location == person
    after = as_root.raw.get_cookie("lectern")
    assert before and after and before.value != after.value, "the session goes on under a new token"
    as_root.post(f"{person}/role", {"role": "instructor"}, status=303)
    with db.unit_of_work(CHANNEL) as session:
        assert get_member(sam.user_id).role == "instructor"
        deeds = session.execute(text("SELECT action FROM core.audit WHERE action IN ('auth.prove', 'channels.change_role')")).scalars()
        assert set(deeds) == {"auth.prove", "channels.change_role"}


def test_prove__of_somebody_without_a_password_says_how(app: Flask, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL, user_id=as_sam.person.user_id):
        queries.get_user(as_sam.person.user_id).password_hash = None
    assert "no password yet" in as_sam.get("/auth/prove", status=200).words
    as_sam.post("/auth/prove", {"password": ""}, status=422)


def test_change_role__to_staff_ends_what_was_signed_in_without_a_second_factor(as_sam: Browser, as_root: Browser) -> None:
    as_root.post(f"/admin/channels/people/{as_sam.person.user_id}/role", {"role": "instructor"}, status=303)
    assert as_sam.get("/auth/sessions", check=False).status == 303
    with db.unit_of_work(CHANNEL) as session:
        rows = session.scalars(select(SignInSession).where(SignInSession.user_id == as_sam.person.user_id)).all()
        assert all(row.ended_at for row in rows)


def test_people_sign_out__ends_every_session_of_a_person(app: Flask, as_sam: Browser, as_root: Browser, as_ada: Browser) -> None:
    machine = machine_of(app, people.sam)
    as_ada.post(f"/admin/channels/people/{as_sam.person.user_id}/sign-out", check=False, status=403)
    assert as_sam.get("/auth/sessions", status=200)
    as_root.post(f"/admin/channels/people/{as_sam.person.user_id}/sign-out", status=303)
    assert as_sam.get("/auth/sessions", check=False).status == 303
    machine.get("/channels/me", status=401)


def test_people_app_off__helps_somebody_who_lost_the_telephone(app: Flask, as_ada: Browser, as_root: Browser) -> None:
    with_app(as_ada)
    person = f"/admin/channels/people/{as_ada.person.user_id}"
    assert "Turn off the authenticator app" in as_root.get(f"{person}/sign-ins", status=200).words
    as_root.post(f"{person}/app-off", status=303)
    assert as_ada.get("/auth/sessions", check=False).status == 303
    redis().flushdb()
    assert Browser(app).sign_in("ada@example.org", people.PASSWORD).location == "/auth/code"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36", "Chrome · Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/19 Safari/604",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge · Windows"),
        ("curl/8.5", "curl/8.5"),
        ("", ""),
    ],
)
def test_device_name__is_two_words_a_person_knows(said: str, shown: str) -> None:
    assert SignInSession(device=said).device_name == shown
