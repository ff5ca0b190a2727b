"""Door 1: my live classes, and the room of one."""

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import actor_of_user, get_member
from lms.content.policies import can_play
from lms.content.queries import grant_stands
from lms.content.views import may_watch_here
from lms.core import signing
from lms.core.clock import now
from lms.core.decisions import anyone, signed_in, yes
from lms.core.errors import Forbidden, NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.core.icalendar import Entry, calendar
from lms.streaming import jobs, operations, policies, queries
from lms.streaming.errors import BadReport
from lms.streaming.gateways import film_name, folder_of, provider_of, read_key, rtmp_door, signature_fits
from lms.streaming.gateways.rtmp import Key
from lms.streaming.models import Session
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, moved
from lms.web.csrf import signed_door
from lms.web.cycle import open_work_of
from lms.web.errors import status_of
from lms.web.passes import give_pass

bp = Blueprint("streaming", __name__, url_prefix="/streaming")
SIGNATURE = "Lectern-Signature"
SHOWN = re.compile(r"index\.m3u8|seg_\d{5,8}\.ts")


@bp.route("/")
def index() -> ResponseReturnValue:
    """The classes to come and those that were, of the courses I am in."""
    allow(signed_in(actor()))
    person = actor().user_id
    assert person is not None
    return render_template("streaming/index.html", upcoming=queries.upcoming_sessions(person), past=queries.past_sessions(person), at=now())


@bp.route("/upcoming")
def upcoming() -> ResponseReturnValue:
    """The next three classes, for the home page."""
    allow(signed_in(actor()))
    person = actor().user_id
    assert person is not None
    return fragment("streaming/_upcoming.html", page=url_for(".index"), upcoming=queries.upcoming_sessions(person, limit=3), at=now())


@bp.route("/sessions/<uuid:session_id>")
def sessions_show(session_id: UUID) -> ResponseReturnValue:
    """The live room: when, the door while it is open, and the chat."""
    session = _seen(session_id)
    stages = provider_of(session).stages
    kept = queries.card_of(session_id) if session.state == "recorded" else None
    return render_template("streaming/sessions_show.html", session=session, stages=stages, kept=kept, **_door(session))


@bp.route("/sessions/<uuid:session_id>/calendar.ics")
def sessions_calendar(session_id: UUID) -> ResponseReturnValue:
    """The date of one class as a file for any calendar."""
    session = _seen(session_id)
    return _calendar(session.title, [queries.calendar_entry(session, g.channel.origin)], filename="class.ics")


@bp.route("/feed", methods=["GET", "POST"])
def feed() -> ResponseReturnValue:
    """My classes in my own calendar: the private address, a new one, or none."""
    allow(signed_in(actor()))
    person = actor().user_id
    assert person is not None
    if request.method == "POST":
        wish = request.form.get("wish")
        if wish in ("none", "new"):
            operations.revoke_feed(person, by=actor())
        if wish != "none":
            operations.make_feed(person, by=actor())
        return moved(url_for(".feed"))
    found = queries.feed_of(person)
    address = url_for(".feeds_calendar", token=queries.feed_token(found)) if found is not None else ""
    return render_template("streaming/feed.html", address=g.channel.origin + address if address else "")


@bp.route("/feeds/<token:token>/calendar.ics")
def feeds_calendar(token: str) -> ResponseReturnValue:
    """The classes of whoever holds the address, for programs that read calendars; it tells what that person may see today."""
    found = queries.get_feed(token)
    allow(anyone())
    entries = queries.calendar_of(found.user_id, g.channel.origin) if get_member(found.user_id).is_active else []
    return _calendar(g.channel.name, entries, filename="classes.ics")


@bp.route("/sessions/<uuid:session_id>/stage")
def sessions_stage(session_id: UUID) -> ResponseReturnValue:
    """The picture of a running class, for those who may join it (a piece of the room)."""
    session = _seen(session_id)
    door = _door(session)
    shows = bool(door["join"]) and session.state == "live" and provider_of(session).stages
    device = may_watch_here() if shows else yes("uncounted")
    if shows and device:
        operations.show_picture(session.id, actor())
    stream = queries.stream_url(session.id, actor()) if shows and device else ""
    page = url_for(".sessions_show", session_id=session.id)
    return fragment("streaming/_stage.html", page=page, session=session, stream=stream, device=device)


@bp.route("/hooks", methods=["POST"])
@signed_door
def hooks() -> ResponseReturnValue:
    """Take what an outside room reports: stored at once, done by a worker."""
    body = request.get_data(cache=True)
    header, at = request.headers.get(SIGNATURE, ""), time.time()
    allow(policies.can_report(signed=any(signature_fits(secret, header, body, at=at) for secret in queries.hook_secrets())))
    report = request.get_json(silent=True)
    if not isinstance(report, dict):
        raise BadReport(_("A report is an object of JSON."), rule="shape")
    receipt_id = operations.store_receipt(report)
    if receipt_id is not None:
        jobs.take_receipt.later(receipt_id=receipt_id)
    return jsonify(received=True, known=receipt_id is None), 202


@bp.route("/rtmp/<token:door>/publish", methods=["POST"])
@signed_door
def rtmp_publish(door: str) -> ResponseReturnValue:
    """Our nginx asks whether a key may send; the answer is the name of the take's file, or a refusal."""

    def begin() -> Response:
        session = _sent(door)
        take = operations.begin_stream(session, request.form.get("clientid", ""), by=actor_of_user(session.host_id))
        return Response(status=302, headers={"Location": film_name(take.id)})

    return _told(begin)


