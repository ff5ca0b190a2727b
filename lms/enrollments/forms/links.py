"""Links and keys into courses, and links that give a role."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from wtforms import DateTimeLocalField, IntegerField, RadioField, SelectChoice, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core.clock import now
from lms.core.i18n import lazy_gettext as _l
from lms.enrollments import queries
from lms.enrollments.operations import Terms
from lms.enrollments.queries import Way
from lms.web.forms import Form, one_line, strip
from lms.web.i18n import reader_zone

LOCAL = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
HIRING_DAYS = 14


class LinkForm(Form):
    """What a link or key opens, for whom, how many and until when; times are in the writer's zone."""

    role = ""
    label = StringField(
        _l("Name"),
        [DataRequired(_l("Give it a name.")), Length(max=120), one_line],
        filters=[strip],
        description=_l("For your own list; whoever comes through it sees it, too."),
    )
    course_ids = SelectMultipleField(
        _l("Courses and batches"),
        [InputRequired(_l("Choose at least one course."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    price = RadioField(
        _l("Price"),
        choices=[
            SelectChoice("free", _l("They enter without paying")),
            SelectChoice("price", _l("They may enrol, and pay the course's price from their wallet")),
        ],
        default="free",
    )
    starts_at = DateTimeLocalField(_l("From"), [Optional()], format=LOCAL, description=_l("Empty: at once."))
    ends_at = DateTimeLocalField(_l("Until"), [Optional()], format=LOCAL, description=_l("Empty: until you withdraw it."))
    seats = IntegerField(_l("Places"), [Optional()], description=_l("How many people it lets in. Empty: no limit."))
    domains = StringField(
        _l("Only for addresses at"),
        [Length(max=2000)],
        filters=[strip],
        description=_l("For example school.example. Several are set apart by commas. Empty: everybody."),
    )
    tag = StringField(
        _l("Tag"), [Length(max=60), one_line], filters=[strip], description=_l("Whoever comes through it bears it. Empty: none.")
    )
    note = TextAreaField(_l("Note"), [Length(max=1000)], filters=[strip], description=_l("Only admins see this."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.course_ids.choices = [SelectChoice(value, title) for value, title in queries.places_to_enrol_in()]

    def fill(self, way: Way) -> None:
        """Show it as it stands."""
        link = way.link
        for name in ("label", "seats", "tag", "note"):
            if name in self:
                self[name].data = getattr(link, name)
        held = {course.id: way.batches.get(course.id) for course in way.courses}
        self.course_ids.data = [f"{course_id}:{batch.id}" if batch else str(course_id) for course_id, batch in held.items()]
        if "price" in self:
            self.price.data = "free" if link.is_free else "price"
        self.domains.data = ", ".join(link.domains)
        for name in ("starts_at", "ends_at"):
            moment = getattr(link, name)
            self[name].data = moment.astimezone(reader_zone()) if moment is not None else None

    def terms(self) -> Terms:
        """What it is asked to be."""
        chosen = [value.partition(":") for value in self.course_ids.data or ()]
        return Terms(
            label=self.label.data or "",
            course_ids=[UUID(course) for course in dict.fromkeys(course for course, _colon, _batch in chosen)],
            batch_ids=[UUID(batch) for _course, _colon, batch in chosen if batch],
            role=self.role,
            is_free="price" not in self or self.price.data == "free",
            note=self.note.data or "",
            tag=(self.tag.data or "") if "tag" in self else "",
            domains=domains_in(self.domains.data or ""),
            starts_at=_moment(self.starts_at.data),
            ends_at=_moment(self.ends_at.data),
            seats=self.seats.data,
        )


KEY_HELP = _l("6 to 40 letters A–Z and digits; dashes, spaces and case do not count when it is typed. For example SPRING-27.")


class NewLinkForm(LinkForm):
    """A new link or key."""

    kind = RadioField(
        _l("Kind"),
        choices=[
            SelectChoice("link", _l("A link, to send or to show as a QR code")),
            SelectChoice("key", _l("A key, to type on the course page")),
        ],
        default="link",
    )
    key = StringField(_l("Key"), [Length(max=60), one_line], filters=[strip], description=KEY_HELP)


class HireForm(LinkForm):
    """A link that makes people instructors: what they teach, how many, and until when."""

    role = "instructor"
    course_ids = SelectMultipleField(
        _l("What they teach"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l(
            "A batch: they teach it beside the course’s own instructor. A course: it becomes theirs, for one person. "
            "Nothing: they make courses of their own."
        ),
    )
    ends_at = DateTimeLocalField(_l("Until"), [InputRequired(_l("Say until when. Such a link ends within 90 days."))], format=LOCAL)
    seats = IntegerField(_l("People"), [InputRequired(_l("Say for how many people."))], description=_l("How many may take it, 1 to 50."))
    price = None
    tag = None

    def suggest(self) -> None:
        """What most such links are: for one person, for two weeks."""
        self.seats.data = 1
        self.ends_at.data = (now() + timedelta(days=HIRING_DAYS)).astimezone(reader_zone()).replace(second=0, microsecond=0)


class ReplaceKeyForm(Form):
    """A new key in place of another."""

    key = StringField(
        _l("New key"), [DataRequired(_l("Write the new key.")), Length(max=60), one_line], filters=[strip], description=KEY_HELP
    )


def domains_in(text: str) -> list[str]:
    """The domains somebody wrote, however they are set apart; a leading @ is no part of one."""
    return list(dict.fromkeys(part.lstrip("@").lower() for part in re.split(r"[\s,;]+", text) if part.lstrip("@")))


def _moment(written: datetime | None) -> datetime | None:
    return written.replace(tzinfo=reader_zone()).astimezone(UTC) if written is not None else None
