"""The shape of what people type about courses; permissions and rules are elsewhere."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import request
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import HiddenInput

from lms.channels.queries import segments_here
from lms.content.models import Asset
from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.ids import uuid7
from lms.core.markdown import LONGEST
from lms.core.money import Money
from lms.courses.models import Course, Lesson, Sale
from lms.courses.operations import Entry
from lms.web.forms import Form, MoneyField, one_line, strip
from lms.web.i18n import reader_zone

LEVEL_NAMES = {"any": _l("Any level"), "beginner": _l("Beginner"), "intermediate": _l("Intermediate"), "advanced": _l("Advanced")}

LOCAL = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
PRICE: Any = _l("Price")
KIND_CHOICES = [SelectChoice("text", _l("Text")), SelectChoice("video", _l("Video"))]


def uuid_or_none(value: Any) -> UUID | None:
    """A choice that may be empty; raises ValueError for what is no id."""
    return UUID(str(value)) if value not in (None, "", "None") else None


class IdField(HiddenField):
    """An id made by the form, so that a form sent twice makes one thing."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the id; anything else is no id."""
        self.data = uuid_or_none(valuelist[0]) if valuelist else None


class PickField(SelectField):
    """A file that is here already, in place of one just uploaded; works without script."""

    NOTHING = "none"

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label, validators=[Optional()], choices=[SelectChoice("", "")], **options)

    def offer(self, files: Sequence[Asset]) -> None:
        """Offer these files, and to have none."""
        self.choices = [
            SelectChoice("", str(_l("As chosen above"))),
            SelectChoice(self.NOTHING, str(_l("None"))),
            *(SelectChoice(str(file.id), file.filename) for file in files),
        ]

    def picked(self, otherwise: UUID | None) -> UUID | None:
        """The file that was picked, or what was chosen otherwise."""
        return otherwise if not self.data else None if self.data == self.NOTHING else UUID(self.data)


def see_version(form: Any, version: int) -> None:
    """Base the form on what stands now, so that saving again replaces it knowingly."""
    form["version"].data, form["version"].raw_data = version, None


def version_field() -> IntegerField:
    """The version the writer saw."""
    return IntegerField(widget=HiddenInput(), validators=[InputRequired()])


class NewCourseForm(Form):
    """What a course is about: the first step of the wizard."""

    course_id = IdField(default=uuid7)
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    title = StringField(_l("Title"), filters=[strip], validators=[InputRequired(_l("Give the course a title.")), Length(max=160), one_line])
    summary = StringField(
        _l("In one sentence"),
        filters=[strip],
        validators=[Length(max=300), one_line],
        description=_l("Shown in the catalogue below the title."),
    )
    description = TextAreaField(
        _l("Description"),
        validators=[Length(max=LONGEST)],
        render_kw={"rows": 10},
        description=_l("Markdown: # heading, **bold**, - list, [text](link)."),
    )
    category_id = SelectField(_l("Category"), coerce=uuid_or_none, validators=[Optional()])
    level = SelectField(_l("For whom"), choices=[SelectChoice(value, label) for value, label in LEVEL_NAMES.items()], default="any")
    instructor_id = SelectField(_l("Instructor"), coerce=uuid_or_none, validators=[Optional()])

    def words(self) -> dict[str, Any]:
        """What the course says about itself, as `edit_course` takes it."""
        return {
            name: self[name].data or ("" if name != "category_id" else None)
            for name in ("title", "summary", "description", "level", "category_id")
        }

    def fill(self, course: Course) -> None:
        """Show what the course says now."""
        self.course_id.data = course.id
        self.version.data = course.version
        for name in ("title", "summary", "description", "level", "category_id", "instructor_id"):
            if name in self:
                self[name].data = getattr(course, name)


class PriceForm(Form):
    """What a course costs and looks like: the third step of the wizard."""

    price = MoneyField(PRICE, description=_l("Leave it empty or write 0 for a free course."))
    sale_price = MoneyField(_l("Sale price"), [Optional()], description=_l("Lower than the price, for a time. Empty: no sale."))
    sale_starts_at = DateTimeLocalField(_l("The sale starts"), [Optional()], format=LOCAL, description=_l("Empty: at once."))
    sale_ends_at = DateTimeLocalField(_l("The sale ends"), [Optional()], format=LOCAL, description=_l("In your time zone."))
    cover_asset_id = IdField()
    cover_pick = PickField(_l("Or a picture that is here already"))

    def fill(self, course: Course) -> None:
        """Show what the course costs, and its sale in the writer's zone."""
        if "price" in self:
            self.price.data = course.price if course.price_minor else None
        if "sale_price" in self and course.sale is not None:
            self.sale_price.data = course.sale.price
            place = reader_zone()
            self.sale_starts_at.data, self.sale_ends_at.data = (
                course.sale.starts_at.astimezone(place),
                course.sale.ends_at.astimezone(place),
            )

    def take_prices_in(self, currency: str) -> None:
        """Read the amounts in the course's currency."""
        for name in ("price", "sale_price"):
            self[name].currency = currency
            if self.is_submitted():
                self[name].process(request.form)

    def leave_prices_out(self) -> None:
        """Show no prices to whom they are not to change."""
        for name in ("price", "sale_price", "sale_starts_at", "sale_ends_at"):
            del self[name]

    def validate(self, extra_validators: Any = None) -> bool:
        """A sale has a price and an end."""
        fits = bool(super().validate(extra_validators))
        if fits and "sale_price" in self and (self.sale_price.data is None) != (self.sale_ends_at.data is None):
            self.sale_ends_at.errors = [str(_l("A sale needs a price and an end; leave both empty for none."))]
            return False
        return fits

    def sale(self, before: Sale | None) -> Sale | None:
        """The sale that was written; without a start it starts now, or when it started already."""
        if self.sale_price.data is None or self.sale_ends_at.data is None:
            return None
        place = reader_zone()
        written = self.sale_starts_at.data
        starts_at = written.replace(tzinfo=place) if written else before.starts_at if before else now().replace(second=0, microsecond=0)
        return Sale(self.sale_price.data, starts_at.astimezone(UTC), self.sale_ends_at.data.replace(tzinfo=place).astimezone(UTC))

    def cover(self) -> UUID | None:
        """The picture that was uploaded or picked."""
        return self.cover_pick.picked(self.cover_asset_id.data)

    def money(self) -> Money:
        """The price, 0 when nothing was written."""
        return self.price.data or Money(0, self.price.currency)


