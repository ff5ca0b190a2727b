"""Passkeys against an authenticator of our own, made of cryptography's keys: what signs in, and what does not."""

import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from lms.auth import operations, queries
from lms.auth.errors import WrongPasskey
from lms.auth.models import User
from lms.auth.operations import Ceremony
from lms.channels import operations as channels
from lms.channels.queries import get_member, this_channel
from lms.core import db
from lms.core.errors import Conflict, Invalid, NotFound
from tests.auth.test_proofs import age
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code
from tests.factories import people
from tests.machine import Machine

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(slots=True)
class Authenticator:
    """One device: its key, its credential, how often it signed, and whether its owner unlocks it."""

    origin: str = "http://localhost"
    flags: int = PRESENT | VERIFIED
    uses: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: os.urandom(32))

    def _data(self, host: str, flags: int, more: bytes = b"") -> bytes:
        return sha256(host.encode()).digest() + struct.pack(">BI", flags, self.uses) + more

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def make(self, options: str) -> str:
        """What a browser answers to the options of a new passkey."""
        asked = json.loads(options)
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.credential)) + self.credential + public
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED, attested)
        response = {
            "clientDataJSON": text(self._client("webauthn.create", asked["challenge"])),
            "attestationObject": text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal", "telepathy"],
        }
        return self._said(response)

    def show(self, options: str) -> str:
        """What a browser answers when the passkey is shown."""
        asked = json.loads(options)
        client, data = self._client("webauthn.get", asked["challenge"]), self._data(asked["rpId"], self.flags)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._said({"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature)})

    def _said(self, response: dict[str, Any]) -> str:
        return json.dumps({"id": text(self.credential), "rawId": text(self.credential), "type": "public-key", "response": response})


def ceremony(host: str = "localhost") -> Ceremony:
    return Ceremony(os.urandom(32), host, f"http://{host}")


def registered(user: User, device: Authenticator, name: str = "Telephone") -> Any:
    now_asked = ceremony()
    answer = device.make(operations.passkey_to_make(user, now_asked, academy="Academy"))
    return operations.add_passkey(user, answer, now_asked, name=name, by=people.sam())


def options_of(browser: Browser, path: str) -> str:
    """What a page hands its browser."""
    return str(browser.get(path, status=200).all("//form[@id='passkey']")[0].get("data-options"))


def with_passkey(browser: Browser) -> Authenticator:
    device = Authenticator()
    answer = device.make(options_of(browser, "/auth/passkeys/new"))
    browser.post("/auth/passkeys/new", {"answer": answer, "name": "Telephone"}, status=303)
    return device


def test_add_passkey__keeps_the_public_half_under_a_name(work: object) -> None:
    sam = queries.get_user(people.sam().user_id)
    device = Authenticator()
    row = registered(sam, device, "  My   telephone ")
    assert (row.name, row.host, row.transports, row.used_at) == ("My telephone", "localhost", ["internal"], None)
    asked = json.loads(operations.passkey_to_make(sam, ceremony(), academy="Academy"))
    assert [one["id"] for one in asked["excludeCredentials"]] == [text(device.credential)]
    assert asked["authenticatorSelection"] == asked["authenticatorSelection"] | {"residentKey": "required", "userVerification": "required"}
    with pytest.raises(Conflict):
        registered(sam, device)


def test_add_passkey__refuses_what_was_not_asked_for(work: object) -> None:
    sam, by = queries.get_user(people.sam().user_id), people.sam()
    asked = ceremony()
    options = operations.passkey_to_make(sam, asked, academy="Academy")
    wrong = {
        "another site": Authenticator(origin="https://evil.example").make(options),
        "a locked device": Authenticator(flags=PRESENT).make(options),
        "an older challenge": Authenticator().make(operations.passkey_to_make(sam, ceremony(), academy="Academy")),
        "another host": Authenticator().make(operations.passkey_to_make(sam, ceremony("evil.example"), academy="Academy")),
        "no JSON": "{",
        "a list": "[]",
        "nothing in it": '{"response": {}}',
    }
    for what, answer in wrong.items():
        with pytest.raises(WrongPasskey):
            operations.add_passkey(sam, answer, asked, name="Telephone", by=by)
            pytest.fail(what)
    for name in ("", " ", "x" * 61):
        with pytest.raises(Invalid):
            operations.add_passkey(sam, Authenticator().make(options), asked, name=name, by=by)
    assert queries.passkeys_of(sam.id) == []


def test_use_passkey__lets_its_own_person_in_and_nobody_with_a_copy(work: object) -> None:
    sam = queries.get_user(people.sam().user_id)
    device = Authenticator(uses=5)
    row = registered(sam, device)
    asked = ceremony()
    options = operations.passkey_to_show(asked)
    device.uses = 6
    assert operations.use_passkey(device.show(options), asked).id == sam.id
    db.session().refresh(row)
    assert row.used_at is not None and row.uses == 6
    refused = {
        "a copy that counts behind": replace(device, uses=6),
        "another key": replace(device, uses=7, key=ec.generate_private_key(ec.SECP256R1())),
        "another site": replace(device, uses=7, origin="https://evil.example"),
        "a locked device": replace(device, uses=7, flags=PRESENT),
        "an unknown passkey": Authenticator(),
    }
    for what, other in refused.items():
        with pytest.raises(WrongPasskey):
            operations.use_passkey(other.show(options), asked)
            pytest.fail(what)
    with pytest.raises(WrongPasskey):
        operations.use_passkey(replace(device, uses=7).show(operations.passkey_to_show(ceremony())), asked)


def test_use_passkey__of_somebody_suspended_is_refused(work: object) -> None:
    sam = queries.get_user(people.sam().user_id)
    device = Authenticator()
    registered(sam, device)
    sam.status = "suspended"
    db.session().flush()
    asked = ceremony()
    with pytest.raises(WrongPasskey):
        operations.use_passkey(device.show(operations.passkey_to_show(asked)), asked)


def test_prove_by_passkey__takes_ones_own_alone(work: object) -> None:
    sam, device = queries.get_user(people.sam().user_id), Authenticator()
    registered(sam, device)
    asked = ceremony()
    answer = device.show(operations.passkey_to_show(asked, sam))
    operations.prove_by_passkey(sam, answer, asked)
    eve = queries.get_user(people.ada().user_id)
    with pytest.raises(WrongPasskey):
        operations.prove_by_passkey(eve, answer, asked)


def test_remove_passkey__ends_its_use(work: object) -> None:
    sam, device = queries.get_user(people.sam().user_id), Authenticator()
    operations.remove_passkey(registered(sam, device), sam, by=people.sam())
    asked = ceremony()
    with pytest.raises(WrongPasskey):
        operations.use_passkey(device.show(operations.passkey_to_show(asked)), asked)


def test_forget_passkeys__takes_all_of_a_person_and_twice_changes_nothing(work: object) -> None:
    sam = people.sam()
    user = queries.get_user(sam.user_id)
    registered(user, Authenticator(), "One")
    registered(user, Authenticator(), "Two")
    channels.forget_passkeys(get_member(sam.user_id), by=people.root())
    assert queries.passkeys_of(user.id) == [] and operations.forget_passkeys(user, by=sam) == 0


def test_passkeys__are_made_used_to_sign_in_and_removed(as_root: Browser, client: Browser) -> None:
    assert "No passkey yet" in as_root.get("/auth/passkeys", status=200).words
    device = with_passkey(as_root)
    assert "Telephone" in as_root.get("/auth/passkeys", status=200).words
    wanted = options_of(client, "/auth/sign-in?next=/admin/courses/")
    answer = client.post("/auth/passkey?next=/admin/courses/", {"answer": device.show(wanted)}, status=303)
    assert answer.location == "/admin/courses/"
    assert client.get("/admin/", status=200).words
    assert options_of(client, "/auth/passkey") != wanted
    again = client.post("/auth/passkey", {"answer": device.show(wanted)}, status=422)
    assert "The passkey was not accepted" in again.words
    with db.unit_of_work(CHANNEL):
        db.become(as_root.person.user_id)
        row = queries.passkeys_of(as_root.person.user_id)[0]
        with pytest.raises(NotFound):
            queries.get_passkey(row.id, people.sam().user_id)
    as_root.post(f"/auth/passkeys/{row.id}/remove", status=303)
    assert "No passkey yet" in as_root.get("/auth/passkeys", status=200).words


def test_passkey__is_offered_under_a_name_and_not_under_a_number(client: Browser) -> None:
    assert json.loads(options_of(client, "/auth/passkey"))["rpId"] == "localhost"
    assert options_of(client, "/auth/sign-in") == options_of(client, "/auth/sign-in")  # two tabs, one challenge
    assert urlsafe_b64decode(json.loads(options_of(client, "/auth/passkey"))["challenge"] + "==")


def test_passkeys_new__asks_for_a_fresh_proof_which_a_passkey_gives(as_root: Browser) -> None:
    device = with_passkey(as_root)
    age(as_root)
    as_root.get("/auth/passkeys/new", status=303)
    answer = as_root.post("/auth/prove?next=/auth/passkeys/new", {"answer": device.show(options_of(as_root, "/auth/prove"))}, status=303)
    assert answer.location == "/auth/passkeys/new"
    refused = as_root.post(
        "/auth/passkeys/new", {"answer": Authenticator().make(options_of(as_root, "/auth/passkeys/new")), "name": ""}, status=422
    )
    assert "Give the passkey a name" in refused.words


def test_people_passkeys_forget__helps_somebody_who_lost_them(as_root: Browser, as_sam: Browser) -> None:
    with_passkey(as_sam)
    page = f"/admin/channels/people/{as_sam.person.user_id}/sign-ins"
    assert "Take away 1 passkey" in as_root.get(page, status=200).words
    as_root.post(f"/admin/channels/people/{as_sam.person.user_id}/passkeys-forget", status=303)
    assert "No passkey is known" in as_root.get(page, status=200).words
    assert as_sam.get("/auth/passkeys").status == 303


def be_strict(browser: Browser) -> None:
    """Want an app or a passkey of staff."""
    kept = {"name": "Ada Academy", "tagline": "", "currency": "EUR", "zone": "UTC", "color": "#4f39f6"}
    browser.post("/admin/channels/settings", {**kept, "strong_staff": "y"}, status=303)


def test_demand_strong_staff__is_refused_to_an_admin_who_has_neither_and_twice_changes_nothing(work: object) -> None:
    root, academy = people.root(), this_channel()
    with pytest.raises(Conflict):
        channels.demand_strong_staff(academy, True, by=root)
    user = queries.get_user(root.user_id)
    registered(user, Authenticator())
    assert channels.demand_strong_staff(academy, True, by=root) and not channels.demand_strong_staff(academy, True, by=root)
    assert channels.demand_strong_staff(academy, False, by=root)


def test_hold_until_set_up__keeps_the_back_office_shut_to_staff_without_app_or_passkey(as_root: Browser, client: Browser) -> None:
    device = with_passkey(as_root)
    be_strict(as_root)
    refused = as_root.post(f"/auth/passkeys/{_only(as_root)}/remove", status=409)
    assert "wants an app or a passkey" in refused.words
    with db.unit_of_work(CHANNEL):
        ada = people.ada()
    client.post("/auth/sign-in", {"email": ada.email, "password": people.PASSWORD}, status=303)
    client.post("/auth/code", {"code": newest_code(ada.email)}, status=303)
    assert client.get("/admin/", status=303).location == "/auth/second-factor"
    assert "Set one of them up" in client.get("/auth/second-factor", status=200).words
    client.get("/enrollments/", status=200)
    with_passkey(client)
    client.get("/admin/", status=200)
    client.post("/auth/sign-out", status=303)
    root = as_root.person
    answer = client.post("/auth/sign-in", {"email": root.email, "password": people.PASSWORD}, status=303)
    assert answer.location.startswith("/auth/passkey")
    client.post("/auth/passkey", {"answer": device.show(options_of(client, "/auth/passkey"))}, status=303)
    client.get("/admin/", status=200)


def _only(browser: Browser) -> Any:
    with db.unit_of_work(CHANNEL):
        return queries.passkeys_of(browser.person.user_id)[0].id


def test_token_create__of_staff_where_a_code_by_mail_is_not_enough_needs_the_app(as_root: Browser) -> None:
    with_passkey(as_root)
    be_strict(as_root)
    machine = Machine(as_root.app, "")
    answer = machine.open("POST", "/api/v1/auth/token", {"email": as_root.person.email, "password": people.PASSWORD})
    assert answer.status_code == 403 and answer.get_json()["rule"] == "strong_staff"
