"""What reporting announces."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lms.core.events import Event


@dataclass(frozen=True, kw_only=True)
class DownloadReady(Event):
    """A file somebody asked for is made."""

    download_id: UUID
    user_id: UUID
    title: str
    row_count: int
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class DownloadFailed(Event):
    """A file somebody asked for could not be made; `reason` is the sentence they see."""

    download_id: UUID
    user_id: UUID
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ScheduleStopped(Event):
    """A schedule cannot go on; `reason` is the sentence its owner sees."""

    schedule_id: UUID
    user_id: UUID
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """A list has come to have more rows than somebody wanted to be told of."""

    schedule_id: UUID
    run_id: UUID
    user_id: UUID
    title: str
    row_count: int
    above: int
    href: str
