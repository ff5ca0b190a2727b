"""Where a live class happens: providers behind one interface."""

import hashlib
import hmac
from typing import Protocol
from urllib.parse import urlsplit

from lms.core.i18n import gettext as _
from lms.streaming.errors import BadLink
from lms.streaming.gateways.rtmp import rtmp_address
from lms.streaming.models import Session

TOLERANCE_SECONDS = 300


class Provider(Protocol):
    """A place where people see and hear each other; `name` is what a session stores.

    `records` says whether it gives us a recording by itself, `stages` whether the picture plays on our own page.
    Whoever it is, joins, leaves and the recording arrive as the same facts (`operations.reporting` for outside rooms).
    """

    name: str
    records: bool
    stages: bool

    def check(self, join_url: str) -> str:
        """The address as it will be stored; raises BadLink when it cannot be a room."""

    def door(self, session: Session) -> str:
        """The outside address that lets somebody in who may join now; "" for a class on our own page."""


class LinkProvider:
    """A room somewhere else (Zoom, Meet, Jitsi…), reached by its link; it records nothing for us."""

    name = "link"
    records = False
    stages = False

    def check(self, join_url: str) -> str:
        """An https address without surprises; an empty one is a class that happens in the chat alone."""
        join_url = join_url.strip()
        if not join_url:
            return ""
        parts = urlsplit(join_url)
        if (
            parts.scheme != "https"
            or not parts.hostname
            or "@" in parts.netloc
            or any(ord(c) < 33 for c in join_url)
            or len(join_url) > 2000
        ):
            raise BadLink(
                _("Paste the link of the meeting; it begins with https://."), fields={"join_url": _("This is not an https:// link.")}
            )
        return join_url

    def door(self, session: Session) -> str:
        """The stored link."""
        return session.join_url


class BrowserProvider:
    """This platform itself: the host's browser sends camera, screen and sound, students watch on the class's page."""

    name = "browser"
    records = True
    stages = True

    def check(self, join_url: str) -> str:
        """There is no address to keep."""
        return ""

    def door(self, session: Session) -> str:
        """The class's own page."""
        return ""


class RtmpProvider(BrowserProvider):
    """This platform itself, fed by OBS or another program that sends RTMP."""

    name = "rtmp"

    def check(self, join_url: str) -> str:
        """There is no address to keep; raises BadLink where this install takes no RTMP."""
        if not rtmp_address():
            sentence = _("This platform takes no classes from OBS. Choose another place.")
            raise BadLink(sentence, fields={"provider": sentence})
        return ""


class WebhookProvider(LinkProvider):
    """A room somewhere else that reports joins, leaves and its recording by signed webhooks."""

    name = "webhook"


def signature_fits(secret: str, header: str, body: bytes, *, at: float) -> bool:
    """Whether `t=<seconds>,v1=<hex>` is the HMAC-SHA-256 of "<seconds>.<body>" under the secret, made within five minutes."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not stamp.isdigit() or len(stamp) > 12 or abs(at - int(stamp)) > TOLERANCE_SECONDS:
        return False
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))


PROVIDERS: dict[str, Provider] = {made.name: made for made in (LinkProvider(), BrowserProvider(), RtmpProvider(), WebhookProvider())}


def provider_of(session: Session) -> Provider:
    """The provider a session happens at."""
    return PROVIDERS[session.provider]
