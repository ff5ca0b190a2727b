"""Door 3: uploads in parts straight to the store, and what becomes of each file."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint, url_for
from pydantic import Field

from lms.channels.queries import get_member
from lms.content import operations, policies, queries
from lms.content.models import Asset, Track, Upload
from lms.core.clock import now
from lms.core.decisions import signed_in
from lms.core.storage import storage
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, endpoint, located

bp = Blueprint("content_api", __name__, url_prefix="/api/v1/content")
URLS_AT_ONCE = 60
URL_SECONDS = 3600


class NewUpload(Body):
    """The file to come; an empty kind is told from the name."""

    filename: Annotated[str, Field(min_length=1, max_length=500)]
    size: Annotated[int, Field(ge=0, le=1 << 50, description="Bytes")]
    kind: Literal["", "video", "audio", "image", "document", "file"] = ""


class PartAnswer(Answer):
    """One part to send: PUT exactly `size` bytes of the file, from (number - 1) x part_size, to `url` (no token needed)."""

    number: int
    size: int
    url: str


class UploadAnswer(Answer):
    """How far an upload is, and where the next missing parts go; the addresses are good for an hour."""

    asset_id: UUID
    state: str
    size: int
    part_size: int
    part_count: int
    received: list[int]
    missing: list[int]
    parts: list[PartAnswer]


class PlaybackAnswer(Answer):
    """Where this person plays a file from now on; "" where there is nothing. Send the access token there, too."""

    hls_url: str
    mp4_url: str
    poster_url: str
    duration: float | None
    sound_url: str = ""
    storyboard_url: str = ""


class AssetAnswer(Answer):
    """A file and what became of it; `progress` is percent, `failure` the reason in words."""

    id: UUID
    kind: str
    state: str
    filename: str
    size: int
    sha256: str | None
    content_type: str
    duration_seconds: float | None
    width: int | None
    height: int | None
    progress: int
    failure: str | None
    created_at: datetime
    ready_at: datetime | None
    picture_url: str = ""
    download_url: str = ""
    playback: PlaybackAnswer | None = None


class NewTrack(Body):
    """Captions or chapters of a video in a language."""

    body: Annotated[str, Field(min_length=1, max_length=2_000_000, description="WebVTT or SRT")]
    language: Annotated[str, Field(min_length=2, max_length=20)]
    kind: Literal["captions", "chapters"] = "captions"
    label: Annotated[str, Field(max_length=60)] = ""


class TrackAnswer(Answer):
    """Captions or chapters in a language; `version` counts their changes."""

    id: UUID
    kind: str
    language: str
    label: str
    is_default: bool
    lines: int
    version: int


class TrackText(TrackAnswer):
    """The same with its words as WebVTT."""

    body: str


class TrackList(Answer):
    """The captions and chapters of one video."""

    rows: list[TrackAnswer]


class DeviceAnswer(Answer):
    """A browser or app somebody watches on."""

    id: UUID
    name: str
    first_seen_at: datetime
    seen_at: datetime


class DeviceList(Answer):
    """The devices of one person, last seen first; `most` is null for any number, `change_again_at` null for now."""

    most: int | None
    change_again_at: datetime | None
    rows: list[DeviceAnswer]


class NewPoster(Body):
    """A moment of the video in seconds, or the id of a ready picture."""

    seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    picture_id: UUID | None = None


@bp.post("/uploads")
@endpoint(status=201)
def uploads_create(body: NewUpload) -> UploadAnswer:
    """Begin an upload in parts."""
    allow(policies.can_upload(actor()))
    upload = operations.start_upload(body.filename, body.size, body.kind, by=actor())
    located(url_for(".uploads_show", asset_id=upload.asset_id))
    return _upload(upload, [], list(range(1, upload.part_count + 1)))


@bp.get("/uploads/<uuid:asset_id>")
@endpoint()
def uploads_show(asset_id: UUID) -> UploadAnswer:
    """How far an upload is, with fresh addresses for what is missing."""
    asset, upload = queries.get_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    return _upload(upload, *queries.upload_state(upload))


@bp.post("/uploads/<uuid:asset_id>/resume")
@endpoint()
def uploads_resume(asset_id: UUID) -> UploadAnswer:
    """The same, and keep a long upload from being taken for forgotten."""
    asset, upload = queries.get_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.go_on(upload, by=actor())
    return _upload(upload, *queries.upload_state(upload))


@bp.post("/uploads/<uuid:asset_id>/complete")
@endpoint()
def uploads_complete(asset_id: UUID) -> AssetAnswer:
    """Every part has arrived: hand the file to a worker."""
    asset, upload = queries.lock_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.complete_upload(upload, asset, by=actor())
    return _asset(asset)


@bp.post("/uploads/<uuid:asset_id>/cancel")
@endpoint(status=204)
def uploads_cancel(asset_id: UUID) -> None:
    """Give an upload up."""
    asset, upload = queries.lock_asset(asset_id), queries.get_upload(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.cancel_upload(upload, asset, by=actor())


@bp.get("/assets/<uuid:asset_id>")
@endpoint()
def assets_show(asset_id: UUID) -> AssetAnswer:
    """Where a file stands, and how to play or download it."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_view(actor(), asset))
    return _asset(asset)


