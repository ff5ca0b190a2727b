"""Door 2: uploads in parts and in one piece, and what becomes of each file."""

from typing import Any
from uuid import UUID

from flask import g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from lms.content import operations, policies, queries
from lms.content.admin.door import bp
from lms.content.errors import WrongUpload
from lms.content.forms import StartUpload, UploadForm
from lms.content.models import Asset, Upload
from lms.content.reports import Assets
from lms.core import signing
from lms.core.captions import read_time
from lms.core.errors import Forbidden, Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.storage import storage
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.charts import sparkline
from lms.web.csrf import signed_door
from lms.web.cycle import close_work, earlier
from lms.web.lists import answer_list
from lms.web.toasts import toast

URLS_AT_ONCE = 60
URL_SECONDS = 3600
PLAIN = "content:plain-upload"


@bp.route("/uploads", methods=["POST"])
def uploads() -> ResponseReturnValue:
    """Begin an upload: {filename, size, kind} → the asset's id, how the file is cut, and the first addresses."""
    allow(policies.can_upload(actor()))
    try:
        wanted = StartUpload.model_validate(request.get_json(silent=True))
    except ValidationError as error:
        raise WrongUpload(_("The name or size of the file is missing. Choose the file again.")) from error
    kind = wanted.kind or operations.kind_of_name(wanted.filename)
    twin = None if wanted.again or not wanted.mark else queries.find_twin(wanted.mark, wanted.size, kind, actor())
    if twin is not None:
        return jsonify({"twin": _twin(twin)})
    upload = operations.start_upload(wanted.filename, wanted.size, wanted.kind, by=actor(), mark=wanted.mark)
    return jsonify(_state(upload, [], list(range(1, upload.part_count + 1)))), 201


@bp.route("/uploads/<uuid:asset_id>", methods=["GET", "POST"])
def uploads_show(asset_id: UUID) -> ResponseReturnValue:
    """How far an upload is, with fresh addresses for what is missing; POST also keeps it from being taken for forgotten."""
    asset, upload = queries.get_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    if request.method == "POST":
        operations.go_on(upload, by=actor())
    return jsonify(_state(upload, *queries.upload_state(upload)))


@bp.route("/uploads/<uuid:asset_id>/complete", methods=["POST"])
def uploads_complete(asset_id: UUID) -> ResponseReturnValue:
    """Every part has arrived: hand the file to a worker."""
    asset, upload = queries.lock_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.complete_upload(upload, asset, by=actor())
    return jsonify({"asset_id": str(asset.id), "state": asset.state, "status_url": url_for(".assets_status", asset_id=asset.id)})


@bp.route("/uploads/<uuid:asset_id>/cancel", methods=["POST"])
def uploads_cancel(asset_id: UUID) -> ResponseReturnValue:
    """Give an upload up."""
    asset, upload = queries.lock_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.cancel_upload(upload, asset, by=actor())
    return "", 204


@bp.route("/uploads/new", methods=["GET", "POST"])
@signed_door
def uploads_new() -> ResponseReturnValue:
    """Upload one file with a plain form; its address carries a ticket of this browser in place of the form token."""
    allow(policies.can_upload(actor()))
    if request.method == "POST":
        _check_ticket()
        close_work(commit=True)  # a slow line must hold no database connection
        request.max_content_length = operations.MAX_PLAIN + (1 << 20)
    form = UploadForm(meta={"csrf": False})
    page = "content/admin/uploads_new.html"
    if not form.is_submitted():
        return render_template(page, form=form, ticket=_ticket())
    if not form.validate():
        return invalid(page, page=page, form=form, ticket=_ticket())
    try:
        with earlier():
            asset = operations.receive_file(form.file.data.filename, form.file.data.stream, form.kind.data, by=actor())
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid(page, page=page, form=form, ticket=_ticket())
    return redirect(url_for(".assets_show", asset_id=asset.id), 303)


@bp.route("/assets")
def assets() -> ResponseReturnValue:
    """Every file this person may look after."""
    allow(policies.can_upload(actor()))
    return answer_list(Assets(), "content/admin/assets.html", usage=queries.usage(), may_rule=bool(policies.can_rule(actor())))


@bp.route("/assets/<uuid:asset_id>")
def assets_show(asset_id: UUID) -> ResponseReturnValue:
    """One file: what it is, what became of it, and how it plays."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_view(actor(), asset))
    playback = queries.playback_of(asset, viewer=actor()) if asset.is_playable else None
    pictures = queries.pictures_of(actor()) if asset.kind == "video" else []
    wave = sparkline(asset.made["wave"], width=400, height=48) if asset.made.get("wave") else None
    return render_template("content/admin/assets_show.html", playback=playback, pictures=pictures, wave=wave, **_status(asset))


@bp.route("/assets/<uuid:asset_id>/original")
def assets_original(asset_id: UUID) -> ResponseReturnValue:
    """Download what was uploaded as it came."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    return redirect(queries.original_url(asset), 302)


@bp.route("/assets/<uuid:asset_id>/status")
def assets_status(asset_id: UUID) -> ResponseReturnValue:
    """Where a file stands; asks again by itself while it is being worked on."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_view(actor(), asset))
    return fragment("content/admin/_status.html", page=url_for(".assets_show", asset_id=asset.id), **_status(asset))


@bp.route("/assets/<uuid:asset_id>/heartbeat", methods=["POST"])
def assets_heartbeat(asset_id: UUID) -> ResponseReturnValue:
    """Keep a preview in the back office playing."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_view(actor(), asset))
    operations.renew_grant(asset.id, actor())
    return "", 204


