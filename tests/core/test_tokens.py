"""Access tokens: the battery of thirty forgeries, each made with care, each refused."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lms.config import BadSettings, Config
from lms.core import signing, tokens
from lms.core.ids import uuid7

CHANNEL, OTHER = uuid7(), uuid7()
PERSON, SESSION = uuid7(), uuid7()


@pytest.fixture(autouse=True)
def a_secret() -> None:
    signing.use_secret(b"a secret of this test, long enough to be one")


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts(**changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a good token, with changes to the claims; `...` takes a claim away."""
    first, second, _ = tokens.issue(PERSON, CHANNEL, SESSION).split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(text + "==")) for text in (first, second))
    claims |= changes
    return header, {name: value for name, value in claims.items() if value is not ...}


def signed(header: Any, claims: Any) -> str:
    """A token with our own key: only what it says is wrong."""
    head = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    body = claims if isinstance(claims, bytes) else json.dumps(claims, separators=(",", ":")).encode()
    text = f"{encode(head)}.{encode(body)}"
    key = ed25519.Ed25519PrivateKey.from_private_bytes(signing.key("api tokens"))
    return f"{text}.{encode(key.sign(text.encode()))}"


def with_header(**changes: Any) -> str:
    header, claims = parts()
    return signed({**header, **changes}, claims)


def with_claims(**changes: Any) -> str:
    header, claims = parts(**changes)
    return signed(header, claims)


def by_hmac(key: bytes, algorithm: str = "HS256") -> str:
    header, claims = parts()
    text = f"{encode(json.dumps({**header, 'alg': algorithm}).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{text}.{encode(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def by_rsa() -> str:
    header, claims = parts()
    text = f"{encode(json.dumps({**header, 'alg': 'RS256'}).encode())}.{encode(json.dumps(claims).encode())}"
    key = rsa.generate_private_key(65537, 2048)
    return f"{text}.{encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def by_curve() -> str:
    header, claims = parts()
    text = f"{encode(json.dumps({**header, 'alg': 'ES256'}).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{text}.{encode(ec.generate_private_key(ec.SECP256R1()).sign(text.encode(), ec.ECDSA(SHA256())))}"


def by_another_key() -> str:
    first, second, _ = tokens.issue(PERSON, CHANNEL, SESSION).split(".")
    return f"{first}.{second}.{encode(ed25519.Ed25519PrivateKey.generate().sign(f'{first}.{second}'.encode()))}"


def unsigned(algorithm: str) -> str:
    header, claims = parts()
    return f"{encode(json.dumps({**header, 'alg': algorithm}).encode())}.{encode(json.dumps(claims).encode())}."


def public_pem() -> bytes:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(signing.key("api tokens")).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_raw() -> bytes:
    return ed25519.Ed25519PrivateKey.from_private_bytes(signing.key("api tokens")).public_key().public_bytes_raw()


def twice(name: str, value: Any) -> str:
    """A payload that gives a name twice: the good value first, another after it."""
    header, claims = parts()
    body = json.dumps(claims, separators=(",", ":"))[:-1] + f',"{name}":{json.dumps(value)}}}'
    return signed(header, body.encode())


def header_twice() -> str:
    header, claims = parts()
    return signed(json.dumps(header, separators=(",", ":"))[:-1].encode() + b',"alg":"none"}', claims)


def changed_body() -> str:
    first, _, third = tokens.issue(PERSON, CHANNEL, SESSION).split(".")
    return f"{first}.{encode(json.dumps(parts(sub=str(uuid7()))[1]).encode())}.{third}"


