"""Refusals of courses worth a name."""

from collections.abc import Mapping
from typing import Any

from lms.core.errors import Conflict, Invalid, NotFound


class NoSuchCourse(NotFound):
    """There is no such course in this channel, or not for this person."""


class NoSuchLesson(NotFound):
    """There is no such lesson or section in this channel, or not for this person."""


class NoSuchCategory(NotFound):
    """There is no such category in this channel."""


class NothingToPublish(Conflict):
    """A published course needs at least one published lesson."""


class LessonNotReady(Conflict):
    """A lesson without its text or video cannot be published."""


class WrongStatus(Conflict):
    """The act does not fit where the course stands between draft and archive."""


class CategoryInUse(Conflict):
    """A category that still holds courses cannot be deleted."""


class UnusableAsset(Invalid):
    """The file cannot be used here: of another kind, failed, gone, or somebody else's."""


class EditedMeanwhile(Conflict):
    """Somebody saved the same thing since this form was opened; `theirs` is what stands now, at `version`."""

    def __init__(self, sentence: str, *, theirs: Mapping[str, Any], version: int) -> None:
        super().__init__(sentence, rule="version")
        self.theirs = dict(theirs)
        self.version = version
