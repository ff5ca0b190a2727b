"""Forms of notifications."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from wtforms import BooleanField, DateTimeLocalField, IntegerField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from lms.channels.queries import segments_here, tag_names
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.i18n import locale
from lms.notifications import queries
from lms.notifications.models import NEVER, Habit, Kind
from lms.notifications.queries import Audience, Choice, Ways
from lms.web.forms import Form, one_line, strip

INHERITS = "inherits"
WORDS = {"now": _l("At once"), "daily": _l("Once a day"), "weekly": _l("Once a week"), NEVER: _l("Never")}
APP_WORDS = {"on": _l("At once"), "off": _l("Never")}


def _hour(value: str | None) -> int | None:
    return int(value) if value else None


def _hours(first: str | None = None) -> list[SelectChoice]:
    hours = [SelectChoice(str(hour), f"{hour:02d}:00") for hour in range(24)]
    return hours if first is None else [SelectChoice("", first), *hours]


def _days() -> list[SelectChoice]:
    names = get_day_names("wide", locale=locale())
    return [SelectChoice(str(day), names[day]) for day in range(7)]


class HabitForm(Form):
    """When mails may reach a person."""

    digest_hour = SelectField(_l("Collected mails come at"), choices=_hours, coerce=int)
    digest_day = SelectField(_l("The weekly one on"), choices=_days, coerce=int)
    quiet_from = SelectField(_l("No mails from"), choices=lambda: _hours(_("No quiet hours")), coerce=_hour)
    quiet_to = SelectField(_l("Until"), choices=lambda: _hours("–"), coerce=_hour)
    is_silent = BooleanField(_l("Send me no mails at all"))


def wishes_form(kinds: Sequence[Kind], choices: Mapping[str, Choice], habit: Habit) -> Any:
    """What reaches a person: for each kind in the app and by mail (what is not said stays as the academy has it), and when."""
    fields: dict[str, Any] = {}
    for kind in kinds:
        choice = choices[kind.key]
        as_it_is = "on" if choice.academy.in_app else "off"
        fields |= _pair(
            kind,
            app=[SelectChoice(INHERITS, _("Academy: %(word)s", word=APP_WORDS[as_it_is]))],
            mail=[SelectChoice(INHERITS, _("Academy: %(word)s", word=WORDS[choice.academy.mail_word]))],
            said_app=INHERITS if choice.said_in_app is None else "on" if choice.said_in_app else "off",
            said_mail=choice.said_mail or INHERITS,
        )
    return type("WishesForm", (HabitForm,), fields)(obj=habit)


def defaults_form(kinds: Sequence[Kind], defaults: Mapping[str, Ways]) -> Any:
    """The academy's matrix: for each kind, in the app and by mail."""
    fields: dict[str, Any] = {}
    for kind in kinds:
        ways = defaults[kind.key]
        fields |= _pair(kind, app=[], mail=[], said_app="on" if ways.in_app else "off", said_mail=ways.mail_word)
    return type("DefaultsForm", (Form,), fields)()


def _pair(kind: Kind, *, app: list[SelectChoice], mail: list[SelectChoice], said_app: str, said_mail: str) -> dict[str, Any]:
    app = [*app, *(SelectChoice(word, str(text)) for word, text in APP_WORDS.items())]
    mail = [*mail, *(SelectChoice(word, str(WORDS[word])) for word in (*kind.paces, NEVER))]
    return {
        f"{kind.key}_app": SelectField(_("%(kind)s: App", kind=kind.title), choices=app, default=said_app),
        f"{kind.key}_mail": SelectField(_("%(kind)s: Mail", kind=kind.title), choices=mail, default=said_mail),
    }


def wishes_said(form: Any, kinds: Sequence[Kind]) -> dict[str, tuple[bool | None, str | None]]:
    """What a person's matrix says, as operations take it."""
    made = {}
    for kind in kinds:
        app, by_mail = form[f"{kind.key}_app"].data, form[f"{kind.key}_mail"].data
        made[kind.key] = (None if app == INHERITS else app == "on", None if by_mail == INHERITS else by_mail)
    return made


def defaults_said(form: Any, kinds: Sequence[Kind]) -> dict[str, Ways]:
    """What the academy's matrix says, as operations take it."""
    made = {}
    for kind in kinds:
        word = form[f"{kind.key}_mail"].data
        made[kind.key] = Ways(form[f"{kind.key}_app"].data == "on", word != NEVER, "now" if word == NEVER else word)
    return made


class UnsubscribeForm(Form):
    """Nothing but the button."""


