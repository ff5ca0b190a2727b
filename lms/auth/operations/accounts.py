"""Accounts, codes by mail, sessions, invitations, tokens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, func, select, true, update

from lms.auth import queries
from lms.auth.errors import BadInvitation, BadRefresh, RefreshRace, WrongCode, WrongSignIn
from lms.auth.events import EmailVerified, UserRegistered
from lms.auth.models import Code, Invitation, RefreshToken, SignInSession, User
from lms.core import audit, db, limits, mail, signing, tokens
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid, Refusal, TooMany
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import token, uuid7
from lms.core.rights import rights_changed
from lms.core.tenancy import ChannelFace, current_channel

CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
CODES_AN_HOUR = 5
INVITATION_LIFE = timedelta(days=14)
SESSION_LIFE = timedelta(days=30)
STAFF_SESSION_LIFE = timedelta(hours=24)
REFRESH_LIFE = timedelta(days=7)
FAMILY_LIFE = timedelta(days=30)
REFRESH_RACE = timedelta(seconds=10)
MIN_PASSWORD = 10
COMMON = frozenset(
    [
        "password12",
        "1234567890",
        "qwertyuiop",
        "password123",
        "password1234",
        "12345678910",
        "123456789a",
        "iloveyou123",
        "welcome1234",
        "letmein1234",
        "administrator",
        "passw0rd123",
        "qwerty12345",
        "q1w2e3r4t5",
        "1q2w3e4r5t",
        "abcdefghij",
        "0987654321",
        "aaaaaaaaaa",
        "1111111111",
        "football123",
    ]
)
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing = BoundedSemaphore(4)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$3G3QkS0xkyM0y1J0r1LQH3uU6aBqkq0y0b5nVq2a1nE"


def hash_password(password: str) -> str:
    """The Argon2id hash of a password (19 MiB, 2 passes)."""
    with _hashing:
        return _hasher.hash(password)


def check_new_password(password: str, *, name: str = "", email: str = "") -> None:
    """Refuse a password that is short, very common, or the person's own name or address."""
    lowered = password.casefold()
    if len(password) < MIN_PASSWORD:
        sentence = _("Use at least %(count)s characters; a few words you remember are good.", count=MIN_PASSWORD)
    elif len(password) > 200:
        sentence = _("Use at most 200 characters.")
    elif lowered in COMMON or len(set(lowered)) < 4:
        sentence = _("That password is on every list of guesses. Choose another.")
    elif lowered in (name.casefold(), email.casefold(), email.partition("@")[0].casefold()):
        sentence = _("Do not use your own name or address as the password.")
    else:
        return
    raise Invalid(sentence, fields={"password": sentence})


def password_fits(user: User | None, password: str) -> bool:
    """Whether the password is the account's; takes as long when there is no account."""
    stored = user.password_hash if user and user.password_hash else _NOBODY
    with _hashing:
        try:
            _hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
    return user is not None and user.password_hash is not None


def add_user(name: str, email: str, *, password_hash: str | None = None, locale: str = "en", zone: str = "UTC") -> User:
    """The account of an address: the one there is, else a new one; the running unit of work acts for that person."""
    found = queries.find_user(email)
    if found is not None:
        return found
    user_id = uuid7()
    db.become(user_id)
    made = User(
        id=user_id,
        email=email.strip(),
        email_key=queries.email_key(email),
        name=name.strip(),
        password_hash=password_hash,
        locale=locale,
        zone=zone,
    )
    db.session().add(made)
    db.session().flush()
    return made


def register_user(name: str, email: str, password_hash: str | None, *, locale: str, zone: str) -> User:
    """An account for somebody who has just proved the address; registering twice gives the same account."""
    user = add_user(name, email, password_hash=password_hash, locale=locale, zone=zone)
    if user.email_verified_at is None:
        user.email_verified_at = now()
        if user.password_hash is None:
            user.password_hash = password_hash
        emit(UserRegistered(user_id=user.id, by=user.id))
        emit(EmailVerified(user_id=user.id, by=user.id))
        audit.record("auth.register", user, by=Actor(user_id=user.id, name=user.name))
    return user


def make_code(email: str, purpose: str, flow: str) -> str:
    """A new code of six digits for an address and the browser of `flow`; older ones of that purpose stop working."""
    recent = db.session().scalar(
        select(func.count())
        .select_from(Code)
        .where(Code.email_key == queries.email_key(email), Code.created_at > now() - timedelta(hours=1))
    )
    if (recent or 0) >= CODES_AN_HOUR:
        raise TooMany(_("We sent several codes to this address already. Use the newest one, or wait an hour."), retry_after=3600)
    db.session().execute(
        update(Code)
        .where(Code.email_key == queries.email_key(email), Code.purpose == purpose, Code.used_at.is_(None))
        .values(used_at=now())
    )
    code = f"{secrets.randbelow(10**6):06d}"
    row = Code(
        email_key=queries.email_key(email), purpose=purpose, digest=b"", flow=signing.digest("flow", flow), expires_at=now() + CODE_LIFE
    )
    row.id = uuid7()
    row.digest = signing.digest("code", f"{row.id}:{code}")
    db.session().add(row)
    db.session().flush()
    return code


