"""The door's blueprint, and what its pages share: who is here, letting somebody in, and where they go on."""

import time
from uuid import UUID

from flask import Blueprint, g, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user

from lms.auth import operations
from lms.auth.models import User
from lms.core.decisions import STAFF, Actor
from lms.web import newcomers
from lms.web.access import SignedIn, actor
from lms.web.answers import moved, own_path
from lms.web.face import faces

bp = Blueprint("auth", __name__, url_prefix="/auth")
APP_CODE_SECONDS = 600


def me() -> UUID:
    """The person who is signed in."""
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def next_path() -> str:
    """Where this person was going; "" when nowhere."""
    return own_path(request.values.get("next"), "")


def enter(user: User) -> None:
    """Sign this browser in as the person: a new session token, a row in the list of sessions."""
    if faces.welcome is not None:
        faces.welcome(user.id, user.name, user.email)
    session.rotate()  # type: ignore[attr-defined]
    row = operations.start_session(
        user,
        session.digest,  # type: ignore[attr-defined]
        staff=is_staff(user.id),
        address=request.remote_addr or "",
        device=request.user_agent.string,
    )
    login_user(SignedIn(Actor(user_id=user.id, name=user.name, email=user.email, session_id=row.id, channel_id=g.channel.id)))
    g.pop("actor", None)
    newcomers.ask_again()


def is_staff(user_id: UUID) -> bool:
    """Whether a person works here."""
    return faces.role_of is not None and faces.role_of(user_id) in STAFF


def home_of(user_id: UUID) -> str:
    """The first page of a person."""
    return "/admin/" if is_staff(user_id) else "/enrollments/"


def ask_for_app_code(user: User, *, then: str = "") -> ResponseReturnValue:
    """The first proof was right; the code of the app comes next. `then` is "reset" for a forgotten password."""
    session.pop("pending", None)
    session["app_pending"] = {"email": user.email, "then": then, "until": time.time() + APP_CODE_SECONDS}
    return moved(url_for("auth.app", next=next_path() or None))