AUDIENCES = (
    ("course", _l("The students of a course")),
    ("role", _l("Everybody with a role")),
    ("tag", _l("Everybody with a tag")),
    ("segment", _l("Everybody in a segment")),
    ("vouchers", _l("Whoever used a code of a voucher batch")),
    ("everybody", _l("Everybody")),
)
ROLES = (("student", _l("Students")), ("instructor", _l("Instructors")), ("admin", _l("Admins")))
LOCAL = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class BroadcastForm(Form):
    """A message to many: its words, to whom, how, and when; the time is in the writer's zone."""

    subject = StringField(_l("Subject"), [InputRequired(_l("Give the message a subject.")), Length(max=200), one_line], filters=[strip])
    body = TextAreaField(
        _l("Message"),
        [InputRequired(_l("Write something.")), Length(max=20_000)],
        filters=[strip],
        description=_l("Markdown: **bold**, lists, [links](https://…)."),
    )
    to = SelectField(_l("To"), choices=[SelectChoice(value, label) for value, label in AUDIENCES])
    course_id = SelectField(_l("Course"), description=_l("For the students of a course."))
    progress = SelectField(
        _l("Progress"),
        choices=[SelectChoice("", _l("Any")), SelectChoice("below", _l("Less than")), SelectChoice("above", _l("At least"))],
    )
    percent = IntegerField(_l("Percent"), [Optional(), NumberRange(0, 100)], default=50)
    role = SelectField(
        _l("Role"), description=_l("For everybody with a role."), choices=[SelectChoice(value, label) for value, label in ROLES]
    )
    batch_id = SelectField(_l("Voucher batch"), description=_l("For whoever used a code of it."))
    tag_id = SelectField(_l("Tag"), description=_l("For everybody with a tag."))
    segment_id = SelectField(_l("Segment"), description=_l("For everybody in a segment, as it stands in the moment of sending."))
    unseen_days = IntegerField(
        _l("Not seen for so many days"), [Optional(), NumberRange(1, 3650)], description=_l("Empty: whenever they were here last.")
    )
    in_app = BooleanField(_l("In the app"), default=True)
    mail = BooleanField(_l("By mail"), default=True)
    send_at = DateTimeLocalField(
        _l("Send at"), [Optional()], format=LOCAL, description=_l("In your time zone. Empty: as soon as you have looked at who gets it.")
    )

    def __init__(self, by: Actor, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.course_id.choices = [SelectChoice(value, title) for value, title in queries.courses_to_write_to(by)]
        self.batch_id.choices = [SelectChoice(value, label) for value, label in queries.batches_to_write_to()] if by.is_admin else []
        self.tag_id.choices = [SelectChoice(str(tag_id), name) for tag_id, name in tag_names()] if by.is_admin else []
        self.segment_id.choices = [SelectChoice(str(one.id), one.name) for one in segments_here()] if by.is_admin else []
        for field in (self.course_id, self.batch_id, self.tag_id, self.segment_id):
            field.validate_choice = field.name == self.needed()
        if not by.is_admin:
            self.to.choices = [SelectChoice(value, label) for value, label in AUDIENCES if value == "course"]

    def needed(self) -> str:
        """The field that the chosen kind of audience needs."""
        return queries.NEEDS.get(self.to.data or "", "")

    def audience(self) -> Audience:
        """Whom it means."""
        to = self.to.data
        return Audience(
            to=to,
            role=self.role.data if to == "role" else "",
            course_id=self.course_id.data if to == "course" else "",
            batch_id=self.batch_id.data if to == "vouchers" else "",
            tag_id=self.tag_id.data if to == "tag" else "",
            segment_id=self.segment_id.data if to == "segment" else "",
            progress=(self.progress.data or "") if to == "course" else "",
            percent=50 if self.percent.data is None else self.percent.data,
            unseen_days=self.unseen_days.data,
        )

    def words(self, place: ZoneInfo) -> dict[str, Any]:
        """What is said, how, and when."""
        when = self.send_at.data
        return {
            "subject": self.subject.data,
            "body": self.body.data,
            "in_app": self.in_app.data,
            "mail": self.mail.data,
            "send_at": when.replace(tzinfo=place) if when else None,
        }


class TemplateForm(Form):
    """The academy's words for a mail."""

    subject = StringField(_l("Subject"), [InputRequired(_l("Write a subject.")), Length(max=200), one_line], filters=[strip])
    body = TextAreaField(_l("Text"), [InputRequired(_l("Write something.")), Length(max=5000)], filters=[strip])
