"""Second factors and fresh proofs: an authenticator app (RFC 6238), recovery codes, and proving anew who sits at the screen."""

import base64
import hashlib
import hmac
import os
import secrets
import struct
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import or_, update

from lms.auth.errors import WrongCode
from lms.auth.models import SignInSession, User
from lms.auth.operations.accounts import password_fits
from lms.core import audit, db, limits, signing
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _

STEP_SECONDS = 30
DIGITS = 6
DRIFT = (0, -1, 1)  # steps a telephone's clock may be off
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_NONCE = 12


def new_app_key() -> str:
    """A key for an authenticator app: 160 random bits in base32."""
    return base64.b32encode(os.urandom(20)).decode()


def app_code(key: str, step: int, digits: int = DIGITS) -> str:
    """What the app shows in one step of 30 seconds since 1970 (RFC 6238 over RFC 4226, SHA-1)."""
    mac = hmac.new(base64.b32decode(key), struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    number = struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(key: str, typed: str, *, at: datetime) -> int | None:
    """The step whose code was typed, when it is this one or the one before or after."""
    digits = "".join(letter for letter in typed if letter.isdigit())
    current = int(at.timestamp()) // STEP_SECONDS
    return next((current + drift for drift in DRIFT if signing.same(app_code(key, current + drift), digits)), None)


def turn_app_on(user: User, key: str, typed: str, *, by: Actor) -> list[str]:
    """Ask for a code of the app at every sign-in from now on; the recovery codes, shown this once."""
    step = step_of(key, typed, at=now())
    if step is None:
        raise _wrong(_("That is not the code the app shows now. Check the clock of the telephone, then type the newest code."))
    user.app_key, user.app_since, user.app_step = _seal(user.id, key), now(), step
    audit.record("auth.app_on", user, by=by)
    return renew_recovery_codes(user, by=by)


def renew_recovery_codes(user: User, *, by: Actor) -> list[str]:
    """Ten new recovery codes; earlier ones stop working."""
    made = ["-".join("".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    user.recovery_digests = [_digest(user.id, one) for one in made]
    audit.record("auth.recovery_codes", user, by=by)
    return made


def turn_app_off(user: User, *, by: Actor) -> None:
    """Sign-ins go back to the code by mail; turning off twice changes nothing."""
    if user.app_since is not None:
        user.app_key, user.app_since, user.app_step, user.recovery_digests = None, None, 0, []
        audit.record("auth.app_off", user, by=by)


def use_app_code(user: User, typed: str) -> None:
    """Take a code of the app, each once, or a recovery code, each once; raises WrongCode, and TooMany past ten tries in ten minutes."""
    limits.hit("app_code", str(user.id), most=10, seconds=600, fail_closed=True)
    if not (_used_step(user, typed) or _used_recovery(user, typed)):
        raise _wrong(_("That code does not work. Type the newest one of the app, or a recovery code you have not used."))


def check_proof(user: User, *, password: str, code: str) -> None:
    """Prove anew who sits here: by the app's code where there is an app, else by the password; raises what is wrong."""
    if user.app_since is not None:
        use_app_code(user, code)
        return
    limits.hit("proof", str(user.id), most=10, seconds=600, fail_closed=True)
    if not password_fits(user, password):
        sentence = _("That is not your password. Try again.")
        raise Invalid(sentence, fields={"password": sentence})


def prove_session(row: SignInSession, digest: bytes, *, by: Actor) -> None:
    """Note that the person of a session has just proved who they are; the session goes on under a new token."""
    row.proved_at, row.digest = now(), digest
    audit.record("auth.prove", row, by=by)


def _used_step(user: User, typed: str) -> bool:
    if user.app_key is None or (step := step_of(_open(user.id, user.app_key), typed, at=now())) is None:
        return False
    newer = update(User).where(User.id == user.id, or_(User.app_step < step, User.app_step.is_(None))).values(app_step=step)
    return db.session().execute(newer.returning(User.id)).one_or_none() is not None


def _used_recovery(user: User, typed: str) -> bool:
    wanted = _digest(user.id, typed.strip().lower())
    db.session().flush()
    db.session().refresh(user, ["recovery_digests"], with_for_update=True)
    if wanted not in user.recovery_digests:
        return False
    user.recovery_digests = [one for one in user.recovery_digests if one != wanted]
    audit.record("auth.recovery_code_used", user, by=Actor(user_id=user.id, name=user.name))
    return True


def _digest(user_id: UUID, code: str) -> str:
    return signing.digest("recovery", f"{user_id}:{code}").hex()


def _seal(user_id: UUID, key: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(signing.key("app_key")).encrypt(nonce, key.encode(), user_id.bytes)


def _open(user_id: UUID, sealed: bytes) -> str:
    return AESGCM(signing.key("app_key")).decrypt(sealed[:_NONCE], sealed[_NONCE:], user_id.bytes).decode()


def _wrong(sentence: str) -> WrongCode:
    return WrongCode(sentence, fields={"code": sentence})
