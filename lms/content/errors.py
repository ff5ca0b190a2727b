"""Refusals of content worth a name."""

from lms.core.errors import Conflict, Invalid, NotFound
from lms.core.sniff import WrongFile

__all__ = [
    "EditedMeanwhile",
    "NoSuchAsset",
    "NoSuchDevice",
    "NotRetryable",
    "TooManyDevices",
    "TooManyScreens",
    "UploadIncomplete",
    "UploadOver",
    "WrongFile",
    "WrongUpload",
]


class NoSuchAsset(NotFound):
    """There is no such file here, or it was deleted."""


class NoSuchDevice(NotFound):
    """This device is not known, or was forgotten."""


class WrongUpload(Invalid):
    """An upload that cannot be begun as asked: its name, size or kind."""


class UploadIncomplete(Conflict):
    """Parts are still missing."""


class UploadOver(Conflict):
    """The upload was completed or given up."""


class EditedMeanwhile(Conflict):
    """Somebody else saved since."""


class TooManyDevices(Conflict):
    """The person watches on as many devices as they may, or changed them too often."""


class TooManyScreens(Conflict):
    """The person watches on as many other screens as they may."""


class NotRetryable(Conflict):
    """There is nothing to try again."""
