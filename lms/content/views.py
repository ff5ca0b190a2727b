"""Door 1: files and media by signed addresses. The signature, and for media the grant behind it, is the permission."""

import re
from contextlib import nullcontext
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from lms.content import operations, policies, queries
from lms.content.errors import TooManyDevices
from lms.content.models import Rule
from lms.content.queries import Limits
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Decision, anyone, signed_in, yes
from lms.core.errors import Forbidden, NotFound
from lms.core.i18n import gettext as _
from lms.core.storage import LocalStorage, WrongPart, cold, disposition, storage, type_of
from lms.core.tenancy import current_channel
from lms.web.access import actor, allow
from lms.web.answers import moved
from lms.web.csrf import signed_door
from lms.web.cycle import close_work, earlier
from lms.web.devices import this_device
from lms.web.passes import give_pass
from lms.web.toasts import toast

bp = Blueprint("content", __name__, url_prefix="/content")

MADE = re.compile(
    r"[0-9a-f]{32}/(?:video\.mp4|phone\.mp4|(?:audio|sound)\.m4a|poster\.jpg|storyboard\.(?:jpg|vtt)|hls/master\.m3u8"
    r"|hls/(?:\d{1,4}p|sound)/(?:index\.m3u8|init_\d{1,4}p?\.mp4|seg_(?:\d{4}_)?\d{5}\.m4s))|poster-[0-9a-f]{32}\.(?:jpg|webp)"
)
TRACK = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d{1,9}\.vtt")
INLINE = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "audio/mp4", "audio/mpeg", "application/vnd.apple.mpegurl"}
)
REDIRECT_SECONDS = 60


@bp.route("/files/<token:token>")
def files_show(token: str) -> ResponseReturnValue:
    """One file of the local store, to whoever holds its signed address."""
    store = _local()
    _no_more_words()
    grant = store.read_grant(token)
    allow(anyone())
    _this_channel(grant.key)
    inline = grant.inline and grant.content_type in INLINE
    response = _file(store.path_of(grant.key), grant.content_type)
    response.headers["Content-Disposition"] = disposition(grant.filename, inline=inline)
    response.headers["Cache-Control"] = "private, max-age=86400, immutable" if inline else "private, no-store"
    return response


@bp.route("/parts/<token:token>", methods=["PUT"])
@signed_door
def parts_show(token: str) -> ResponseReturnValue:
    """Take one part of an upload, straight to the disk."""
    store = _local()
    _no_more_words()
    grant = store.part_grant(token)
    allow(anyone())
    _this_channel(grant.key)
    if request.content_length != grant.size:
        raise WrongPart(_("This part is not of the size that was agreed. Reload the page and choose the file again."), rule="size")
    close_work(commit=True)  # a slow line must hold no database connection
    request.max_content_length = grant.size + 1  # reading past a limit is refused, and the end is only seen by reading past it
    store.put_part(grant.key, grant.upload_id, grant.number, request.stream, grant.size)  # type: ignore[arg-type]  # it reads like a BinaryIO
    return "", 204


@bp.route("/watch/<uuid:channel_id>/<uuid:asset_id>/<token:token>/<path:name>")
def watch_show(channel_id: UUID, asset_id: UUID, token: str, name: str) -> ResponseReturnValue:
    """A playlist, segment, video or poster, to the viewer it was opened for, while their grant stands; with a pass for nginx."""
    _no_more_words()
    ticket = queries.read_ticket(token)
    allow(policies.can_play(queries.grant_stands(ticket, actor())))
    if not MADE.fullmatch(name) or (channel_id, asset_id) != (current_channel(), ticket.asset_id):
        raise NotFound(_("There is nothing at this address."))
    store, key = storage(), f"{channel_id}/assets/{asset_id}/{name}"
    if isinstance(store, LocalStorage):
        response = _file(store.path_of(key), type_of(key))
    elif name.endswith(".m3u8"):
        with store.open(key) as source:
            response = make_response(source.read(), 200, {"Content-Type": type_of(key)})
    else:
        away = redirect(store.get_url(key, REDIRECT_SECONDS, inline=True), 302)
        away.headers["Cache-Control"] = f"private, max-age={REDIRECT_SECONDS // 2}"
        return away
    response.headers["Cache-Control"] = "private, no-store" if name.endswith(".m3u8") else "private, max-age=300"
    return give_pass(response, queries.place_of(asset_id))


