"""Tokens: who gets one, what it opens, what refuses it, and how the next one is had."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import text

from lms.channels import operations as channel_operations
from lms.channels import queries as channel_queries
from lms.channels.operations import machines
from lms.core import db, limits, mail
from lms.core.decisions import Actor
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, newest_code
from tests.factories import people
from tests.machine import Machine, token_of

SAM = {"email": "sam@example.org", "password": people.PASSWORD}


def make(person: Any) -> Actor:
    with db.unit_of_work(CHANNEL):
        return person()  # type: ignore[no-any-return]


def test_token_create__gives_a_student_a_pair_for_the_password(machine: Machine) -> None:
    make(people.sam)
    pair = machine.post("/auth/token", SAM)
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 900)
    machine.token = pair["access_token"]
    me = machine.get("/channels/me")
    assert (me["email"], me["role"], me["channel"]["slug"]) == ("sam@example.org", "student", "academy")


def test_token_create__asks_staff_for_the_code_as_second_step(machine: Machine) -> None:
    make(people.root)
    sent = machine.post("/auth/token", {"email": "root@example.org", "password": people.PASSWORD}, status=202)
    code = newest_code("root@example.org")
    machine.post("/auth/token", {"email": "root@example.org", "code": code, "flow": "x" * 43}, status=422)
    pair = machine.post("/auth/token", {"email": "root@example.org", "code": code, "flow": sent["flow"]})
    machine.post("/auth/token", {"email": "root@example.org", "code": code, "flow": sent["flow"]}, status=422)
    machine.token = pair["access_token"]
    assert machine.get("/channels/me")["role"] == "admin"


def test_token_create__says_the_same_for_a_wrong_password_and_an_unknown_address(machine: Machine) -> None:
    make(people.sam)
    known = machine.post("/auth/token", {**SAM, "password": "wrong wrong"}, status=422)
    unknown = machine.post("/auth/token", {"email": "who@example.org", "password": "wrong wrong"}, status=422)
    assert {**known, "request_id": ""} == {**unknown, "request_id": ""}
    for body in ({"email": "sam@example.org"}, {**SAM, "code": "123456"}, {**SAM, "code": "123456", "flow": "f" * 30}):
        assert "body" in machine.post("/auth/token", body, status=422)["fields"]


def test_token_create__refuses_the_suspended_and_slows_guessing(machine: Machine) -> None:
    sam = make(people.sam)
    with db.unit_of_work(CHANNEL):
        channel_operations.suspend(channel_queries.get_member(sam.user_id), by=people.root())  # type: ignore[arg-type]
    assert machine.post("/auth/token", SAM, status=403)["rule"] == "suspended"
    for _ in range(19):
        machine.post("/auth/token", {**SAM, "password": "wrong wrong"}, status=422)
    assert machine.open("POST", "/auth/token", SAM).headers["Retry-After"]
    machine.post("/auth/token", SAM, status=429)


def test_code_create__answers_the_same_whether_there_is_an_account_or_not(machine: Machine) -> None:
    make(people.sam)
    known = machine.post("/auth/code", {"email": "sam@example.org"}, status=202)
    unknown = machine.post("/auth/code", {"email": "who@example.org"}, status=202)
    assert set(known) == set(unknown) and known["expires_in"] == unknown["expires_in"]
    machine.post("/auth/token", {"email": "sam@example.org", "code": newest_code("sam@example.org"), "flow": known["flow"]})


def test_register__and_confirm_make_an_account(machine: Machine) -> None:
    new = {"name": "Nia Newcomer", "email": "nia@example.org", "password": people.PASSWORD}
    assert "password" in machine.post("/auth/register", {**new, "password": "short"}, status=422)["fields"]
    flow = machine.post("/auth/register", new, status=202)["flow"]
    code = newest_code("nia@example.org")
    machine.post("/auth/register/confirm", {**new, "code": f"{(int(code) + 1) % 10**6:06d}", "flow": flow}, status=422)
    machine.token = machine.post("/auth/register/confirm", {**new, "code": code, "flow": flow}, status=201)["access_token"]
    assert machine.get("/channels/me")["name"] == "Nia Newcomer"


def test_register__of_a_known_address_sends_another_mail_and_says_nothing(machine: Machine) -> None:
    make(people.sam)
    machine.post("/auth/register", {"name": "Sam", **SAM}, status=202)
    with db.unit_of_work(CHANNEL):
        assert "already" in mail.newest(1, "sam@example.org")[0].subject


def test_refresh__rotates_and_a_replay_ends_the_family(machine: Machine) -> None:
    make(people.sam)
    first = machine.post("/auth/token", SAM)
    second = machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    third = machine.post("/auth/refresh", {"refresh_token": second["refresh_token"]})
    machine.token = third["access_token"]
    machine.get("/channels/me")
    machine.token = ""
    assert machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]}, status=401)["type"] == "/problems/bad_refresh"
    machine.post("/auth/refresh", {"refresh_token": third["refresh_token"]}, status=401)
    machine.token = third["access_token"]
    machine.get("/channels/me", status=401)


def test_refresh__twice_at_once_is_late_and_not_stolen(machine: Machine) -> None:
    make(people.sam)
    first = machine.post("/auth/token", SAM)
    second = machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]}, status=409)["rule"] == "refresh_race"
    with db.unit_of_work(CHANNEL) as session:
        session.execute(text("UPDATE auth.refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL"))
    machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]}, status=401)
    machine.post("/auth/refresh", {"refresh_token": second["refresh_token"]}, status=401)


def test_refresh__ends_after_seven_days_and_the_family_after_thirty(machine: Machine) -> None:
    make(people.sam)
    first = machine.post("/auth/token", SAM)
    with db.unit_of_work(CHANNEL) as session:
        life = session.execute(text("SELECT max(expires_at - created_at) FROM auth.refresh_tokens")).scalar_one()
        assert timedelta(days=6, hours=23) < life <= timedelta(days=7, seconds=5)
        session.execute(text("UPDATE auth.refresh_tokens SET created_at = created_at - interval '29 days'"))
    machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    with db.unit_of_work(CHANNEL) as session:
        left = session.execute(text("SELECT max(expires_at) - now() FROM auth.refresh_tokens WHERE used_at IS NULL")).scalar_one()
        assert left < timedelta(days=1, minutes=1)
        session.execute(text("UPDATE auth.refresh_tokens SET expires_at = now() - interval '1 second'"))
    machine.post("/auth/refresh", {"refresh_token": first["refresh_token"]}, status=401)


def test_refresh__twenty_at_once_give_one_pair(app: Flask, real_database: str) -> None:
    channel_queries.forget_faces()
    old = token_of(make(people.sam), CHANNEL).refresh_token
    start = threading.Barrier(20)

    def once(_number: int) -> Any:
        start.wait()
        return Machine(app).open("POST", "/auth/refresh", {"refresh_token": old})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(once, range(20)))
    good = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert len(good) == 1, [answer.status_code for answer in answers]
    assert {answer.status_code for answer in answers} == {200, 409}
    machine = Machine(app, good[0]["access_token"])
    machine.get("/channels/me")
    Machine(app).post("/auth/refresh", {"refresh_token": good[0]["refresh_token"]})
    Machine(app).post("/auth/refresh", {"refresh_token": old}, status=401)
    machine.get("/channels/me", status=401)


def test_revoke__ends_the_access_tokens_too(machine: Machine) -> None:
    make(people.sam)
    pair = machine.post("/auth/token", SAM)
    machine.post("/auth/revoke", {"refresh_token": pair["refresh_token"]}, status=204)
    machine.post("/auth/revoke", {"refresh_token": "unknown" * 6}, status=204)
    machine.post("/auth/refresh", {"refresh_token": pair["refresh_token"]}, status=401)
    machine.token = pair["access_token"]
    machine.get("/channels/me", status=401)


def test_sessions__are_listed_and_ended_by_their_person(api_sam: Machine, as_sam: Browser, api_ada: Machine) -> None:
    (row,) = api_sam.get("/auth/sessions")["rows"]
    api_ada.delete(f"/auth/sessions/{row['id']}", status=404)
    api_sam.delete(f"/auth/sessions/{row['id']}")
    assert as_sam.get("/auth/sessions", check=False).status == 303


def test_actor_of_token__dies_with_the_persons_right_at_once(api_sam: Machine, api_root: Machine) -> None:
    api_sam.get("/channels/me")
    api_root.post(f"/channels/people/{api_sam.person.user_id}/suspend")
    problem = api_sam.get("/channels/me", status=401)
    assert problem["rule"] == "token"
    api_root.post(f"/channels/people/{api_sam.person.user_id}/restore")
    api_sam.get("/channels/me", status=401)


def test_machine_of__answers_as_often_as_an_account_may_ask_and_refuses_the_rest(
    api_sam: Machine, api_root: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "SHARE", 3)
    statuses = [api_sam.open("GET", "/channels/me").status_code for _turn in range(7)]
    assert statuses == [200] * 3 + [429] * 4
    refused = api_sam.open("GET", "/channels/me")
    assert "more than 3 times a minute" in refused.get_data(as_text=True) and 0 < int(refused.headers["Retry-After"]) <= 60
    api_root.get("/channels/me")
    limits.take_back("api", f"{CHANNEL}:{api_sam.person.user_id}")
    api_sam.get("/channels/me")


def test_actor_of_token__takes_no_cookie_and_says_how(as_root: Browser, machine: Machine) -> None:
    page = as_root.get("/api/v1/channels/me", check=False)
    assert page.status == 401 and page.response.mimetype == "application/problem+json"
    assert page.response.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert as_root.post("/api/v1/channels/people", {"name": "x"}, check=False).status == 401
    assert "Set-Cookie" not in page.response.headers
    for header in ("Basic cm9vdDpyb290", "Bearer", "Bearer x", "bearer a.b.c", "Token x"):
        answer = machine.open("GET", "/channels/me", headers={"Authorization": header})
        assert answer.status_code == 401 and "invalid_token" in answer.headers["WWW-Authenticate"], header


def test_actor_of_token__of_another_channel_is_refused(app: Flask, connection: sa.Connection) -> None:
    with db.unit_of_work(OTHER_CHANNEL):
        beta = people.a_person("Beta Person", "admin", "beta@example.org")
    token = token_of(beta, OTHER_CHANNEL).access_token
    Machine(app, token, host="beta.example").get("/channels/me")
    Machine(app, token).get("/channels/me", status=401)
