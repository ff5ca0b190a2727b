"""Classes sent over RTMP by OBS and its kind: the key of a class, the door at which nginx asks, the file nginx writes.

A key names its channel, its class and how often it was changed, and carries a signature of that; so it is stored nowhere.
"""

import base64
import binascii
from typing import NamedTuple
from uuid import UUID

from lms.core import signing

KEY, DOOR = "streaming:rtmp-key", "streaming:rtmp-door"
MIME = "video/x-flv;codecs=avc1"
_server: list[str] = []


class Key(NamedTuple):
    """What a key says."""

    channel_id: UUID
    session_id: UUID
    version: int


def use_rtmp(address: str) -> None:
    """Say where classes are sent to, as hosts type it; empty: nowhere."""
    _server[:] = [address.rstrip("/")] if address else []


def rtmp_address() -> str:
    """The address hosts send to; "" when this install takes no RTMP."""
    return _server[0] if _server else ""


def rtmp_door() -> str:
    """The part of an address that only our nginx knows."""
    return signing.key(DOOR).hex()


def make_key(channel_id: UUID, session_id: UUID, version: int) -> str:
    """The key with which a class is sent."""
    said = channel_id.bytes + session_id.bytes + version.to_bytes(2)
    return base64.urlsafe_b64encode(said + _seal(said)).decode().rstrip("=")


def read_key(key: str) -> Key | None:
    """What a key says; None when it is none of ours."""
    try:
        raw = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    said, seal = raw[:34], raw[34:]
    if len(said) != 34 or not signing.same(_seal(said), seal):
        return None
    return Key(UUID(bytes=said[:16]), UUID(bytes=said[16:32]), int.from_bytes(said[32:]))


def film_name(take_id: UUID) -> str:
    """What nginx calls the stream of a take; the file it writes is called so too."""
    return take_id.hex


def _seal(said: bytes) -> bytes:
    return signing.digest(KEY, said.hex())[:16]
