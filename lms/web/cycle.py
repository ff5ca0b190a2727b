"""One request: find the channel, open the unit of work, answer, commit before the answer is sent."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, Response, g, request, session
from werkzeug.exceptions import MisdirectedRequest

from lms.core import db
from lms.core.decisions import STRANGER
from lms.core.ids import uuid7
from lms.core.redis import forget_asked
from lms.core.tenancy import ChannelFace
from lms.web import metrics
from lms.web.access import check_decided
from lms.web.face import faces
from lms.web.sessions import ServerSession, signed_in_user
from lms.web.viewing import guard, seen_page

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
SOCKET_PATHS = ("/ws/",)
PLATFORM_PATHS = ("/healthz", "/readyz", "/metrics", "/static/", "/streaming/rtmp/")  # the last is our nginx, whose key names a channel
log = structlog.get_logger(__name__)


class _RolledBack(Exception):
    """Ends a unit of work without its changes."""


def install(app: Flask) -> None:
    """Put the cycle around every request of the app."""
    app.before_request(begin)
    app.before_request(guard)
    app.after_request(check_decided)
    app.after_request(finish)
    app.teardown_request(abandon)


def begin() -> None:
    """Name the request, find its channel and person, and open its transaction; GET and HEAD may only read."""
    g.started = time.perf_counter()
    metrics.begin_counting()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid7())
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if request.path.startswith(PLATFORM_PATHS):
        return
    g.channel = channel_of_request()
    if request.path.startswith(SOCKET_PATHS):
        g.actor = STRANGER  # who it is stands on the ticket; a socket opens short units of work of its own, and holds none while it waits
        return
    open_work(read_only=request.method in ("GET", "HEAD", "OPTIONS"))


def channel_of_request() -> ChannelFace:
    """The channel whose verified host was asked; an unknown host is refused with 421."""
    host = request.host.partition(":")[0] if not request.host.startswith("[") else request.host.partition("]")[0] + "]"
    found = faces.channel_of_host(host.lower().rstrip(".")) if faces.channel_of_host else None
    if found is None:
        raise MisdirectedRequest(
            f"No academy answers at {host}. On the command line, open one with: lms channel create 'My Academy' --slug my-academy"
            f" --host {host} – or lead this address to the one you have with: lms channel host {host}"
        )
    return found


def open_work(*, read_only: bool) -> None:
    """Open the request's unit of work for its channel and its person."""
    work = db.running(g.channel.id, read_only=read_only)
    work.__enter__()
    g.work = work
    if isinstance(session, ServerSession) or hasattr(session, "digest"):
        user_id = signed_in_user(session)  # type: ignore[arg-type]
        if user_id is not None:
            g.user_id = user_id


def open_work_of(channel_id: UUID) -> None:
    """Open the request's unit of work for the channel a key names, at a door no host leads to."""
    work = db.running(channel_id)
    work.__enter__()
    g.work = work


def close_work(*, commit: bool) -> None:
    """End the request's unit of work, once: its changes stay or go."""
    work: Any = g.pop("work", None)
    if work is None:
        return
    if commit:
        work.__exit__(None, None, None)
    else:
        error = _RolledBack()
        work.__exit__(_RolledBack, error, None)


def finish(response: Response) -> Response:
    """Commit when the answer is below 400, else roll back; then count the request."""
    close_work(commit=response.status_code < 400)
    if "touch" in g and faces.touch_session is not None:
        with earlier():
            faces.touch_session(g.touch)
    if (seen := seen_page(response)) is not None and faces.count_viewed is not None:
        with earlier():
            faces.count_viewed(seen)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    metrics.count_request(
        request.endpoint, request.method, response.status_code, time.perf_counter() - g.get("started", time.perf_counter())
    )
    return response


def abandon(_error: BaseException | None) -> None:
    """Leave no transaction open, whatever happened."""
    close_work(commit=False)
    forget_asked()
    structlog.contextvars.unbind_contextvars("request_id")


@contextmanager
def earlier() -> Iterator[None]:
    """A unit of work before the request's own, for what must stay even when the request fails: tries, receipts.

    The request's unit of work begins anew after it, so call it before anything is changed.
    """
    read_only = db.work().read_only if "work" in g else None
    close_work(commit=bool(read_only))  # there is nothing to undo, and what was read stays readable
    with db.unit_of_work(g.channel.id):
        yield
    if read_only is not None:
        open_work(read_only=read_only)
