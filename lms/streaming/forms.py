"""The shape of what people type about live classes."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import DateTimeLocalField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from lms.core.i18n import lazy_gettext as _l
from lms.streaming.gateways import rtmp_address
from lms.streaming.models import MOST_TIMES
from lms.web.forms import Form, one_line, strip


class SessionForm(Form):
    """A live class as it is planned; the start is in the reader's zone."""

    title = StringField(_l("Title"), [InputRequired(_l("Give the class a title.")), Length(max=200), one_line], filters=[strip])
    description = TextAreaField(_l("What it is about"), [Optional(), Length(max=5000)], filters=[strip])
    starts_at = DateTimeLocalField(
        _l("Starts"), [InputRequired(_l("Say when it starts."))], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
    )
    minutes = IntegerField(_l("Minutes"), [InputRequired(_l("Say how long it lasts.")), NumberRange(5, 720)], default=60)
    provider = RadioField(
        _l("Where it happens"),
        choices=[
            ("browser", _l("Here: I go live with the camera of this computer")),
            ("rtmp", _l("Here: I send it with OBS or another program")),
            ("link", _l("In a meeting elsewhere, by its link, or in the chat alone")),
            ("webhook", _l("In a meeting elsewhere that reports who came, by webhooks")),
        ],
        default="browser",
        validate_choice=False,
    )
    join_url = StringField(
        _l("Link of the meeting"),
        [Optional(), Length(max=2000)],
        filters=[strip],
        description=_l(
            "Zoom, Meet, Jitsi or any other room. Students see it only while it is open. Without one, the class happens in the chat."
        ),
    )

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        if not rtmp_address():  # what this install does not take is not offered
            self.provider.choices = [choice for choice in self.provider.choices if choice[0] != "rtmp"]

    def times_in(self, place: ZoneInfo) -> tuple[datetime, datetime]:
        """Start and end as moments, read in a zone."""
        begin = self.starts_at.data.replace(tzinfo=place)
        return begin, begin + timedelta(minutes=self.minutes.data)

    following = RadioField(
        _l("Change"), choices=[("", _l("Only this class")), ("1", _l("This and the following classes"))], default="", validate_choice=False
    )


class NewSessionForm(SessionForm):
    """A new class: its course as well, and whether it repeats."""

    course_id = SelectField(_l("Course"), [InputRequired(_l("Choose a course."))])
    every = SelectField(
        _l("Repeats"),
        choices=[
            ("", _l("Not")),
            ("day", _l("Every day")),
            ("week", _l("Every week")),
            ("fortnight", _l("Every two weeks")),
            ("month", _l("Every month")),
        ],
        default="",
        validate_choice=False,
    )
    times = IntegerField(
        _l("How many classes"), [Optional(), NumberRange(2, MOST_TIMES)], description=_l("With this one; only when it repeats.")
    )


class RuleForm(Form):
    """For how long recordings are kept."""

    keep_days = IntegerField(
        _l("Days"),
        [Optional(), NumberRange(7, 3650)],
        description=_l(
            "After so many days a recording that is no published lesson goes into the bin, where it stays 30 more. Empty: kept for good."
        ),
    )
