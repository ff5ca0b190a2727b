"""Unsafe requests must come from our own pages: a form token, and the browser's own word on where the request began."""

from functools import lru_cache
from typing import TypeVar

from flask import Flask, current_app, g, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf, validate_csrf
from wtforms import ValidationError

from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _

SAFE = ("GET", "HEAD", "OPTIONS")
protect = CSRFProtect()
V = TypeVar("V")
_signed_doors: set[str] = set()


def signed_door(view: V) -> V:
    """Mark a view whose permission is a signature in its address or headers, not a session; it takes no form token."""
    _signed_doors.add(f"{view.__module__}.{view.__name__}")  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Check every unsafe request of the app."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_SSL_STRICT"] = False
    protect.init_app(app)
    app.jinja_env.globals["csrf_token"] = form_token
    app.context_processor(lambda: {"csrf_token": form_token})
    app.before_request(check)


def form_token() -> str:
    """The form token of this browser, signed once: it stays the same as long as its session does."""
    if "csrf_token" not in session:
        return str(generate_csrf())
    return _signed(current_app.secret_key, session["csrf_token"])


@lru_cache(maxsize=4096)
def _signed(_secret: object, _token: str) -> str:
    return str(generate_csrf())


def _is_known(given: str) -> bool:
    """Whether this browser sent this form token before and it was right: the script of a page sends the same one again and again."""
    if not given or "csrf_token" not in session:
        return False
    try:
        _checked(current_app.secret_key, session["csrf_token"], given)
    except ValidationError:
        return False
    g.csrf_valid = True
    return True


@lru_cache(maxsize=4096)
def _checked(_secret: object, _token: str, given: str) -> None:
    """Raise ValidationError unless the token is of this session; what raises is not remembered."""
    validate_csrf(given)


def check() -> None:
    """Refuse an unsafe request that another site began or that carries no form token of this browser."""
    if request.method in SAFE or request.endpoint is None or request.path.startswith("/api/"):
        return
    view = current_app.view_functions[request.endpoint]
    if f"{view.__module__}.{view.__name__}" in _signed_doors:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden(_("This request came from another site and was not carried out."), rule="origin")
    origin = request.headers.get("Origin")
    if origin and origin != "null" and origin.split("://", 1)[-1] != request.host:
        raise Forbidden(_("This request came from another site and was not carried out."), rule="origin")
    try:
        if not _is_known(request.headers.get("X-CSRFToken", "")):
            protect.protect()
    except CSRFError as error:
        sentence = _("This form is too old or was opened in another browser. Reload the page and send it again.")
        raise Forbidden(sentence, rule="form_token") from error
