"""Refusals of auth."""

from lms.core.errors import Conflict, Invalid, Unauthenticated


class WrongSignIn(Invalid):
    """The address and the password do not belong together; which of the two is wrong is not said."""


class WrongCode(Invalid):
    """The code is wrong, used, replaced or too old."""


class WrongPasskey(Invalid):
    """What the browser sent is no passkey of this host, or not an answer to what was asked."""


class BadInvitation(Conflict):
    """The invitation was used, replaced, or is past its time."""


class BadRefresh(Unauthenticated):
    """The refresh token is unknown, spent, replayed or revoked; the person signs in again."""

    code = "bad_refresh"


class RefreshRace(Conflict):
    """The refresh token was used a moment ago by another request of the same client; nothing was revoked."""

    code = "refresh_race"
