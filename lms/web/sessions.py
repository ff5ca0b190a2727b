"""Server-side sessions: the cookie holds an opaque 256-bit token, Redis holds the data, PostgreSQL can restore who it is.

The form token is derived from the cookie's token, so a flushed Redis neither signs anybody out nor breaks an open form.
"""

import json
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

import structlog
from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from lms.core import signing
from lms.core.ids import token as new_token
from lms.core.redis import RedisError, numbers_asked, read_with_numbers, redis
from lms.web.face import faces

LIFETIME = timedelta(days=30)
MOST_TOKENS = 4096  # browsers whose usual numbers are remembered in each process
MOST_NUMBERS = 4  # of each browser
CSRF_FIELD = "csrf_token"
log = structlog.get_logger(__name__)


def digest_of(token: str) -> bytes:
    """What is stored of a session token: its SHA-256."""
    return sha256(token.encode()).digest()


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """One browser's session; `token` is the cookie's value, `is_stale` says the browser does not have it yet."""

    def __init__(self, token: str, data: dict[str, Any], *, is_stale: bool) -> None:
        def touched(_: object) -> None:
            self.modified = True

        super().__init__(data, touched)
        self.token = token
        self.is_stale = is_stale
        self.modified = False
        self.accessed = True
        if not is_stale:
            dict.__setitem__(self, CSRF_FIELD, self._form_secret())

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, self._form_secret() if key == CSRF_FIELD else value)

    def _form_secret(self) -> str:
        return _form_secret_of(self.token)

    @property
    def digest(self) -> bytes:
        """What PostgreSQL knows this session by."""
        return digest_of(self.token)

    def rotate(self) -> None:
        """Take a new token, so that whoever knew the old one knows nothing; what the session holds stays."""
        forget(self.token)
        self.token = new_token()
        self.is_stale = True
        self[CSRF_FIELD] = ""
        g.pop(CSRF_FIELD, None)

    def end(self) -> None:
        """Forget everything and take a new token."""
        self.clear()
        self.rotate()


@lru_cache(maxsize=MOST_TOKENS)
def _form_secret_of(token: str) -> str:
    return signing.digest("csrf", token).hex()


def forget(token: str) -> None:
    """Drop the data of a token."""
    try:
        redis().delete(_key(token))
    except RedisError:
        log.warning("session_store_away")


def _key(token: str) -> str:
    return f"session:{digest_of(token).hex()}"


class RedisSessions(SessionInterface):
    """Opens and saves `ServerSession`s; without Redis those signed in stay so, from PostgreSQL."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie
        self._usual: dict[str, tuple[str, ...]] = {}  # the numbers the last page of each browser asked for

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """The session of the request's cookie, or a new empty one."""
        token = "" if request.path.startswith("/api/") else request.cookies.get(self.cookie, "")
        if not 40 <= len(token) <= 64:
            return ServerSession(new_token(), {}, is_stale=True)
        try:
            stored = read_with_numbers(_key(token), self._usual.get(token, ()))
            data = json.loads(stored) if stored is not None else {}
        except RedisError:
            log.warning("session_store_away")
            data = {}
        return ServerSession(token, data, is_stale=False)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed; send the cookie when the browser does not have it."""
        assert isinstance(session, ServerSession)
        self._note(session.token)
        if not session.modified:
            return
        data = {key: value for key, value in session.items() if key != CSRF_FIELD}
        try:
            redis().set(_key(session.token), json.dumps(data), ex=int(LIFETIME.total_seconds()))
        except RedisError:
            log.warning("session_store_away")
        if session.is_stale:
            response.headers.add("Vary", "Cookie")
            response.set_cookie(
                self.cookie,
                session.token,
                max_age=int(LIFETIME.total_seconds()),
                secure=bool(app.config["SESSION_COOKIE_SECURE"]),
                httponly=True,
                samesite="Lax",
                path="/",
            )

    def _note(self, token: str) -> None:
        """Remember which numbers this browser's page asked for, so that its next one reads them together with the session."""
        asked = numbers_asked()[:MOST_NUMBERS]
        if asked and self._usual.get(token) != asked:
            if len(self._usual) >= MOST_TOKENS:
                self._usual.clear()
            self._usual[token] = asked


def signed_in_user(session: ServerSession) -> object:
    """The account the session belongs to: from its data, else from PostgreSQL; None for a stranger."""
    found = session.get("_user_id")
    if found is None and not session.is_stale and faces.user_of_session is not None:
        restored = faces.user_of_session(session.digest)
        if restored is not None:
            session["_user_id"] = str(restored)
            found = session["_user_id"]
    return found