def count_try(email: str, purpose: str) -> UUID | None:
    """Count one try at the newest live code and return its id; None when there is none left to try. Runs in a unit of work of its own."""
    newest = queries.newest_code(email, purpose)
    if newest is None:
        return None
    return (
        db.session()
        .execute(
            update(Code)
            .where(Code.id == newest.id, Code.used_at.is_(None), Code.tries < CODE_TRIES, Code.expires_at > now())
            .values(tries=Code.tries + 1)
            .returning(Code.id)
        )
        .scalar_one_or_none()
    )


def use_code(code_id: UUID | None, typed: str, flow: str) -> None:
    """Consume a code whose try was counted; raises WrongCode unless it is the right one, from the same browser, for the first time."""
    digits = "".join(letter for letter in typed if letter.isdigit())
    used = None
    if code_id is not None:
        used = (
            db.session()
            .execute(
                update(Code)
                .where(
                    Code.id == code_id,
                    Code.digest == signing.digest("code", f"{code_id}:{digits}"),
                    Code.flow == signing.digest("flow", flow),
                    Code.used_at.is_(None),
                    Code.expires_at > now(),
                )
                .values(used_at=now())
                .returning(Code.id)
            )
            .scalar_one_or_none()
        )
    if used is None:
        sentence = _("That code does not work. Check it, or ask for a new one.")
        raise WrongCode(sentence, fields={"code": sentence})


def check_password(email: str, password: str) -> User:
    """The active account of an address and its password; raises WrongSignIn otherwise, in the same time and words."""
    user = queries.find_user(email)
    if not password_fits(user, password) or user is None or user.status != "active":
        raise WrongSignIn(_("The address and the password do not belong together. Try again, or have a code sent."))
    if user.password_hash and _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    return user


def start_session(user: User, digest: bytes, *, staff: bool, address: str, device: str) -> SignInSession:
    """Sign a browser in; staff sign-ins last a day, others a month."""
    made = SignInSession(
        user_id=user.id,
        digest=digest,
        expires_at=now() + (STAFF_SESSION_LIFE if staff else SESSION_LIFE),
        address=address,
        device=device[:200],
    )
    user.last_sign_in_at = now()
    db.session().add(made)
    db.session().flush()
    audit.record("auth.sign_in", made, by=Actor(user_id=user.id, name=user.name), name=made.device_name)
    return made


def end_session(row: SignInSession, *, by: Actor) -> None:
    """Sign a browser out; ending twice changes nothing."""
    if row.ended_at is None:
        row.ended_at = now()
        audit.record("auth.sign_out", row, by=by)
        rights_changed(row.user_id)


def end_sessions(user_id: UUID, *, by: Actor, keep: UUID | None = None) -> int:
    """Sign a person out everywhere in this channel, but for the session to keep; the number ended."""
    ended = [row for row in queries.live_sessions(user_id) if row.id != keep]
    for row in ended:
        end_session(row, by=by)
    revoke_tokens(RefreshToken.user_id == user_id, RefreshToken.family != keep if keep else true())
    return len(ended)


def set_password(user: User, password: str, *, by: Actor) -> None:
    """Give an account a new password and end its other sessions."""
    check_new_password(password, name=user.name, email=user.email)
    user.password_hash = hash_password(password)
    audit.record("auth.password", user, by=by)
    end_sessions(user.id, by=by, keep=by.session_id)


def invite(user: User, *, by: Actor) -> str:
    """A new invitation for an account; earlier ones stop working. The token of the link is returned once."""
    db.session().execute(update(Invitation).where(Invitation.user_id == user.id, Invitation.used_at.is_(None)).values(used_at=now()))
    made = token()
    db.session().add(Invitation(user_id=user.id, digest=signing.digest("invitation", made), expires_at=now() + INVITATION_LIFE))
    audit.record("auth.invite", user, by=by)
    return made


