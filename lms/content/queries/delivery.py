"""The addresses at which an asset is played or downloaded, and what they stand on."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from lms.content import gateways
from lms.content.errors import NoSuchAsset
from lms.content.models import Asset
from lms.core import signing
from lms.core.decisions import Actor
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.storage import storage
from lms.core.tenancy import current_channel

WATCH = "content:watch"
WATCH_SECONDS = 6 * 3600
DAY = 86_400


class Caption(NamedTuple):
    """Captions in one language, as a player takes them."""

    src: str
    lang: str
    label: str
    default: bool


class Playback(NamedTuple):
    """Where to play an asset from; "" where there is nothing. Addresses work for this viewer alone and only while the grant stands."""

    hls_url: str
    mp4_url: str
    poster_url: str
    duration: float
    asset_id: UUID
    sound_url: str = ""
    storyboard_url: str = ""
    captions: Sequence[Caption] = ()
    chapters: Sequence[tuple[float, str]] = ()


class Ticket(NamedTuple):
    """What the signed part of a playing address says: of what, for whom, since when."""

    asset_id: UUID
    viewer: str
    since: int


def viewer_key(viewer: Actor) -> str:
    """What a playing address is bound to: the sign-in session, else the account (machines), else nobody."""
    if viewer.session_id is not None:
        return str(viewer.session_id)
    return f"user-{viewer.user_id}" if viewer.user_id is not None else ""


def playback_of(asset: Asset, *, viewer: Actor, public: bool = False, seconds: int = gateways.GRANT_SECONDS) -> Playback:
    """The addresses at which this viewer plays the asset from now on; the caller has decided that they may.

    It opens a grant of `seconds` for the viewer's session, which `operations.renew_grant` keeps open and
    `operations.revoke_grants` shuts. `public` is for previews that anybody may see: bound to nobody, and never shut early.
    """
    if not asset.is_playable or asset.folder is None:
        return Playback("", "", "", 0.0, asset.id)
    who = "" if public else viewer_key(viewer)
    if not who and not public:
        raise Forbidden(_("Sign in first."), rule="sign_in")
    if who:
        gateways.grants().open(current_channel(), asset.id, who, viewer.user_id, seconds)
    claims = {"a": str(asset.id), "c": str(current_channel()), "v": who, "s": int(time.time())}
    token = signing.sign(WATCH, claims, seconds=WATCH_SECONDS)
    home = f"{asset.channel_id}/assets/{asset.id}/"

    def url(key: str | None) -> str:
        return f"{place_of(asset.id)}{token}/{key.removeprefix(home)}" if key else ""

    return Playback(
        url(asset.hls_key),
        url(asset.mp4_key),
        url(asset.poster_key),
        asset.duration_seconds or 0.0,
        asset.id,
        url(asset.sound_key),
        url(asset.storyboard_key),
        [
            Caption(f"/content/tracks/{token}/{one['id']}-{one['version']}.vtt", one["lang"], one["label"], one["default"])
            for one in asset.made.get("captions", ())
        ],
        [(start, title) for start, title in asset.made.get("chapters", ())],
    )


def read_ticket(token: str) -> Ticket:
    """What the signed part of a playing address says; raises Forbidden when it was changed, is too old or is another channel's."""
    claims: dict[str, Any] = signing.unsign(WATCH, token)
    if claims["c"] != str(current_channel()):
        raise Forbidden(_("This link is of another academy."), rule="channel")
    return Ticket(UUID(claims["a"]), claims["v"], claims["s"])


def place_of(asset_id: UUID) -> str:
    """The path all playing addresses of an asset begin with; a pass for nginx is good for one of these."""
    return f"/content/watch/{current_channel()}/{asset_id}/"


def grant_stands(ticket: Ticket, viewer: Actor) -> bool:
    """Whether the viewer who asks is the one the address was made for, and their grant still stands."""
    if ticket.viewer == "":
        return True
    if ticket.viewer != viewer_key(viewer):
        return False
    return gateways.grants().stands(current_channel(), ticket.asset_id, ticket.viewer, issued_at=ticket.since)


def picture_url(asset: Asset | None) -> str:
    """A signed address of a ready picture (cover, poster), the same all day so that browsers keep it; "" without one."""
    if asset is None or asset.poster_key is None or asset.state in ("uploading", "deleted"):
        return ""
    return storage().get_url(asset.poster_key, seconds_to_tomorrow(), inline=True)


def download_url(asset: Asset, *, seconds: int = 300) -> str:
    """A short signed address that downloads a ready document or file under its own name; "" when there is nothing to download."""
    if asset.file_key is None or asset.state != "ready":
        return ""
    return storage().get_url(asset.file_key, seconds, filename=asset.filename, content_type=asset.content_type)


def original_url(asset: Asset, *, seconds: int = 300) -> str:
    """A short signed address that downloads what was uploaded as it came, wherever it lies."""
    if not asset.has_original:
        raise NoSuchAsset(_("What was uploaded is not kept of this file."))
    return storage().get_url(asset.original_key, seconds, filename=asset.filename, content_type="application/octet-stream")


def seconds_to_tomorrow() -> int:
    """Seconds to the end of tomorrow (UTC): one and the same moment all day, so signed addresses repeat and are cached."""
    moment = int(time.time())
    return (moment // DAY + 2) * DAY - moment
