"""The four answers, and no fifth: a page (`render_template`), a fragment, a change that worked, a form that did not."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from htmx_flask import request


def wants_fragment() -> bool:
    """Whether htmx asks for a piece to swap in."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def fragment(template: str, *, page: str, **context: Any) -> ResponseReturnValue:
    """GET of a piece: the piece for htmx, a redirect to its page for everyone else."""
    if not wants_fragment():
        return redirect(page, 303)
    return _piece(template, context)


def changed(template: str, *, otherwise: str, **context: Any) -> ResponseReturnValue:
    """POST that worked: the changed piece for htmx, 303 to `otherwise` for everyone else."""
    if not wants_fragment():
        return redirect(otherwise, 303)
    return _piece(template, context)


def moved(target: str) -> ResponseReturnValue:
    """POST that worked and leads to another page: a full navigation for htmx too."""
    if wants_fragment():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, 303)


def invalid(template: str, *, page: str, **context: Any) -> ResponseReturnValue:
    """POST the form refused: 422 with the form for htmx, 422 with the whole page for everyone else; what was typed stays."""
    if wants_fragment() and template != page:
        return _piece(template, context, status=422)
    return make_response(render_template(page, **context), 422)


def _piece(template: str, context: dict[str, Any], status: int = 200) -> Response:
    response = make_response(render_template(template, **context), status)
    response.headers["Vary"] = "HX-Request"
    response.headers["Cache-Control"] = "no-store"
    return response


def own_path(target: str | None, default: str) -> str:
    """A path of this host to go on to; anything that could lead elsewhere becomes the default."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return default
    if any(ord(letter) < 32 or letter == "\\" for letter in target) or len(target) > 2000:
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else target
