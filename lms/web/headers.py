"""Headers of every answer: strict CSP with a nonce, no sniffing, no framing, nothing kept of personal pages."""

import secrets

from flask import Flask, Response, current_app, g, request

from lms.core.storage import storage
from lms.web.answers import wants_fragment

CSP = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data: blob:{media}; font-src 'self'; "
    "connect-src 'self' {sockets}{media}; media-src 'self' blob:{media}; worker-src 'self' blob:; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)


STILL = tuple(
    (name.lower(), name, value)
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()"),
    )
)


def csp_nonce() -> str:
    """The nonce of this answer's scripts."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def install(app: Flask) -> None:
    """Put the headers on every answer of the app."""
    app.after_request(add_headers)


def _sockets() -> str:
    base = str(current_app.config["LMS"].socket_url)
    if base:
        return "/".join(base.split("/")[:3])
    host = request.host.partition(":")[0]
    return f"ws://{host}:* wss://{host}:*"


def add_headers(response: Response) -> Response:
    """Add what is missing; an answer that set a header itself keeps it."""
    headers = response.headers
    from_app = {name.lower() for name, _value in headers}
    if "content-security-policy" not in from_app:
        headers.add("Content-Security-Policy", CSP.format(nonce=csp_nonce(), sockets=_sockets(), media=_media_origin()))
    for key, name, value in STILL:
        if key not in from_app:
            headers.add(name, value)
    if request.is_secure and "strict-transport-security" not in from_app:
        headers.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if "cache-control" not in from_app and request.endpoint != "static":
        headers.add("Cache-Control", "no-store" if wants_fragment() or request.method != "GET" else "private, no-cache")
    return response


def _media_origin() -> str:
    return "".join(f" {origin}" for origin in storage().origins())
