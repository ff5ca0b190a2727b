"""The door's blueprint, and what its pages share: who is here, letting somebody in, and where they go on."""

import time
from uuid import UUID

from flask import Blueprint, g, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user

from lms.auth import operations, queries
from lms.auth.models import User
from lms.core.decisions import STAFF, Actor, anyone
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.web import newcomers
from lms.web.access import SignedIn, actor, allow
from lms.web.answers import moved, own_path
from lms.web.face import faces
from lms.web.toasts import toast

bp = Blueprint("auth", __name__, url_prefix="/auth")
APP_CODE_SECONDS = 600
SET_UP = "must_set_up"


def me() -> UUID:
    """The person who is signed in."""
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def next_path() -> str:
    """Where this person was going; "" when nowhere."""
    return own_path(request.values.get("next"), "")


def enter(user: User, *, strongly: bool = False) -> None:
    """Sign this browser in as the person: a new session token, a row in the list of sessions.

    `strongly`: by a passkey. Staff of an academy that wants an app or a passkey set one up before anything else.
    """
    if faces.welcome is not None:
        faces.welcome(user.id, user.name, user.email)
    session.rotate()  # type: ignore[attr-defined]
    session.pop(SET_UP, None)
    if is_strict(user) and not strongly and not user.has_app:
        session[SET_UP] = True
    row = operations.start_session(
        user,
        session.digest,  # type: ignore[attr-defined]
        staff=is_staff(user.id),
        address=request.remote_addr or "",
        device=request.user_agent.string,
    )
    note_proof(user.id)
    login_user(SignedIn(Actor(user_id=user.id, name=user.name, email=user.email, session_id=row.id, channel_id=g.channel.id)))
    g.pop("actor", None)
    newcomers.ask_again()


def note_proof(user_id: UUID) -> None:
    """Tell who wants to know that somebody who works here is in as staff must be; nothing while they have an app or a passkey to set up."""
    if faces.proved_as_staff is not None and not session.get(SET_UP) and is_staff(user_id):
        faces.proved_as_staff(user_id)


def is_staff(user_id: UUID) -> bool:
    """Whether a person works here."""
    return faces.role_of is not None and faces.role_of(user_id) in STAFF


def is_strict(user: User) -> bool:
    """Whether a password and a code by mail are not enough for this person here."""
    return bool(g.channel.settings.get("strong_staff")) and is_staff(user.id)


def wants_passkey(user: User) -> bool:
    """Whether this person signs in with their passkey alone: a code by mail is not enough, and there is no app."""
    return is_strict(user) and not user.has_app and bool(queries.passkeys_of(user.id))


def ask_for_passkey() -> ResponseReturnValue:
    """The first proof was right, but here the passkey is what counts."""
    session.pop("pending", None)
    toast(_("Staff of this academy sign in with their passkey."))
    return moved(url_for("auth.passkey", next=next_path() or None))


def keep_one(user: User, *, left: int) -> None:
    """Refuse to give up the last app or passkey where one is wanted; `left` are those that stay."""
    if not left and is_strict(user):
        raise Conflict(
            _("This academy wants an app or a passkey of everybody who works here. Set the other one up first."), rule="strong_staff"
        )


@bp.before_app_request
def hold_until_set_up() -> ResponseReturnValue | None:
    """Keep the back office shut to those who must set up an app or a passkey first."""
    if not request.path.startswith("/admin") or not session.get(SET_UP):
        return None
    allow(anyone())
    return moved(url_for("auth.second_factor"))


def home_of(user_id: UUID) -> str:
    """The first page of a person."""
    return "/admin/" if is_staff(user_id) else "/enrollments/"


def ask_for_app_code(user: User, *, then: str = "") -> ResponseReturnValue:
    """The first proof was right; the code of the app comes next. `then` is "reset" for a forgotten password."""
    session.pop("pending", None)
    session["app_pending"] = {"email": user.email, "then": then, "until": time.time() + APP_CODE_SECONDS}
    return moved(url_for("auth.app", next=next_path() or None))
