"""Access tokens of the API: JWTs signed with Ed25519 (RFC 9068's shape), for one person in one channel, for minutes.

There is one issuer and one key, derived from the install's secret, so a token's header must be ours to the letter; nothing a
header could say (another algorithm, a key's address) is ever acted on.
"""

import base64
import json
import time
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jwt import JWTClaimsRegistry

from lms.core import json_text, signing
from lms.core.errors import Unauthenticated
from lms.core.ids import uuid7

ALGORITHM = "Ed25519"
TYPE = "at+jwt"
ISSUER = "lectern"
AUDIENCE = "lectern:api"
LIFE_SECONDS = 15 * 60
LEEWAY_SECONDS = 5
MOST_LENGTH = 2_000
NAMES = frozenset({"iss", "aud", "sub", "exp", "iat", "jti", "channel", "sid"})


class BadToken(Unauthenticated):
    """The access token is no token of ours for here and now."""

    code = "bad_token"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that was checked says: who, in which channel, by which sign-in."""

    user_id: UUID
    channel_id: UUID
    session_id: UUID
    token_id: str


def issue(user_id: UUID, channel_id: UUID, session_id: UUID, *, seconds: int = LIFE_SECONDS) -> str:
    """A new access token for a person in a channel; `session_id` is the sign-in it lives and dies with."""
    moment = int(time.time())
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(user_id), "exp": moment + min(seconds, LIFE_SECONDS), "iat": moment,
        "jti": str(uuid7()), "channel": str(channel_id), "sid": str(session_id),
    }  # fmt: skip
    key = _key(signing.key("api tokens"))
    return jws.serialize_compact(_header(key), json.dumps(claims, separators=(",", ":")).encode(), key, [ALGORITHM])


def read(token: str, channel_id: UUID) -> Claims:
    """The claims of an access token for this channel; raises BadToken, with the same sentence for every fault but age."""
    seed = signing.key("api tokens")
    key = _key(seed)
    if len(token) > MOST_LENGTH or not token.isascii() or token.count(".") != 2 or token.partition(".")[0] != _first_part(seed):
        raise _refusal()
    try:
        payload = jws.deserialize_compact(token, key, [ALGORITHM]).payload
        claims = json_text.read(payload)
        if not isinstance(claims, dict) or set(claims) != NAMES:
            raise _refusal()
        return _checked(claims, channel_id)
    except (JoseError, json_text.Unreadable, ValueError) as error:
        raise _refusal() from error


def _checked(claims: dict[str, object], channel_id: UUID) -> Claims:
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) is not int or type(expires) is not int or expires - issued > LIFE_SECONDS:
        raise _refusal()
    if expires <= time.time() - LEEWAY_SECONDS:
        raise BadToken("The access token has expired. Get a new one with the refresh token.", rule="token")
    registry = JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        channel={"essential": True, "value": str(channel_id)},
    )
    registry.validate(claims)
    for name in ("sub", "sid", "jti", "aud"):
        if type(claims[name]) is not str:
            raise _refusal()
    return Claims(UUID(str(claims["sub"])), channel_id, UUID(str(claims["sid"])), str(claims["jti"]))


def _refusal() -> BadToken:
    return BadToken("The access token is not valid here. Get a new one at /api/v1/auth/token.", rule="token")


@cache
def _key(seed: bytes) -> OKPKey:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _encode(public), "d": _encode(seed)})


def _header(key: OKPKey) -> dict[str, str]:
    return {"alg": ALGORITHM, "typ": TYPE, "kid": key.thumbprint()}


@cache
def _first_part(seed: bytes) -> str:
    key = _key(seed)
    return jws.serialize_compact(_header(key), b"", key, [ALGORITHM]).partition(".")[0]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
