"""The shape of what people and players send to enrollments."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core.captions import read_time
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses.forms import IdField
from lms.enrollments.models import CourseBatch
from lms.enrollments.operations import BatchSheet, Played
from lms.web.forms import Form, MoneyField, one_line, strip

LONGEST_SECONDS = 2_000_000
MOST_SEATS = 1_000_000
LOCAL = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class EnrollForm(Form):
    """The confirm page's form: the price that was shown, so that another one is never taken; or a coupon to look at."""

    agreed = HiddenField(validators=[Length(max=40)])
    coupon = HiddenField(validators=[Length(max=400)])
    way = HiddenField(validators=[Length(max=400)])
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


class LeaveForm(Form):
    """That somebody leaves a course; nothing is asked."""


class PlaceForm(Form):
    """What becomes of somebody whose code gave a place that was gone."""

    act = RadioField(
        _l("What becomes of it"),
        choices=[
            ("batch", _l("Another batch: they take a place there, on its days")),
            ("without", _l("No batch: they stay in the course at their own pace")),
            ("money", _l("Money back: into their wallet, and the course closes")),
        ],
        validators=[InputRequired(_l("Choose one."))],
    )
    batch_id = SelectField(_l("Batch"))
    amount = MoneyField(_l("How much they get back"), validators=[Optional()])
    reason = TextAreaField(_l("Reason"), filters=[strip], validators=[Length(max=500)], description=_l("The person reads it."))


class NoteForm(Form):
    """A note to a lesson, at a moment of its video or at none."""

    note_id = IdField(default=uuid7)
    at = StringField(_l("Moment"), filters=[strip], validators=[Length(max=12)], description=_l("Like 1:23; empty for the whole lesson."))
    body = TextAreaField(_l("Note"), filters=[strip], validators=[DataRequired(_l("Write a note.")), Length(max=5000)])

    def validate_at(self, field: StringField) -> None:
        """A moment that can be read."""
        if field.data and read_time(field.data) is None:
            raise ValidationError(_("Write the moment like 1:23 or 1:02:03."))


class KeyForm(Form):
    """A key somebody types on a course page."""

    key = StringField(_l("Key"), [DataRequired(_l("Type the key you were given.")), Length(max=120)], filters=[strip])


class RequestForm(Form):
    """Why somebody asks to be let into a course."""

    reason = TextAreaField(
        _l("Why do you ask?"),
        [DataRequired(_l("Say in a few words why.")), Length(max=1000)],
        filters=[strip],
        description=_l("Whoever decides reads it, for example: I teach at the partner school."),
    )


class AnswerForm(Form):
    """The answer to a request, in words."""

    answer = TextAreaField(
        _l("Words to the person"),
        [Length(max=1000)],
        filters=[strip],
        description=_l("They read it in the mail. A refusal needs some."),
    )


class BatchForm(Form):
    """A run of a course: its days are of the academy's zone, empty numbers mean no limit and the course's own price."""

    batch_id = HiddenField(default=lambda: str(uuid7()), validators=[Length(max=40)])
    version = HiddenField(default="0", validators=[Length(max=10)])
    name = StringField(
        _l("Name"), filters=[strip], validators=[DataRequired(_l("Give the batch a name, such as Spring 2027.")), Length(max=120), one_line]
    )
    about = StringField(
        _l("About it"),
        filters=[strip],
        validators=[Length(max=300), one_line],
        description=_l("Students read it beside the name: Tuesdays at 18:00, in English."),
    )
    starts_on = DateField(_l("First day"), validators=[Optional()], description=_l("The lessons open on this day. Empty: at once."))
    ends_on = DateField(
        _l("Last day"), validators=[Optional()], description=_l("The course closes for its people after this day. Empty: it stays open.")
    )
    enrol_from = DateField(_l("Enrolment from"), validators=[Optional()], description=_l("Empty: now."))
    enrol_until = DateField(_l("Enrolment until"), validators=[Optional()], description=_l("Empty: until the last day."))
    seats = IntegerField(
        _l("Places"),
        validators=[Optional(), NumberRange(1, MOST_SEATS, _l("Between 1 and a million places."))],
        description=_l("Empty: as many as come."),
    )
    price = MoneyField(
        _l("Price of its own"), validators=[Optional()], description=_l("Empty: what the course costs, its sales too. 0: free.")
    )
    instructor_ids = SelectMultipleField(
        _l("Instructors beside the course’s own"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )

    def fill(self, batch: CourseBatch, currency: str, instructor_ids: Sequence[UUID]) -> None:
        """Show the batch as it is."""
        self.version.data = str(batch.version)
        for name in ("name", "about", "starts_on", "ends_on", "enrol_from", "enrol_until", "seats"):
            self[name].data = getattr(batch, name)
        self.instructor_ids.data = [str(one) for one in instructor_ids]
        if "price" in self:
            self.price.data = Money(batch.price_minor, currency) if batch.price_minor is not None else None

    def sheet(self, price_minor: int | None) -> BatchSheet:
        """What was written; `price_minor` is what stands when the price is not this person's to change."""
        if "price" in self:
            price_minor = self.price.data.minor if self.price.data is not None else None
        days = {name: self[name].data for name in ("starts_on", "ends_on", "enrol_from", "enrol_until")}
        people = tuple(UUID(one) for one in self.instructor_ids.data or ())
        return BatchSheet(
            name=self.name.data or "",
            about=self.about.data or "",
            seats=self.seats.data,
            price_minor=price_minor,
            instructor_ids=people,
            **days,
        )


class DuplicateForm(Form):
    """What a copy of a batch is called and when it begins; all its days move along."""

    batch_id = HiddenField(default=lambda: str(uuid7()), validators=[Length(max=40)])
    name = StringField(
        _l("Name"), filters=[strip], validators=[DataRequired(_l("Give the batch a name, such as Spring 2027.")), Length(max=120), one_line]
    )
    starts_on = DateField(
        _l("First day"), validators=[DataRequired(_l("Say when it begins."))], description=_l("Its other days move by as many days.")
    )


class VouchersForm(Form):
    """The voucher batches whose codes give a place in a batch."""

    voucher_batch_ids = SelectMultipleField(
        _l("Codes of these give a place"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )


class ReasonForm(Form):
    """Why something is done to people; they read it, or it stands in the history."""

    reason = TextAreaField(
        _l("Reason"), filters=[strip], validators=[DataRequired(_l("Say why, so that others understand it later.")), Length(max=500)]
    )


class WaitForm(ReasonForm):
    """What is done with somebody's place on a waitlist, and why."""

    act = RadioField(
        _l("What to do"),
        choices=[
            SelectChoice("offer", _l("Offer a free place now, for 24 hours")),
            SelectChoice("first", _l("Put first")),
            SelectChoice("up", _l("One place up")),
            SelectChoice("down", _l("One place down")),
            SelectChoice("last", _l("Put last")),
            SelectChoice("remove", _l("Take off the list")),
        ],
        validators=[DataRequired(_l("Choose what to do."))],
    )


class MoveForm(ReasonForm):
    """The batch somebody is moved to."""

    batch_id = SelectField(_l("Batch"))


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
    given: int = Field(default=0, ge=0, le=1 << 40)
