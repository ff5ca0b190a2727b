"""Passkeys (WebAuthn level 3): a key that stays in a device or its owner's keychain, and proves both having it and unlocking it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import literal, or_, update
from sqlalchemy.dialects.postgresql import insert
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lms.auth import queries
from lms.auth.errors import WrongPasskey
from lms.auth.models import Passkey, User
from lms.core import audit, db, limits
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.i18n import gettext as _

MOST = 20
LONGEST_NAME = 60
TRANSPORTS = frozenset(one.value for one in AuthenticatorTransport)


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One conversation with a browser: the random challenge it must sign, the host it happens at, and that host's origin."""

    challenge: bytes
    host: str
    origin: str


def passkey_to_make(user: User, ceremony: Ceremony, *, academy: str) -> str:
    """What a browser needs to make a passkey, as JSON (PublicKeyCredentialCreationOptions); those there are already are left out."""
    known = queries.passkeys_of(user.id)
    options = generate_registration_options(
        rp_id=ceremony.host,
        rp_name=academy,
        user_id=user.id.bytes,
        user_name=user.email,
        user_display_name=user.name,
        challenge=ceremony.challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_described(one) for one in known if one.host == ceremony.host],
    )
    return options_to_json(options)


def passkey_to_show(ceremony: Ceremony, user: User | None = None) -> str:
    """What a browser needs to show a passkey, as JSON (PublicKeyCredentialRequestOptions): any of this host's, or only the person's."""
    theirs = [] if user is None else [_described(one) for one in queries.passkeys_of(user.id) if one.host == ceremony.host]
    options = generate_authentication_options(
        rp_id=ceremony.host,
        challenge=ceremony.challenge,
        allow_credentials=theirs,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add_passkey(user: User, answer: str, ceremony: Ceremony, *, name: str, by: Actor) -> Passkey:
    """Keep the public half of a passkey the browser has just made; raises Invalid for a name that does not fit, else WrongPasskey."""
    named = " ".join(name.split())
    if not 0 < len(named) <= LONGEST_NAME:
        sentence = _("Give the passkey a name of at most %(most)s letters, such as the device it is on.", most=LONGEST_NAME)
        raise Invalid(sentence, fields={"name": sentence})
    known = queries.passkeys_of(user.id)
    if len(known) >= MOST:
        raise Conflict(_("You have %(most)s passkeys. Remove one you do not use first.", most=MOST))
    given = _read(answer)
    db.become(user.id)
    try:
        made = verify_registration_response(
            credential=given,
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.host,
            expected_origin=ceremony.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _unclear() from error
    transports = given.get("response", {}).get("transports")
    values = {
        "user_id": user.id,
        "credential": made.credential_id,
        "public_key": made.credential_public_key,
        "uses": made.sign_count,
        "host": ceremony.host,
        "name": named,
        "is_synced": made.credential_backed_up,
        "transports": sorted(TRANSPORTS & set(transports)) if isinstance(transports, list) else [],
    }
    row: Passkey | None = db.session().scalar(insert(Passkey).values(values).on_conflict_do_nothing().returning(Passkey))
    if row is None:
        raise Conflict(_("This passkey is here already."))
    audit.record("auth.passkey_added", user, by=by, name=named)
    return row


def use_passkey(answer: str, ceremony: Ceremony) -> User:
    """The active account whose passkey signed the challenge; the running unit of work acts for that person. Raises WrongPasskey."""
    given = _read(answer)
    try:
        credential = base64url_to_bytes(str(given.get("rawId") or given.get("id") or ""))
    except ValueError as error:
        raise _unclear() from error
    row = queries.passkey_of(credential)
    if row is None or row.host != ceremony.host:
        raise WrongPasskey(_("This passkey is not known here any more. Sign in another way, then make a new one under your profile."))
    limits.hit("passkey", str(row.user_id), most=20, seconds=600, fail_closed=True)
    try:
        shown = verify_authentication_response(
            credential=given,
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.host,
            expected_origin=ceremony.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.uses,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _unclear() from error
    _count(row.id, shown.new_sign_count)
    user = queries.get_user(row.user_id)
    if user.status != "active":
        raise WrongPasskey(_("This account cannot sign in at the moment. Ask an admin."))
    return user


def prove_by_passkey(user: User, answer: str, ceremony: Ceremony) -> None:
    """Prove anew who sits here by one of the person's own passkeys; raises WrongPasskey."""
    if use_passkey(answer, ceremony).id != user.id:
        raise WrongPasskey(_("That passkey belongs to somebody else. Use one of yours."))


def remove_passkey(passkey: Passkey, user: User, *, by: Actor) -> None:
    """Forget a passkey: nobody signs in with it any more."""
    db.become(user.id)
    db.session().delete(passkey)
    audit.record("auth.passkey_removed", user, by=by, name=passkey.name)


def forget_passkeys(user: User, *, by: Actor) -> int:
    """Forget every passkey of a person who has lost them; the number forgotten."""
    known = queries.passkeys_of(user.id)
    for one in known:
        remove_passkey(one, user, by=by)
    return len(known)


def _count(passkey_id: UUID, uses: int) -> None:
    """Note a use. An authenticator that counts never goes back, also when two sign-ins race: then one of them is a copy."""
    ahead = update(Passkey).where(Passkey.id == passkey_id, or_(Passkey.uses < uses, literal(uses) == 0))
    if db.session().execute(ahead.values(uses=uses, used_at=now()).returning(Passkey.id)).one_or_none() is None:
        raise _unclear()


def _described(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(id=passkey.credential, transports=[AuthenticatorTransport(one) for one in passkey.transports])


def _read(answer: str) -> dict[str, Any]:
    try:
        given: Any = json.loads(answer)
    except ValueError as error:
        raise _unclear() from error
    if not isinstance(given, dict) or not isinstance(given.get("response"), dict):
        raise _unclear()
    return dict(given)


def _unclear() -> WrongPasskey:
    return WrongPasskey(_("The passkey was not accepted. Try once more, or sign in another way."))