class SettingsForm(NewCourseForm, PriceForm):
    """Everything about a course on one page."""

    def fill(self, course: Course) -> None:
        """Show the course as it is."""
        NewCourseForm.fill(self, course)
        PriceForm.fill(self, course)


class ReasonForm(Form):
    """Why a course is sent back."""

    reason = TextAreaField(
        _l("What has to change"), filters=[strip], validators=[InputRequired(_l("Say what has to change.")), Length(max=2000)]
    )


class SectionForm(Form):
    """A section's title."""

    section_id = IdField(default=uuid7)
    title = StringField(
        _l("Section"), filters=[strip], validators=[InputRequired(_l("Give the section a title.")), Length(max=160), one_line]
    )


class NewLessonForm(Form):
    """A lesson's title and kind."""

    lesson_id = IdField(default=uuid7)
    title = StringField(
        _l("Lesson"), filters=[strip], validators=[InputRequired(_l("Give the lesson a title.")), Length(max=160), one_line]
    )
    kind = SelectField(_l("Kind"), choices=KIND_CHOICES, default="text")
    asset_id = IdField()


class LessonForm(Form):
    """A whole lesson."""

    version = version_field()
    title = StringField(_l("Title"), filters=[strip], validators=[InputRequired(_l("Give the lesson a title.")), Length(max=160), one_line])
    kind = RadioField(_l("Kind"), choices=KIND_CHOICES, default="text")
    body = TextAreaField(
        _l("Text"),
        validators=[Length(max=LONGEST)],
        render_kw={"rows": 18},
        description=_l("Markdown: # heading, **bold**, - list, [text](link), ![picture](https://…)."),
    )
    asset_id = IdField()
    asset_pick = PickField(_l("Or a video that is here already"))
    is_preview = BooleanField(_l("Anybody may open this lesson before enrolling"))

    def validate_body(self, field: TextAreaField) -> None:
        """Browsers send line breaks as CR LF; Markdown wants LF."""
        field.data = (field.data or "").replace("\r\n", "\n")
        if "\x00" in field.data:
            raise ValidationError(str(_l("Leave out control characters.")))

    def video(self) -> UUID | None:
        """The video that was uploaded or picked."""
        return self.asset_pick.picked(self.asset_id.data)

    def fill(self, lesson: Lesson) -> None:
        """Show the lesson as it is."""
        for name in ("version", "title", "kind", "body", "asset_id", "is_preview"):
            self[name].data = getattr(lesson, name)


class CategoryForm(Form):
    """A category's name."""

    name = StringField(_l("Name"), filters=[strip], validators=[InputRequired(_l("Give the category a name.")), Length(max=80), one_line])


ENTRY_NAMES = {
    "open": _l("Everybody"),
    "key": _l("Whoever has a key or a link"),
    "request": _l("Whoever asks and is let in"),
    "closed": _l("Nobody by themselves: admins enrol people"),
}


class EntryForm(Form):
    """Who may enrol by their own act, and whose request is granted at once."""

    entry = RadioField(_l("Who may enrol"), choices=[SelectChoice(value, label) for value, label in ENTRY_NAMES.items()])
    domains = StringField(
        _l("People with an address at"),
        [Length(max=2000)],
        filters=[strip],
        description=_l("For example school.example. Several are set apart by commas."),
    )
    tag = StringField(_l("People with the tag"), [Length(max=60), one_line], filters=[strip])
    segment_id = SelectField(_l("People in the segment"), coerce=uuid_or_none)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.segment_id.choices = [SelectChoice("", _("None")), *(SelectChoice(str(one.id), one.name) for one in segments_here())]

    def fill(self, course: Course) -> None:
        """Show it as it stands."""
        self.entry.data, self.tag.data = course.entry, course.entry_tag
        self.domains.data, self.segment_id.data = ", ".join(course.entry_domains), course.entry_segment_id

    def wish(self) -> Entry:
        """What is wanted."""
        domains = dict.fromkeys(part.lstrip("@").lower() for part in re.split(r"[\s,;]+", self.domains.data or "") if part.lstrip("@"))
        return Entry(entry=self.entry.data, domains=list(domains), tag=self.tag.data or "", segment_id=self.segment_id.data)


class DatesForm(Form):
    """When a course goes into the catalogue and leaves it, in the writer's time zone."""

    publish_at = DateTimeLocalField(_l("Publish on"), [Optional()], format=LOCAL, description=_l("Empty: when somebody publishes it."))
    unpublish_at = DateTimeLocalField(
        _l("Take out of the catalogue on"), [Optional()], format=LOCAL, description=_l("Empty: never by itself. Those enrolled keep it.")
    )

    def fill(self, course: Course) -> None:
        """Show the days there are."""
        for name in ("publish_at", "unpublish_at"):
            moment = getattr(course, name)
            self[name].data = moment.astimezone(reader_zone()) if moment is not None else None

    def moment(self, name: str) -> datetime | None:
        """The moment that was written."""
        written = self[name].data
        return written.replace(tzinfo=reader_zone()).astimezone(UTC) if written is not None else None
