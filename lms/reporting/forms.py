"""Forms of reporting: shape of input only."""

from dataclasses import replace
from typing import Any

from wtforms import BooleanField, FieldList, FormField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms import Form as WtForm
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import View
from lms.reporting.models import MONDAY, Schedule
from lms.reporting.operations import Timetable
from lms.web.forms import Form, one_line, strip

CADENCES = (
    ("hourly", _l("Every hour")),
    ("daily", _l("Every day")),
    ("weekdays", _l("Monday to Friday")),
    ("weekly", _l("Every week")),
    ("monthly", _l("Every month")),
)
LAST_DAY = 31
WEEKDAYS = tuple(
    (str(number), name)
    for number, name in enumerate(
        (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"), _l("Saturday"), _l("Sunday"))
    )
)
PINS = (("", _l("Nowhere")), ("me", _l("On my dashboard")), ("all", _l("On the dashboard of everybody who may see the list")))
CHARTS = (("", _l("None")), ("bar", _l("Bars")), ("line", _l("A line")))
FORMULAS = 3


class ViewForm(Form):
    """A name for a view, and how it is used."""

    title = StringField(_l("Name"), [InputRequired(_l("Give the view a name.")), Length(max=120), one_line], filters=[strip])
    is_shared = BooleanField(_l("Everybody who works here sees it"))
    is_default = BooleanField(_l("The list opens with it for me"))
    pin = SelectField(_l("Pin it"), choices=PINS, default="")


class FormulaForm(WtForm):
    """One computed column: its name, and the arithmetic."""

    label = StringField(_l("Name"), [Length(max=60)], filters=[strip])
    formula = StringField(_l("Formula"), [Length(max=200)], filters=[strip])


class BuildForm(Form):
    """What a view gathers, computes and draws."""

    first = SelectField(_l("Group the rows by"))
    second = SelectField(_l("and within these by"))
    formulas = FieldList(FormField(FormulaForm), min_entries=FORMULAS, max_entries=FORMULAS)
    chart = SelectField(_l("Chart"), choices=CHARTS)
    drawn = SelectField(_l("Of what"))

    def offer(self, groups: list[tuple[str, str]], figures: list[tuple[str, str]]) -> None:
        """Fill the choices with what the list has."""
        self.first.choices = self.second.choices = [("", _("no group")), *groups]
        computed = [(f"calc_{place}", _("Computed column %(place)s", place=place)) for place in range(1, FORMULAS + 1)]
        self.drawn.choices = [("rows", _("How many rows")), *figures, *computed]

    def show(self, view: View) -> None:
        """Fill in what a view is."""
        self.first.data, self.second.data = [*view.groups, "", ""][:2]
        for entry, (label, formula) in zip(self.formulas, view.computed, strict=False):
            entry.form.label.data, entry.form.formula.data = label, formula
        self.chart.data, _colon, key = view.chart.partition(":")
        self.drawn.data = key or "rows"

    def built(self, view: View) -> View:
        """The view with what was chosen; a formula without a name goes by itself."""
        computed = [(one.form.label.data or one.form.formula.data, one.form.formula.data) for one in self.formulas if one.form.formula.data]
        groups = tuple(dict.fromkeys(key for key in (self.first.data, self.second.data) if key))
        chart = f"{self.chart.data}:{self.drawn.data}" if self.chart.data else ""
        return replace(view, groups=groups, computed=tuple(computed), chart=chart, sort="")


class ScheduleForm(Form):
    """When a view goes out by mail, how, and to whom."""

    cadence = SelectField(_l("How often"), choices=CADENCES)
    days = SelectMultipleField(
        _l("On which days of the week"),
        choices=WEEKDAYS,
        description=_l("For every week."),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    every = IntegerField(_l("Every how many weeks"), [Optional(), NumberRange(1, 52, _l("Choose 1 to 52 weeks."))], default=1)
    month_day = SelectField(
        _l("On which day of the month"),
        choices=[*((str(day), str(day)) for day in range(1, 31)), ("31", _l("the last"))],
        description=_l("For every month; a shorter month sends on its last day."),
    )
    hour = SelectField(_l("At"), choices=[(str(hour), f"{hour:02d}:00") for hour in range(24)])
    zone = StringField(_l("Time zone"), [InputRequired(_l("Name a time zone.")), Length(max=60)], filters=[strip])
    recipients = TextAreaField(_l("To"), [InputRequired(_l("Name at least one mail address."))], description=_l("One mail address a line."))
    format = SelectField(_l("File"), choices=(("csv", "CSV"), ("xlsx", "Excel")))
    only_if_rows = BooleanField(_l("Only when there are rows"))
    only_if_changed = BooleanField(_l("Only when the rows changed since the last mail"))
    above = IntegerField(
        _l("Only tell me when there are more rows than"),
        [Optional(), NumberRange(0, 1_000_000_000, _l("Name a number of rows from 0 on."))],
        description=_l("Makes it an alert: it speaks once when it comes true, and again after it was not true. Empty: it always goes out."),
    )

    def show(self, schedule: Schedule) -> None:
        """Fill in what a schedule is."""
        for name in ("month_day", "hour"):
            self[name].data = str(getattr(schedule, name))
        self.days.data = [str(day) for day in schedule.days or [schedule.weekday]]
        for name in ("cadence", "zone", "format", "only_if_rows", "only_if_changed", "above", "every"):
            self[name].data = getattr(schedule, name)
        self.recipients.data = "\n".join(schedule.recipients)

    def timetable(self) -> Timetable:
        """What was chosen."""
        values: dict[str, Any] = {name: int(self[name].data) for name in ("month_day", "hour")}
        days = tuple(sorted(int(day) for day in self.days.data or ()))
        return Timetable(
            cadence=self.cadence.data,
            zone=self.zone.data or "",
            format=self.format.data,
            only_if_rows=bool(self.only_if_rows.data),
            only_if_changed=bool(self.only_if_changed.data),
            above=self.above.data,
            every=self.every.data or 1,
            days=days,
            weekday=days[0] if days else MONDAY,
            **values,
        )

    def addresses(self) -> list[str]:
        """The lines of recipients; commas and semicolons separate too."""
        return (self.recipients.data or "").replace(",", "\n").replace(";", "\n").splitlines()


def cadence_words(schedule: Schedule) -> str:
    """When a schedule runs, in words."""
    when = {"hour": f"{schedule.hour:02d}:00", "zone": schedule.zone}
    if schedule.cadence == "hourly":
        return _("Every hour")
    if schedule.cadence == "weekdays":
        return _("Monday to Friday at %(hour)s, %(zone)s", **when)
    if schedule.cadence == "weekly":
        days = ", ".join(str(WEEKDAYS[day][1]) for day in schedule.days or [schedule.weekday])
        if schedule.every > 1:
            return _("Every %(weeks)s weeks on %(days)s at %(hour)s, %(zone)s", weeks=schedule.every, days=days, **when)
        return _("Every %(day)s at %(hour)s, %(zone)s", day=days, **when)
    if schedule.cadence == "monthly" and schedule.month_day == LAST_DAY:
        return _("On the last day of every month at %(hour)s, %(zone)s", **when)
    if schedule.cadence == "monthly":
        return _("On day %(day)s of every month at %(hour)s, %(zone)s", day=schedule.month_day, **when)
    return _("Every day at %(hour)s, %(zone)s", **when)
