"""What content announces."""

from dataclasses import dataclass
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class AssetReady(Event):
    """A file was checked and made ready to be shown; `duration_seconds` is 0 for what has none."""

    asset_id: UUID
    kind: str
    duration_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AssetPlayable(Event):
    """A video can be watched already, while better versions of it are in the making."""

    asset_id: UUID
    duration_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AssetFailed(Event):
    """A file was refused or could not be made ready; `reason` is the sentence its owner sees."""

    asset_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class AssetReceived(Event):
    """A file arrived whole, or is to be tried again: a worker may begin."""

    asset_id: UUID


@dataclass(frozen=True, kw_only=True)
class PosterWanted(Event):
    """Somebody chose a moment of a video as its picture; a worker draws it."""

    asset_id: UUID
    seconds: float


@dataclass(frozen=True, kw_only=True)
class AssetDeleted(Event):
    """A file was deleted, or its upload given up; what was stored of it may go."""

    asset_id: UUID
