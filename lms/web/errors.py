"""One place where refusals become answers: a page, a toast, or problem+json (RFC 9457). Anything else is a bug and gets a number."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from lms.core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, TooMany, Unauthenticated, Unavailable
from lms.core.i18n import gettext as _
from lms.web import metrics
from lms.web.access import ProofNeeded
from lms.web.answers import moved, own_path, wants_fragment

STATUS: dict[type[Refusal], int] = {
    Invalid: 422,
    NotFound: 404,
    Unauthenticated: 401,
    Forbidden: 403,
    Conflict: 409,
    TooMany: 429,
    Unavailable: 503,
}
log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Answer every refusal, HTTP error and bug of the app."""
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(PoolTimeout, answer_overload)
    app.register_error_handler(OperationalError, answer_database_away)
    app.register_error_handler(DataError, answer_bad_value)
    app.register_error_handler(Exception, answer_bug)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return next((status for kind, status in STATUS.items() if isinstance(refusal, kind)), 400)


def answer_refusal(refusal: Refusal) -> ResponseReturnValue:
    """The sentence of a refusal; a stranger is led to the sign-in page and back."""
    status = status_of(refusal)
    metrics.refusals.labels(refusal.code).inc()
    if status == 401 and not is_api() and request.method == "GET" and not wants_fragment():
        return redirect(url_for("auth.sign_in", next=request.full_path.rstrip("?")), 303)
    if isinstance(refusal, ProofNeeded) and not is_api():
        return moved(url_for("auth.prove", next=_where_it_was()))
    response = _answer(status, refusal.sentence, refusal.code, fields=refusal.fields, rule=refusal.rule)
    if status == 401 and is_api():
        fault = ', error="invalid_token"' if refusal.rule == "token" else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="Lectern"{fault}'
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, Unavailable):
        response.headers["Retry-After"] = "10"
    return response


def _where_it_was() -> str:
    """The page to come back to after a proof: the page asked for, or the one a form was sent from."""
    if request.method == "GET" and not wants_fragment():
        return request.full_path.rstrip("?")
    parts = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""), "/") if parts.netloc == request.host else "/"


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """The house's words for what the framework refuses."""
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        return answer_bug(error.original_exception)  # type: ignore[arg-type]  # raised while an answer was being finished
    sentences = {
        404: _("There is nothing at this address. It may have moved, or the link is incomplete."),
        405: _("This address does not take that kind of request."),
        413: _("That is more than this form takes."),
        415: _("Send JSON, with Content-Type: application/json.") if is_api() else _("This form does not take that kind of file."),
        400: _("This request could not be read. Go back, reload the page and try again."),
    }
    response = _answer(error.code, sentences.get(error.code, error.description or error.name), error.name.lower().replace(" ", "_"))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def answer_overload(_error: PoolTimeout) -> ResponseReturnValue:
    """Too much at once: say so, and when to come back."""
    return answer_refusal(Unavailable(_("Too many people are here at once. Try again in a few seconds; nothing was lost.")))


def answer_database_away(error: OperationalError) -> ResponseReturnValue:
    """The database does not answer, or a statement took too long."""
    log.error("database_away", error=type(error.orig).__name__)
    return answer_refusal(Unavailable(_("The database does not answer right now. Try again in a few seconds; nothing was lost.")))


def answer_bad_value(error: DataError) -> ResponseReturnValue:
    """A value the database cannot hold (a NUL character, a number past its range) that no form or schema stopped."""
    log.warning("bad_value", error=type(error.orig).__name__, endpoint=request.endpoint)
    return answer_refusal(Invalid(_("A value is outside of what can be stored. Check it and try again.")))


def answer_bug(error: Exception) -> ResponseReturnValue:
    """A bug: logged once, with the number the page shows."""
    log.error("bug", exc_info=error, endpoint=request.endpoint)
    sentence = _("Something went wrong on our side. What you sent was not saved.")
    return _answer(500, sentence, "bug")


def is_api() -> bool:
    """Whether a machine asked."""
    return request.path.startswith("/api/")


def _answer(status: int, sentence: str, code: str, *, fields: dict[str, str] | None = None, rule: str = "") -> Response:
    number = str(g.get("request_id", ""))
    if is_api() or request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        problem: dict[str, Any] = {"type": f"/problems/{code}", "title": sentence, "status": status, "request_id": number}
        if fields:
            problem["fields"] = fields
        if rule:
            problem["rule"] = rule
        response = make_response(jsonify(problem), status)
        response.content_type = "application/problem+json"
        return response
    g.is_error_page = True
    if wants_fragment():
        response = make_response(render_template("errors/_toast.html", sentence=sentence, number=number if status >= 500 else ""), status)
        response.headers.update({"HX-Retarget": "#toasts", "HX-Reswap": "beforeend", "Cache-Control": "no-store"})
        return response
    return make_response(render_template("errors/error.html", status=status, sentence=sentence, number=number), status)
