"""The studio: a host goes live with the browser's own camera, microphone and screen."""

from uuid import UUID

from flask import jsonify, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.core import tickets
from lms.core.errors import Forbidden, NotFound
from lms.core.i18n import gettext as _
from lms.streaming import operations, policies, queries
from lms.streaming.admin.door import bp, run_by_me
from lms.streaming.gateways import rtmp_address
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment
from lms.web.socket_doors import socket_url


@bp.route("/sessions/<uuid:session_id>/studio")
def sessions_studio(session_id: UUID) -> ResponseReturnValue:
    """Check camera, microphone and line; then go live."""
    found = queries.get_session(session_id)
    allow(policies.can_broadcast(actor(), found, found.course.instructor_id))
    return render_template("streaming/admin/sessions_studio.html", session=found, moments=queries.moments_of(found.id))


@bp.route("/sessions/<uuid:session_id>/tickets", methods=["POST"])
def sessions_tickets(session_id: UUID) -> ResponseReturnValue:
    """A one-time ticket for this browser's line into the class, and where to use it."""
    found = queries.get_session(session_id)
    allow(policies.can_broadcast(actor(), found, found.course.instructor_id))
    if actor().session_id is None:
        raise Forbidden(_("Sign in to go live."), rule="sign_in")
    made = tickets.make_ticket(f"ingest:{session_id}", session.digest, by=actor())  # type: ignore[attr-defined]
    return jsonify(url=socket_url(f"/ws/streaming/sessions/{session_id}/ingest"), ticket=made)


@bp.route("/sessions/<uuid:session_id>/stream", methods=["GET", "POST"])
def sessions_stream(session_id: UUID) -> ResponseReturnValue:
    """What OBS is set up with: the server and the key of this class; posting makes the key worthless and shows a new one."""
    found = queries.get_session(session_id)
    allow(policies.can_stream(actor(), found, found.course.instructor_id))
    page, piece = url_for(".sessions_show", session_id=session_id), "streaming/admin/_stream.html"
    if request.method == "POST":
        operations.change_key(found, by=actor())
        return changed(piece, otherwise=page, session=found, server=rtmp_address(), key=queries.stream_key(found))
    return fragment(piece, page=page, session=found, server=rtmp_address(), key=queries.stream_key(found))


@bp.route("/sessions/<uuid:session_id>/moments", methods=["GET", "POST"])
def sessions_moments(session_id: UUID) -> ResponseReturnValue:
    """The moments marked so far; marking one more, or taking one away."""
    found = run_by_me(session_id)
    page = url_for(".sessions_show", session_id=session_id)
    if request.method == "POST":
        if request.form.get("remove"):
            moment = queries.get_moment(session_id, _id(request.form["remove"]))
            operations.unmark_moment(found, moment, by=actor())
        else:
            operations.mark_moment(found, request.form.get("title", ""), by=actor())
        moments = queries.moments_of(session_id)
        return changed("streaming/admin/_moments.html", otherwise=page, session=found, moments=moments)
    return fragment("streaming/admin/_moments.html", page=page, session=found, moments=queries.moments_of(session_id))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(_("There is no such moment.")) from error