@bp.post("/assets/<uuid:asset_id>/retry")
@endpoint()
def assets_retry(asset_id: UUID) -> AssetAnswer:
    """Try again to make something of a file that failed."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.retry_asset(asset, by=actor())
    return _asset(asset)


@bp.get("/assets/<uuid:asset_id>/tracks")
@endpoint()
def assets_tracks(asset_id: UUID) -> TrackList:
    """The captions and chapters of a video."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    return TrackList(rows=[TrackAnswer.model_validate(track) for track in queries.tracks_of(asset_id)])


@bp.post("/assets/<uuid:asset_id>/tracks")
@endpoint(status=201)
def assets_tracks_create(asset_id: UUID, body: NewTrack) -> TrackAnswer:
    """Add captions or chapters as WebVTT or SRT; a language that is there already is replaced."""
    asset = queries.get_asset(asset_id)
    allow(policies.can_caption(actor(), asset))
    track = operations.add_track(asset, body.body.encode(), kind=body.kind, language=body.language, label=body.label, by=actor())
    return TrackAnswer.model_validate(track)


@bp.get("/tracks/<uuid:track_id>")
@endpoint()
def tracks_show(track_id: UUID) -> TrackText:
    """One track with its words, as WebVTT."""
    track = _track(track_id)
    return TrackText.model_validate(track)


@bp.delete("/tracks/<uuid:track_id>")
@endpoint(status=204)
def tracks_delete(track_id: UUID) -> None:
    """Take captions or chapters away for good."""
    operations.delete_track(_track(track_id), by=actor())


@bp.post("/assets/<uuid:asset_id>/poster")
@endpoint(status=202)
def assets_poster(asset_id: UUID, body: NewPoster) -> AssetAnswer:
    """Choose the picture shown before a video plays: a moment of it, drawn by a worker, or a picture uploaded before."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    if body.picture_id is not None:
        operations.choose_picture(asset, queries.get_asset(body.picture_id), by=actor())
    else:
        operations.choose_moment(asset, body.seconds, by=actor())
    return _asset(asset)


@bp.delete("/assets/<uuid:asset_id>")
@endpoint(status=204)
def assets_delete(asset_id: UUID) -> None:
    """Delete a file; nobody plays it any more."""
    asset = queries.lock_asset(asset_id)
    allow(policies.can_manage(actor(), asset))
    operations.delete_asset(asset, by=actor())


@bp.get("/devices")
@endpoint()
def devices() -> DeviceList:
    """The devices I watch on, where the academy limits their number."""
    allow(signed_in(actor()))
    user_id = actor().user_id
    assert user_id is not None
    return _devices(user_id)


@bp.delete("/devices/<uuid:device_id>")
@endpoint(status=204)
def devices_delete(device_id: UUID) -> None:
    """Forget one of my devices, so that another takes its place; now and then."""
    device = queries.get_device(device_id)
    allow(policies.can_forget(actor(), device, queries.devices_of(device.user_id, None), at=now()))
    operations.forget_device(device, by=actor())


@bp.get("/people/<uuid:user_id>/devices")
@endpoint()
def people_devices(user_id: UUID) -> DeviceList:
    """The devices a person watches on."""
    allow(policies.can_rule(actor()))
    return _devices(get_member(user_id).id)


@bp.delete("/people/<uuid:user_id>/devices")
@endpoint(status=204)
def people_devices_delete(user_id: UUID) -> None:
    """Forget every device of a person, and how often they changed them."""
    allow(policies.can_rule(actor()))
    operations.clear_devices(get_member(user_id).id, by=actor())


def _devices(user_id: UUID) -> DeviceList:
    found = queries.devices_of(user_id, queries.watching_rule().most_devices)
    again = found.next_change(now())
    return DeviceList(most=found.most, change_again_at=again, rows=[DeviceAnswer.model_validate(one) for one in found.known])


def _track(track_id: UUID) -> Track:
    """Captions or chapters, for those who look after their video."""
    track = queries.get_track(track_id)
    allow(policies.can_manage(actor(), queries.get_asset(track.asset_id)))
    return track


def _upload(upload: Upload, received: list[int], missing: list[int]) -> UploadAnswer:
    """An upload with the addresses of the next missing parts."""
    wanted = missing[:URLS_AT_ONCE] if upload.is_open else []
    parts = [
        PartAnswer(
            number=number,
            size=upload.size_of(number),
            url=storage().part_url(upload.key, upload.upload_id, number, upload.size_of(number), URL_SECONDS),
        )
        for number in wanted
    ]
    return UploadAnswer(
        asset_id=upload.asset_id,
        state=upload.state,
        size=upload.size,
        part_size=upload.part_size,
        part_count=upload.part_count,
        received=received,
        missing=missing,
        parts=parts,
    )


def _asset(asset: Asset) -> AssetAnswer:
    """A file with its addresses."""
    made = AssetAnswer.model_validate(asset)
    made.picture_url, made.download_url = queries.picture_url(asset), queries.download_url(asset)
    if asset.is_playable:
        made.playback = PlaybackAnswer.model_validate(queries.playback_of(asset, viewer=actor()))
    return made