def accept_invitation(invitation_token: str, password: str) -> User:
    """Take over the invited account with a password; raises BadInvitation when the link is spent."""
    found = queries.get_invitation(invitation_token)
    if found is None or found.used_at is not None or found.expires_at < now():
        raise BadInvitation(_("This invitation was used or has expired. Ask the person who invited you for a new one."))
    user = queries.get_user(found.user_id)
    check_new_password(password, name=user.name, email=user.email)
    found.used_at = now()
    user.password_hash = hash_password(password)
    user.email_verified_at = user.email_verified_at or now()
    audit.record("auth.accept_invitation", user, by=Actor(user_id=user.id, name=user.name))
    return user


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an API sign-in gives: an access token for minutes, and a refresh token for the next pair, used once."""

    access_token: str
    refresh_token: str
    user_id: UUID


@dataclass(frozen=True, slots=True)
class Refreshing:
    """What became of a refresh token: a new pair, or the refusal to raise once the rest is committed."""

    tokens: Tokens | None
    refusal: Refusal | None = None


def start_api_session(user: User, *, device: str) -> Tokens:
    """Sign a machine in as a person: a new family of refresh tokens and its first pair."""
    user.last_sign_in_at = now()
    family = uuid7()
    made = _next_pair(family, user.id, began=now())
    audit.record("auth.api_sign_in", user, by=Actor(user_id=user.id, name=user.name, kind="api"), name=device[:80])
    return made


def refresh(refresh_token: str) -> Refreshing:
    """Trade a refresh token for a new pair; one that was used before ends its whole family.

    Runs in a unit of work of its own, which commits also when refused. Requests that race with the same token get one pair
    among them: for ten seconds after its use, and until its successor is used, a token is late rather than stolen.
    """
    row = queries.refresh_token(refresh_token)
    if row is None or row.revoked_at is not None or row.expires_at <= now():
        return Refreshing(None, BadRefresh(_("This refresh token does not work any more. Sign in again."), rule="token"))
    if row.used_at is not None:
        if now() - row.used_at < REFRESH_RACE and queries.newest_use(row.family) == row.id:
            sentence = _("This refresh token was used a moment ago. Use the pair that answer gave.")
            return Refreshing(None, RefreshRace(sentence, rule="refresh_race"))
        revoke_tokens(RefreshToken.family == row.family)
        audit.record("auth.refresh_replayed", "refresh_tokens", by=Actor(user_id=row.user_id, kind="api"))
        return Refreshing(None, BadRefresh(_("This refresh token was used before, so this access was ended. Sign in again."), rule="token"))
    row.used_at = now()
    return Refreshing(_next_pair(row.family, row.user_id, began=queries.family_begin(row.family)))


def revoke(refresh_token: str) -> None:
    """End an API sign-in: its refresh tokens and, with them, its access tokens; unknown tokens change nothing."""
    row = queries.refresh_token(refresh_token)
    if row is not None and revoke_tokens(RefreshToken.family == row.family):
        audit.record("auth.api_sign_out", "refresh_tokens", by=Actor(user_id=row.user_id, kind="api"))


def revoke_tokens(*which: ColumnElement[bool]) -> int:
    """Revoke the refresh tokens that fit and still stand; the number revoked."""
    standing = update(RefreshToken).where(*which, RefreshToken.revoked_at.is_(None))
    return len(db.session().execute(standing.values(revoked_at=now()).returning(RefreshToken.id)).all())


def forget_tokens() -> None:
    """Delete the refresh tokens thirty days past their time: as long as a family may stand, its first one says since when."""
    db.session().execute(delete(RefreshToken).where(RefreshToken.expires_at < now() - FAMILY_LIFE))


def _next_pair(family: UUID, user_id: UUID, *, began: datetime) -> Tokens:
    made, ends = token(), min(now() + REFRESH_LIFE, began + FAMILY_LIFE)
    db.session().add(RefreshToken(family=family, user_id=user_id, digest=signing.digest("refresh", made), expires_at=ends))
    db.session().flush()
    return Tokens(tokens.issue(user_id, current_channel(), family), made, user_id)


def limit_sign_in(email: str, address: str) -> None:
    """Count a try to sign in, per address of mail and per address of network; raises TooMany."""
    limits.hit("sign_in_address", f"{current_channel()}:{queries.email_key(email)}", most=20, seconds=3600, fail_closed=False)
    limits.hit("sign_in_from", f"{current_channel()}:{address}", most=60, seconds=600)


def send_code(email: str, purpose: str, flow: str, *, channel: ChannelFace, language: str) -> None:
    """Send a code to an address; where account and purpose do not fit, send the mail that says so instead.

    What the asker sees is the same in every case.
    """
    limits.hit("codes", f"{channel.id}:{queries.email_key(email)}", most=CODES_AN_HOUR, seconds=3600)
    known = queries.user_id_of(email)
    context = {"channel": channel, "email": email, "origin": channel.origin}
    if purpose == "register" and known is not None:
        mail.send(email, "auth/mail/already_registered", context, language=language, secret=True)
    elif purpose != "register" and known is None:
        mail.send(email, "auth/mail/no_account", context, language=language, secret=True)
    else:
        made = make_code(email, purpose, flow)
        mail.send(email, "auth/mail/code", {**context, "code": made, "purpose": purpose}, language=language, secret=True)
