"""Refusals of content worth a name."""

from lms.core.errors import Conflict, Invalid, NotFound
from lms.core.sniff import WrongFile

__all__ = ["EditedMeanwhile", "NoSuchAsset", "NotRetryable", "TooManyScreens", "UploadIncomplete", "UploadOver", "WrongFile", "WrongUpload"]


class NoSuchAsset(NotFound):
    """There is no such file here, or it was deleted."""


class WrongUpload(Invalid):
    """An upload that cannot be begun as asked: its name, size or kind."""


class UploadIncomplete(Conflict):
    """Parts are still missing."""


class UploadOver(Conflict):
    """The upload was completed or given up."""


class EditedMeanwhile(Conflict):
    """Somebody else saved since."""


class TooManyScreens(Conflict):
    """The person watches on as many other screens as they may."""


class NotRetryable(Conflict):
    """There is nothing to try again."""
