"""Channels as the kernel sees them: an id that every tenant row carries, and a way to visit all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lms.core import db


@dataclass(frozen=True, slots=True)
class ChannelFace:
    """A channel as pages see it."""

    id: UUID
    slug: str
    name: str
    tagline: str
    currency: str
    locale: str
    zone: str
    version: int
    is_demo: bool
    origin: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def logo_url(self) -> str | None:
        """The address of the channel's logo, when it has one."""
        return self.settings.get("logo_url")

    @property
    def theme_href(self) -> str:
        """The address of the channel's stylesheet; it changes when the theme does."""
        return f"/theme/{self.version}.css"


_source: list[Callable[[], Sequence[UUID]]] = []


def current_channel() -> UUID:
    """The channel of the running unit of work; raises NoWork when it has none."""
    channel_id = db.work().channel_id
    if channel_id is None:
        raise db.NoWork("this unit of work has no channel")
    return channel_id


def channels_come_from(source: Callable[[], Sequence[UUID]]) -> None:
    """Tell the kernel who lists the channels; the source runs in a platform unit of work."""
    _source[:] = [source]


def all_channels() -> Sequence[UUID]:
    """Every open channel of the install; platform-wide, so it opens a platform unit of work of its own."""
    with db.unit_of_work(platform=True, read_only=True):
        return _source[0]() if _source else []
