"""Every SELECT of auth."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from lms.auth.models import Code, Invitation, Passkey, RefreshToken, SignInSession, User
from lms.core import db, signing
from lms.core.clock import now
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _


def email_key(email: str) -> str:
    """The form in which addresses are compared."""
    return email.strip().casefold()


def get_user(user_id: UUID) -> User:
    """An account this channel, or the person, may see."""
    found = db.session().get(User, user_id)
    if found is None:
        raise NotFound(_("There is no such person."))
    return found


def user_id_of(email: str) -> UUID | None:
    """The account of an address, when there is one; says nothing else about it."""
    return db.session().execute(select(func.auth.user_id_of(email_key(email)))).scalar_one_or_none()


def find_user(email: str) -> User | None:
    """The account of an address; the running unit of work acts for that person from here on."""
    user_id = user_id_of(email)
    if user_id is None:
        return None
    db.become(user_id)
    return db.session().get(User, user_id)


def passkeys_of(user_id: UUID) -> Sequence[Passkey]:
    """A person's passkeys, for every host, oldest first."""
    return db.session().scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at, Passkey.id)).all()


def get_passkey(passkey_id: UUID, user_id: UUID) -> Passkey:
    """One of a person's own passkeys."""
    found = db.session().get(Passkey, passkey_id)
    if found is None or found.user_id != user_id:
        raise NotFound(_("There is no such passkey."))
    return found


def passkey_of(credential: bytes) -> Passkey | None:
    """The passkey a browser showed; the running unit of work acts for its person from here on."""
    user_id = db.session().execute(select(func.auth.owner_of_passkey(credential))).scalar_one_or_none()
    if user_id is None:
        return None
    db.become(user_id)
    return db.session().scalar(select(Passkey).where(Passkey.credential == credential))


def live_session(digest: bytes) -> SignInSession | None:
    """The sign-in a session token belongs to, while it stands."""
    return db.session().scalar(
        select(SignInSession).where(SignInSession.digest == digest, SignInSession.ended_at.is_(None), SignInSession.expires_at > now())
    )


def live_sessions(user_id: UUID) -> Sequence[SignInSession]:
    """Where a person is signed in, newest first."""
    return (
        db.session()
        .scalars(
            select(SignInSession)
            .where(SignInSession.user_id == user_id, SignInSession.ended_at.is_(None), SignInSession.expires_at > now())
            .order_by(SignInSession.seen_at.desc())
        )
        .all()
    )


def newest_code(email: str, purpose: str) -> Code | None:
    """The newest code sent to an address for a purpose."""
    return db.session().scalar(
        select(Code)
        .where(Code.email_key == email_key(email), Code.purpose == purpose)
        .order_by(Code.created_at.desc(), Code.id.desc())
        .limit(1)
    )


def get_invitation(token: str) -> Invitation | None:
    """The invitation of a link, used or not; the running unit of work acts for the invited person from here on."""
    found = db.session().scalar(select(Invitation).where(Invitation.digest == signing.digest("invitation", token)))
    if found is not None:
        db.become(found.user_id)
    return found


def refresh_token(token: str) -> RefreshToken | None:
    """The refresh token, locked for use."""
    return db.session().scalar(select(RefreshToken).where(RefreshToken.digest == signing.digest("refresh", token)).with_for_update())


def family_begin(family: UUID) -> datetime:
    """When a family of refresh tokens began."""
    return db.session().execute(select(func.min(RefreshToken.created_at)).where(RefreshToken.family == family)).scalar_one()


def newest_use(family: UUID) -> UUID | None:
    """The token of a family that was used last."""
    return (
        db.session()
        .execute(
            select(RefreshToken.id)
            .where(RefreshToken.family == family, RefreshToken.used_at.is_not(None))
            .order_by(RefreshToken.created_at.desc(), RefreshToken.id.desc())
            .limit(1)
        )
        .scalar_one_or_none()
    )