@bp.route("/assets/<uuid:asset_id>/retry", methods=["POST"])
def assets_retry(asset_id: UUID) -> ResponseReturnValue:
    """Try again to make something of a file that failed."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.retry_asset(asset, by=actor())
    return changed("content/admin/_status.html", otherwise=url_for(".assets_show", asset_id=asset.id), **_status(asset))


@bp.route("/assets/<uuid:asset_id>/remake", methods=["POST"])
def assets_remake(asset_id: UUID) -> ResponseReturnValue:
    """Make every size of a video anew; what there is plays on meanwhile."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.remake_asset(asset, by=actor())
    return changed("content/admin/_status.html", otherwise=url_for(".assets_show", asset_id=asset.id), **_status(asset))


@bp.route("/assets/<uuid:asset_id>/poster", methods=["POST"])
def assets_poster(asset_id: UUID) -> ResponseReturnValue:
    """Choose what is shown before a video plays: one of its moments, or a picture."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    picked, moment = request.form.get("picture", ""), read_time(request.form.get("at", ""))
    if picked:
        operations.choose_picture(asset, queries.get_asset(_id(picked)), by=actor())
        toast(_("This picture is shown before the video plays."), tone="success")
    elif moment is not None:
        operations.choose_moment(asset, moment, by=actor())
        toast(_("The picture is being drawn; it appears in a moment."), tone="success")
    else:
        raise Invalid(_("Write the moment like 1:23, or choose a picture."), fields={"at": _("Write the moment like 1:23.")})
    return moved(url_for(".assets_show", asset_id=asset.id))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(_("Choose a picture of the list."), fields={"picture": _("Choose a picture.")}) from error


def _status(asset: Asset) -> dict[str, Any]:
    return {
        "file": asset,
        "poster_url": queries.picture_url(asset),
        "download_url": queries.download_url(asset),
        "stage": _stage(asset),
        "pace": queries.pace_of(asset) if asset.state == "processing" else None,
    }


def _stage(asset: Asset) -> str:
    """What is being done now, in words."""
    words = {
        "check": _("Checking the file"),
        "remux": _("Making it playable"),
        "cut": _("Cutting it into pieces for the workers"),
        "encode": _("Making it play well on every line"),
    }
    return words.get(asset.stage, _("Waiting for a free worker"))


def _state(upload: Upload, received: list[int], missing: list[int]) -> dict[str, Any]:
    """An upload as the browser's script reads it; the addresses of the next missing parts are good for an hour."""
    urls = [
        {
            "number": number,
            "size": upload.size_of(number),
            "url": storage().part_url(upload.key, upload.upload_id, number, upload.size_of(number), URL_SECONDS),
        }
        for number in (missing[:URLS_AT_ONCE] if upload.is_open else [])
    ]
    return {
        "asset_id": str(upload.asset_id),
        "state": upload.state,
        "size": upload.size,
        "part_size": upload.part_size,
        "part_count": upload.part_count,
        "received": received,
        "missing": len(missing),
        "parts": urls,
        "upload_url": url_for(".uploads_show", asset_id=upload.asset_id),
        "complete_url": url_for(".uploads_complete", asset_id=upload.asset_id),
        "cancel_url": url_for(".uploads_cancel", asset_id=upload.asset_id),
        "status_url": url_for(".assets_status", asset_id=upload.asset_id),
        "asset_url": url_for(".assets_show", asset_id=upload.asset_id),
    }


def _twin(asset: Asset) -> dict[str, Any]:
    """A file that is here already, as the browser's script offers it."""
    return {
        "asset_id": str(asset.id),
        "name": asset.filename,
        "status_url": url_for(".assets_status", asset_id=asset.id),
        "asset_url": url_for(".assets_show", asset_id=asset.id),
    }


def _ticket() -> str:
    return signing.sign(PLAIN, {"v": queries.viewer_key(actor()), "c": str(g.channel.id)}, seconds=12 * 3600)


def _check_ticket() -> None:
    claims = signing.unsign(PLAIN, request.args.get("ticket", ""))
    if claims["v"] != queries.viewer_key(actor()) or claims["c"] != str(g.channel.id):
        raise Forbidden(_("This form was opened in another browser. Reload the page and send it again."), rule="form_token")


@bp.route("/assets/<uuid:asset_id>/delete", methods=["POST"])
def assets_delete(asset_id: UUID) -> ResponseReturnValue:
    """Put a file into the bin."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.delete_asset(asset, by=actor())
    toast(_("“%(name)s” is in the bin.", name=asset.filename), undo=url_for(".assets_restore", asset_id=asset_id))
    return moved(url_for(".assets"))


@bp.route("/assets/<uuid:asset_id>/restore", methods=["POST"])
def assets_restore(asset_id: UUID) -> ResponseReturnValue:
    """Bring a file back out of the bin."""
    asset = queries.find_deleted(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.restore_asset(asset, by=actor())
    toast(_("“%(name)s” is back.", name=asset.filename), tone="success")
    return moved(url_for(".assets_show", asset_id=asset_id))