@bp.route("/rtmp/<token:door>/alive", methods=["POST"])
@signed_door
def rtmp_alive(door: str) -> ResponseReturnValue:
    """Our nginx asks now and then whether what is sent is still wanted; it sends away what is not."""

    def look() -> Response:
        session = _sent(door)
        allow(policies.can_go_on(wanted=operations.goes_on(session, request.form.get("clientid", ""))))
        return Response(status=204)

    return _told(look)


@bp.route("/rtmp/<token:door>/done", methods=["POST"])
@signed_door
def rtmp_done(door: str) -> ResponseReturnValue:
    """Our nginx says that a connection is gone."""

    def end() -> Response:
        operations.end_stream(queries.get_session(_named(door).session_id), request.form.get("clientid", ""))
        return Response(status=204)

    return _told(end)


@bp.route("/live/<uuid:channel_id>/<uuid:session_id>/<token:token>/<path:name>")
def live_show(channel_id: UUID, session_id: UUID, token: str, name: str) -> ResponseReturnValue:
    """A playlist or a segment of a running class, to the viewer it was opened for, while their grant stands; and a pass, for nginx."""
    ticket = queries.read_stream(token)
    allow(can_play(grant_stands(ticket, actor())))
    path = folder_of(g.channel.id, ticket.asset_id) / "hls" / name
    if not SHOWN.fullmatch(name) or (channel_id, session_id) != (g.channel.id, ticket.asset_id) or not path.is_file():
        raise NotFound(_("There is no picture yet."))
    kind = "application/vnd.apple.mpegurl" if name.endswith(".m3u8") else "video/mp2t"
    response = send_file(path, mimetype=kind, conditional=True, etag=False)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store" if name.endswith(".m3u8") else "private, max-age=60"
    return give_pass(response, queries.place_of(session_id))


@bp.route("/sessions/<uuid:session_id>/heartbeat", methods=["POST"])
def sessions_heartbeat(session_id: UUID) -> ResponseReturnValue:
    """A sign of life of the open page each minute; answers where the class stands now."""
    session = _seen(session_id)
    person = actor().user_id
    if session.is_running and person is not None:
        operations.note_page(session.id, person)
    door = _door(session)
    page = url_for(".sessions_show", session_id=session.id)
    answer = make_response(changed("streaming/_state.html", otherwise=page, session=session, **door))
    if not (door["join"] and provider_of(session).stages and may_watch_here(goes_on=True)):
        return answer
    operations.show_picture(session.id, actor())
    return give_pass(answer, queries.place_of(session.id))


@bp.route("/sessions/<uuid:session_id>/join", methods=["POST"])
def sessions_join(session_id: UUID) -> ResponseReturnValue:
    """Go through the door: the join is written down, then the meeting opens."""
    standing = queries.get_standing(session_id, actor().user_id)
    allow(policies.can_join(actor(), standing.session, standing.instructor_id, enrolled=standing.enrolled, at=now()))
    if actor().user_id is not None:
        operations.note_page(session_id, actor().user_id)  # type: ignore[arg-type]
    door = provider_of(standing.session).door(standing.session)
    return redirect(door or url_for(".sessions_show", session_id=session_id), 303)


def _told(act: Callable[[], Response]) -> Response:
    """What nginx is answered: it reads the status alone, and no academy's page could be drawn for it."""
    try:
        return act()
    except Refusal as refusal:
        return Response(status=status_of(refusal))


def _named(door: str) -> Key:
    """What the key nginx was given says. The question comes to no academy's host: the key names the academy whose work it is."""
    allow(policies.can_ask(known=signing.same(door, rtmp_door())))
    key = read_key(request.form.get("name", ""))
    if key is None:
        raise Forbidden(_("This key is not known. Copy it again from the page of the class."), rule="key")
    open_work_of(key.channel_id)
    return key


def _sent(door: str) -> Session:
    """The class a key is for, when the key is the newest and its host may send."""
    key = _named(door)
    session = queries.get_session(key.session_id)
    if session.key_version != key.version:
        raise Forbidden(_("This key was changed. Copy the new one from the page of the class."), rule="key")
    allow(policies.can_stream(actor_of_user(session.host_id), session, session.course.instructor_id))
    return session


def _calendar(name: str, entries: list[Entry], *, filename: str) -> Response:
    response = make_response(calendar(name, entries), 200, {"Content-Type": "text/calendar; charset=utf-8"})
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _seen(session_id: UUID) -> Session:
    standing = queries.get_standing(session_id, actor().user_id)
    allow(policies.can_see(actor(), standing.session, standing.instructor_id, enrolled=standing.enrolled))
    return queries.get_session(session_id)


def _door(session: Session) -> dict[str, Any]:
    """Whether Join stands on the page, and why not; who may see the page was decided before."""
    runs = bool(policies.can_run(actor(), session, session.course.instructor_id))
    join = policies.can_join(actor(), session, session.course.instructor_id, enrolled=True, at=now())
    at = now()
    opens_in = int((session.opens_at() - at).total_seconds()) if session.state in ("scheduled", "open") else 0
    starts_in = int((session.starts_at - at).total_seconds()) if session.state in ("scheduled", "open") else 0
    return {"join": join, "runs": runs, "at": at, "opens_in": max(opens_in, 0), "starts_in": max(starts_in, 0)}