@bp.route("/tracks/<token:token>/<path:name>")
def tracks_show(token: str, name: str) -> ResponseReturnValue:
    """Captions of a video, to the viewer it was opened for, while their grant stands."""
    _no_more_words()
    ticket = queries.read_ticket(token)
    allow(policies.can_play(queries.grant_stands(ticket, actor())))
    named = TRACK.fullmatch(name)
    track = queries.get_track(UUID(named[1])) if named else None
    if track is None or track.asset_id != ticket.asset_id:
        raise NotFound(_("There is nothing at this address."))
    response = make_response(track.body, 200, {"Content-Type": "text/vtt; charset=utf-8", "Cache-Control": "private, max-age=3600"})
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@bp.route("/devices")
def devices() -> ResponseReturnValue:
    """The devices I watch on, where the academy limits their number."""
    allow(signed_in(actor()))
    found, at = queries.devices_of(_me(), queries.watching_rule().most_devices), now()
    here = this_device().mark if policies.is_counted(actor()) else ""
    rows = [(one, policies.can_forget(actor(), one, found, at=at)) for one in found.known]
    return render_template("content/devices.html", devices=found, rows=rows, here=here, at=at, is_counted=policies.is_counted(actor()))


@bp.route("/devices/<uuid:device_id>/forget", methods=["POST"])
def devices_forget(device_id: UUID) -> ResponseReturnValue:
    """Free the place of one of my devices."""
    device = queries.get_device(device_id)
    allow(policies.can_forget(actor(), device, queries.devices_of(device.user_id, None), at=now()))
    operations.forget_device(device, by=actor())
    toast(_("%(name)s was forgotten. Another device can take its place.", name=device.name))
    return moved(url_for(".devices"))


def may_watch_here(rule: Rule | Limits | None = None, *, goes_on: bool = False) -> Decision:
    """Whether the person asking may watch on the device they ask from, which is remembered then; every door that signs a film asks.

    `goes_on`: something plays there already. Where it has to write, a page begins its unit of work anew: what was read before is only
    to be read from then on.
    """
    viewer, most = actor(), (rule or queries.watching_rule()).most_devices
    if most is None or not policies.is_counted(viewer):
        return yes("uncounted")
    here, found = this_device(), queries.devices_of(_me(), most)
    decision = policies.can_watch_on(viewer, found, here.mark, at=now())
    if goes_on:
        decision = policies.can_go_on_here(viewer, found, here.mark) & decision
    if not decision or operations.is_fresh(found.find(here.mark), viewer):
        return decision
    with earlier() if db.work().read_only else nullcontext():
        if operations.remember_device(viewer, here.mark, here.agent, found):
            return decision
        return policies.can_watch_on(viewer, queries.devices_of(_me(), most), here.mark, at=now())


def note_device(rule: Limits, *, has_film: bool) -> None:
    """Count the screen, and the device, a player reports from; raises the refusal whose sentence the player shows."""
    operations.take_screen(actor(), rule)
    device = may_watch_here(rule, goes_on=True) if has_film else yes("uncounted")
    if not device:
        raise TooManyDevices(device.sentence, rule=device.rule)


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _local() -> LocalStorage:
    store = storage()
    if not isinstance(store, LocalStorage):
        raise NotFound(_("There is nothing at this address."))
    return store


def _no_more_words() -> None:
    """A signed address is taken exactly as it was given: nothing added after it."""
    if request.query_string:
        raise Forbidden(_("This link is not valid. Ask for a new one."), rule="signature")


def _this_channel(key: str) -> None:
    if not key.removeprefix(cold("")).startswith(f"{current_channel()}/"):
        raise Forbidden(_("This link is of another academy."), rule="channel")


def _file(path: Path, content_type: str) -> Response:
    """A file with ranges and ETag, that can do nothing in a browser but be looked at."""
    response = send_file(path, mimetype=content_type, conditional=True, etag=True)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
