"""Forms of reporting: shape of input only."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from lms.core.i18n import gettext as _
from lms.reporting.models import Schedule
from lms.reporting.operations import Timetable
from lms.web.forms import Form, one_line, strip

CADENCES = (("daily", _l("Every day")), ("weekly", _l("Every week")), ("monthly", _l("Every month")))
WEEKDAYS = tuple(
    (str(number), name)
    for number, name in enumerate(
        (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"))
    )
)


class ViewForm(Form):
    """A name for a view, and how it is used."""

    title = StringField(_l("Name"), [InputRequired(_l("Give the view a name.")), Length(max=120), one_line], filters=[strip])
    is_shared = BooleanField(_l("Everybody who works here sees it"))
    is_default = BooleanField(_l("The list opens with it for me"))


class ScheduleForm(Form):
    """When a view goes out by mail, how, and to whom."""

    cadence = SelectField(_l("How often"), choices=CADENCES)
    weekday = SelectField(_l("On which day of the week"), choices=WEEKDAYS, description=_l("For every week."))
    month_day = SelectField(
        _l("On which day of the month"),
        choices=[(str(day), str(day)) for day in range(1, 32)],
        description=_l("For every month; a shorter month sends on its last day."),
    )
    hour = SelectField(_l("At"), choices=[(str(hour), f"{hour:02d}:00") for hour in range(24)])
    zone = StringField(_l("Time zone"), [InputRequired(_l("Name a time zone.")), Length(max=60)], filters=[strip])
    recipients = TextAreaField(_l("To"), [InputRequired(_l("Name at least one mail address."))], description=_l("One mail address a line."))
    format = SelectField(_l("File"), choices=(("csv", "CSV"), ("xlsx", "Excel")))
    only_if_rows = BooleanField(_l("Only when there are rows"))

    def show(self, schedule: Schedule) -> None:
        """Fill in what a schedule is."""
        for name in ("weekday", "month_day", "hour"):
            self[name].data = str(getattr(schedule, name))
        for name in ("cadence", "zone", "format", "only_if_rows"):
            self[name].data = getattr(schedule, name)
        self.recipients.data = "\n".join(schedule.recipients)

    def timetable(self) -> Timetable:
        """What was chosen."""
        values: dict[str, Any] = {name: int(self[name].data) for name in ("weekday", "month_day", "hour")}
        return Timetable(
            cadence=self.cadence.data,
            zone=self.zone.data or "",
            format=self.format.data,
            only_if_rows=bool(self.only_if_rows.data),
            **values,
        )

    def addresses(self) -> list[str]:
        """The lines of recipients; commas and semicolons separate too."""
        return (self.recipients.data or "").replace(",", "\n").replace(";", "\n").splitlines()


def cadence_words(schedule: Schedule) -> str:
    """When a schedule runs, in words."""
    when = {"hour": f"{schedule.hour:02d}:00", "zone": schedule.zone}
    if schedule.cadence == "weekly":
        return _("Every %(day)s at %(hour)s, %(zone)s", day=WEEKDAYS[schedule.weekday][1], **when)
    if schedule.cadence == "monthly":
        return _("On day %(day)s of every month at %(hour)s, %(zone)s", day=schedule.month_day, **when)
    return _("Every day at %(hour)s, %(zone)s", **when)
