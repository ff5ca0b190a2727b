"""Who asks, and whether they may: every view says `allow(…)` before it acts, or its answer is refused."""

import time
from datetime import timedelta
from functools import cache
from uuid import UUID

from flask import Response, current_app, g, has_request_context, request, session
from flask.globals import app_ctx
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user

from lms.core import db
from lms.core.clock import now
from lms.core.decisions import STRANGER, Actor, Decision
from lms.core.errors import Forbidden, Unauthenticated
from lms.core.i18n import gettext as _
from lms.web.face import faces
from lms.web.viewing import STOP, viewing

TOUCH_SECONDS = 300
PROOF_LASTS = timedelta(minutes=10)


class Manager(LoginManager):
    """flask-login without its guess from address and browser at whether a session was stolen: ours are opaque, rotated and listed."""

    def _session_protection_failed(self) -> bool:
        return False


login_manager = Manager()
login_manager.session_protection = None


class SignedIn(UserMixin):
    """A signed-in person as flask-login knows them."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get_id(self) -> str:
        return str(self.actor.user_id)


class Stranger(AnonymousUserMixin):
    """Nobody we know."""

    actor = STRANGER


login_manager.anonymous_user = Stranger


def load_user(user_id: str) -> SignedIn | None:
    """The person of this browser's session, when it still stands; nobody where no academy answers."""
    if not db.has_work():
        return None
    digest: bytes = session.digest  # type: ignore[attr-defined]
    found = faces.actor_of_session(digest) if faces.actor_of_session else None
    if found is not None and time.time() - session.get("touched", 0) > TOUCH_SECONDS:
        session["touched"] = int(time.time())
        g.touch = digest
    return SignedIn(found) if found is not None and found.user_id == UUID(user_id) else None


login_manager.user_loader(load_user)


def actor() -> Actor:
    """Who makes this request: a machine with a token, a signed-in person (or whom they look at the pages as), or a stranger."""
    try:
        found: Actor | None = app_ctx.g.get("actor")
    except RuntimeError:  # a job or a command
        return STRANGER
    if found is not None:
        return found
    if not has_request_context():
        return STRANGER
    g.actor = STRANGER  # also for the answer that refuses a token
    by_token = request.path.startswith("/api/") or (request.path.startswith("/content/watch/") and "Authorization" in request.headers)
    g.actor = found = _of_token() if by_token else _of_browser()
    return found


def _of_browser() -> Actor:
    """The person signed in, or the one they look at the pages as."""
    seen = viewing() if request.endpoint != STOP else None
    found: Actor = current_user.actor if seen is None else seen.seen_as
    return found


def _of_token() -> Actor:
    """The person of the request's bearer token; a stranger without one. Cookies count for nothing here."""
    given = request.headers.get("Authorization", "")
    if not given:
        return STRANGER
    scheme, _space, token = given.partition(" ")
    if scheme.lower() != "bearer" or faces.actor_of_token is None:
        raise Unauthenticated(_("The API takes an access token: Authorization: Bearer …"), rule="token")
    return faces.actor_of_token(token.strip())


class ProofNeeded(Forbidden):
    """What is asked weighs so much that the person proves once more who sits at the screen."""

    code = "proof_needed"


def allow(decision: Decision, *, fresh: bool = False) -> None:
    """Go on when the policy says yes; otherwise raise Forbidden (or Unauthenticated) with its sentence.

    `fresh` is for what would hurt most at an unattended screen: the last proof of a browser must be minutes old.
    """
    g.decided = True
    if decision.allowed:
        proved = actor().proved_at
        if fresh and actor().viewer_id is not None:
            raise Forbidden(_("This page is for changing things. Stop viewing first."), rule="viewing")
        if fresh and actor().kind == "person" and (proved is None or now() - proved > PROOF_LASTS):
            raise ProofNeeded(_("Prove that it is you first."), rule="proof")
        return
    if not actor().is_known and decision.rule in ("sign_in", "admin", "staff", "member", "enrolled"):
        raise Unauthenticated(decision.sentence, rule=decision.rule)
    raise Forbidden(decision.sentence, rule=decision.rule)


class Undecided(RuntimeError):
    """A view answered without asking a policy: a bug."""


def check_decided(response: Response) -> Response:
    """Refuse the answer of a view that asked no policy."""
    if response.status_code < 400 and not g.get("decided") and request.endpoint not in _exempt():
        raise Undecided(f"{request.endpoint} answered without allow(…)")
    return response


@cache
def _exempt() -> frozenset[str | None]:
    return frozenset({"static", None, *current_app.config.get("UNDECIDED", ())})
