"""The shape of what people and players send to enrollments: `enrolled` for enrolments, batches and lessons, `links` for the ways in."""

from lms.enrollments.forms.enrolled import (
    AnswerForm,
    BatchForm,
    BeatBody,
    ByHandForm,
    DuplicateForm,
    EndForm,
    EnrollForm,
    KeyForm,
    LeaveForm,
    MoveForm,
    NoteForm,
    PlaceForm,
    ReasonForm,
    RequestForm,
    VouchersForm,
    WaitForm,
)
from lms.enrollments.forms.links import HireForm, LinkForm, NewLinkForm, ReplaceKeyForm

__all__ = [
    "AnswerForm",
    "BatchForm",
    "BeatBody",
    "ByHandForm",
    "DuplicateForm",
    "EndForm",
    "EnrollForm",
    "HireForm",
    "KeyForm",
    "LeaveForm",
    "LinkForm",
    "MoveForm",
    "NewLinkForm",
    "NoteForm",
    "PlaceForm",
    "ReasonForm",
    "ReplaceKeyForm",
    "RequestForm",
    "VouchersForm",
    "WaitForm",
]
