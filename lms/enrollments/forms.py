"""The shape of what people and players send to enrollments."""

from pydantic import BaseModel, ConfigDict, Field
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, ValidationError

from lms.core.captions import read_time
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.ids import uuid7
from lms.courses.forms import IdField
from lms.enrollments.operations import Played
from lms.web.forms import Form, strip

LONGEST_SECONDS = 2_000_000


class EnrollForm(Form):
    """The confirm page's form: the price that was shown, so that another one is never taken; or a coupon to look at."""

    agreed = HiddenField(validators=[Length(max=40)])
    coupon = HiddenField(validators=[Length(max=400)])
    code = StringField(_l("Coupon"), filters=[strip], validators=[Length(max=120, message=_l("A code is shorter than that."))])


class ByHandForm(Form):
    """Whom to enrol where, and why."""

    email = StringField(
        _l("E-mail of the person"),
        filters=[strip],
        validators=[DataRequired(_l("Write the address the person signs in with.")), Length(max=254)],
    )
    course_id = SelectField(_l("Course"), validators=[DataRequired(_l("Choose a course."))])
    note = TextAreaField(
        _l("Reason"), filters=[strip], validators=[DataRequired(_l("Say why, so that others understand it later.")), Length(max=500)]
    )


class EndForm(Form):
    """Why an enrolment ends; the person reads it."""

    reason = TextAreaField(_l("Reason"), filters=[strip], validators=[DataRequired(_l("Say why; the person reads it.")), Length(max=500)])


class NoteForm(Form):
    """A note to a lesson, at a moment of its video or at none."""

    note_id = IdField(default=uuid7)
    at = StringField(_l("Moment"), filters=[strip], validators=[Length(max=12)], description=_l("Like 1:23; empty for the whole lesson."))
    body = TextAreaField(_l("Note"), filters=[strip], validators=[DataRequired(_l("Write a note.")), Length(max=5000)])

    def validate_at(self, field: StringField) -> None:
        """A moment that can be read."""
        if field.data and read_time(field.data) is None:
            raise ValidationError(_("Write the moment like 1:23 or 1:02:03."))


class PlayedPart(BaseModel):
    """One stretch that was played: seconds of the video, and how fast."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid", allow_inf_nan=False)

    start: float = Field(alias="from", ge=0, le=LONGEST_SECONDS)
    end: float = Field(alias="to", ge=0, le=LONGEST_SECONDS)
    rate: float = Field(default=1.0, ge=0.1, le=16)

    def played(self) -> Played:
        """The stretch in milliseconds, as operations take it."""
        return Played(round(self.start * 1000), round(self.end * 1000), self.rate)


class BeatBody(BaseModel):
    """One report of a player."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid", allow_inf_nan=False)

    signed: str = Field(alias="pass", min_length=20, max_length=1000)
    played: list[PlayedPart] = Field(default_factory=list, max_length=200)
    position: float | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    late: bool = False
