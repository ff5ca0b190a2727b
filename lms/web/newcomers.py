"""What the academy must know of its people is asked before anything else, after each sign-in, and leads on to where they were going."""

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.web.access import actor
from lms.web.answers import wants_fragment
from lms.web.face import faces

KEY = "asks"
FREE = (
    "/auth/", "/channels/", "/api/", "/ws/", "/static/", "/content/", "/theme/", "/healthz", "/readyz", "/metrics", "/favicon", "/legal/",
    "/notifications/unsubscribe", "/reporting/unsubscribe", "/enrollments/join/",
)  # fmt: skip


def install(app: Flask) -> None:
    """Ask before the pages of the app, once its request has begun."""
    app.before_request(ask_first)


def ask_again() -> None:
    """Look at the next page whether something is to be asked: somebody has just signed in."""
    session[KEY] = True


def ask_first() -> ResponseReturnValue | None:
    """Lead to the questions when there are some to answer; who has answered is asked no more until the next sign-in."""
    if KEY not in session or request.method != "GET" or wants_fragment() or request.path.startswith(FREE) or faces.lacks_answers is None:
        return None
    person = actor()
    if person.user_id is None or person.viewer_id is not None:
        return None
    if person.is_admin or not faces.lacks_answers(person.user_id):
        session.pop(KEY)
        return None
    g.decided = True
    going = request.full_path.rstrip("?")
    return redirect(url_for("channels.welcome", next=going if going != "/" else None), 303)