NOW = int(time.time())
BATTERY = {
    "none": lambda: unsigned("none"),
    "None in capitals": lambda: unsigned("NoNe"),
    "no signature under the right algorithm": lambda: tokens.issue(PERSON, CHANNEL, SESSION).rpartition(".")[0] + ".",
    "HS256 with the public key as PEM": lambda: by_hmac(public_pem()),
    "HS256 with the raw public key": lambda: by_hmac(public_raw()),
    "HS256 with an empty key": lambda: by_hmac(b""),
    "RS256": by_rsa,
    "ES256": by_curve,
    "another Ed25519 key": by_another_key,
    "kid as a path": lambda: with_header(kid="../../../../dev/null"),
    "kid as SQL": lambda: with_header(kid="x' UNION SELECT 'key' --"),
    "no kid": lambda: signed({"alg": "Ed25519", "typ": "at+jwt"}, parts()[1]),
    "jku": lambda: with_header(jku="https://evil.example/keys.json"),
    "jwk": lambda: with_header(jwk={"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
    "x5u": lambda: with_header(x5u="https://evil.example/cert.pem"),
    "crit": lambda: with_header(crit=["exp"], exp=1),
    "b64 false": lambda: with_header(b64=False, crit=["b64"]),
    "another typ": lambda: with_header(typ="JWT"),
    "no exp": lambda: with_claims(exp=...),
    "exp in ten years": lambda: with_claims(exp=NOW + 10 * 365 * 86400),
    "exp as text": lambda: with_claims(exp=str(NOW + 600)),
    "expired": lambda: with_claims(iat=NOW - 1000, exp=NOW - 100),
    "issued in the future": lambda: with_claims(iat=NOW + 3600, exp=NOW + 3600 + 600),
    "nbf in the future": lambda: with_claims(nbf=NOW + 3600),
    "another audience": lambda: with_claims(aud="other:api"),
    "a list of audiences": lambda: with_claims(aud=["lectern:api", "other"]),
    "another issuer": lambda: with_claims(iss="https://evil.example"),
    "another channel": lambda: tokens.issue(PERSON, OTHER, SESSION),
    "sub twice": lambda: twice("sub", str(uuid7())),
    "channel twice": lambda: twice("channel", str(OTHER)),
    "alg twice": header_twice,
    "no sub": lambda: with_claims(sub=...),
    "sub that is no id": lambda: with_claims(sub="1 OR 1=1"),
    "no jti": lambda: with_claims(jti=...),
    "a claim too many": lambda: with_claims(role="owner"),
    "claims that are a list": lambda: signed(parts()[0], [1, 2]),
    "claims that are no JSON": lambda: signed(parts()[0], b"{"),
    "a body changed after signing": changed_body,
    "a refresh token": lambda: "b3Rr" * 11,
    "four parts": lambda: tokens.issue(PERSON, CHANNEL, SESSION) + ".x",
    "a megabyte": lambda: "a." * 500_000,
    "empty": lambda: "",
    "not ASCII": lambda: "é.é.é",
}


def test_read__takes_a_good_token() -> None:
    claims = tokens.read(tokens.issue(PERSON, CHANNEL, SESSION), CHANNEL)
    assert (claims.user_id, claims.channel_id, claims.session_id) == (PERSON, CHANNEL, SESSION)
    assert UUID(claims.token_id).version == 7
    assert tokens.read(signed(*parts()), CHANNEL) is not None, "the forger of this battery can make good ones"


@pytest.mark.parametrize("name", BATTERY)
def test_read__refuses_the_battery(name: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read(BATTERY[name](), CHANNEL)


def test_read__refuses_the_token_of_another_install() -> None:
    token = tokens.issue(PERSON, CHANNEL, SESSION)
    signing.use_secret(b"another secret of another install, as long")
    with pytest.raises(tokens.BadToken):
        tokens.read(token, CHANNEL)


def test_issue__lasts_fifteen_minutes_at_most() -> None:
    claims = json.loads(base64.urlsafe_b64decode(tokens.issue(PERSON, CHANNEL, SESSION, seconds=10**6).split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 900


def test_config__refuses_to_start_with_a_short_key() -> None:
    with pytest.raises(BadSettings) as refused:
        Config.load({"SECRET_KEY": "short", "DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"})
    assert "SECRET_KEY" in str(refused.value)
