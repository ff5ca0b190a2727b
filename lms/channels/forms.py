"""Shape of what is typed about people and the channel."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length, Optional, Regexp

from lms.auth.forms import an_address
from lms.channels.models import LONGEST_VALUE, Field
from lms.channels.queries import fields_here
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.segments import Condition
from lms.web.forms import Form, one_line, strip

ROLE_CHOICES = [("instructor", _l("Instructor")), ("student", _l("Student")), ("admin", _l("Admin"))]
ZONES = [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))), "UTC"]


class InviteForm(Form):
    """Who is invited, and as what."""

    name = StringField(_l("Name"), [DataRequired(_l("Write the person's name.")), Length(max=120), one_line], filters=[strip])
    email = StringField(
        _l("E-mail"), [DataRequired(_l("Write an e-mail address.")), an_address], filters=[strip], render_kw={"type": "email"}
    )
    role = SelectField(_l("Role"), choices=ROLE_CHOICES)


class PersonForm(Form):
    """What is known of a person here."""

    name = StringField(_l("Name"), [DataRequired(_l("Write the person's name.")), Length(max=120), one_line], filters=[strip])
    title = StringField(
        _l("Title"),
        [Length(max=120), one_line],
        filters=[strip],
        description=_l("Shown beside the name, for example Professor of Biology."),
    )
    phone = StringField(_l("Phone"), [Length(max=40), one_line], filters=[strip])
    bio = TextAreaField(_l("About"), [Length(max=4000)], filters=[strip])
    note = TextAreaField(_l("Note for staff"), [Length(max=4000)], filters=[strip], description=_l("Only admins see this."))


FIELD_KINDS = [
    ("text", _l("Text")),
    ("number", _l("Number")),
    ("date", _l("Date")),
    ("choice", _l("Choice")),
    ("yesno", _l("Yes or no")),
]


class FieldForm(Form):
    """What a field is called and takes, who is asked, and who sees it."""

    label = StringField(_l("Name"), [DataRequired(_l("Write what the field is called.")), Length(max=60), one_line], filters=[strip])
    kind = SelectField(_l("Takes"), choices=FIELD_KINDS)
    choices = TextAreaField(_l("Choices"), [Length(max=4000)], description=_l("For a choice: one in each line."))
    is_required = BooleanField(
        _l("Everybody must fill it in"),
        description=_l("Newcomers when they register, invited people and everybody else at their next sign-in. Admins are not asked."),
    )
    is_private = BooleanField(_l("Only admins see it"), description=_l("Otherwise everybody sees and changes their own on their profile."))

    def chosen(self) -> list[str]:
        """The choices, one of each line."""
        return [" ".join(line.split())[:100] for line in (self.choices.data or "").splitlines() if line.strip()][:200]


class SegmentForm(Form):
    """What a segment is called; its conditions stand behind the name."""

    name = StringField(_l("Name"), [DataRequired(_l("Write what the segment is called.")), Length(max=80), one_line], filters=[strip])


def with_conditions(conditions: Iterable[Condition]) -> type[Form]:
    """The form of a segment, with a field for each condition; an empty one asks nothing."""
    return type("SegmentForm", (SegmentForm,), {one.key: _condition_field(one) for one in conditions})


def _condition_field(one: Condition) -> Any:
    if one.kind == "choice":
        return SelectField(one.label, [Optional()], choices=[("", _("any")), *one.choices()])
    look = {"int": {"inputmode": "numeric"}, "money": {"inputmode": "decimal"}, "day": {"type": "date"}}.get(one.kind, {})
    return StringField(one.label, [Optional(), Length(max=LONGEST_VALUE)], filters=[strip], render_kw=look)


class TagForm(Form):
    """A tag for one person."""

    tag = StringField(_l("Tag"), [DataRequired(_l("Write a tag.")), Length(max=200), one_line], filters=[strip])


def own_fields(fields: Iterable[Field], *, required: bool = False) -> dict[str, Any]:
    """The academy's own fields as fields of a form, by name; what is required of newcomers only `required` asks for."""
    return {one.name: _own_field(one, required=required and one.is_required) for one in fields}


def welcome_form(fields: Iterable[Field]) -> Form:
    """The questions somebody must answer before going on."""
    form: Form = type("WelcomeForm", (Form,), own_fields(fields, required=True))()
    return form


def ask_newcomers() -> dict[str, Any]:
    """What somebody who registers is asked beyond name, address and password."""
    return own_fields([one for one in fields_here() if one.is_required], required=True)


def _own_field(one: Field, *, required: bool) -> Any:
    def fits(_form: Any, field: Any) -> None:
        try:
            field.data = one.read(field.data or "")
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from refusal

    checks: list[Any] = [DataRequired(_("Fill this in.")) if required else Optional(), fits]
    if one.kind in ("choice", "yesno"):
        options = [(value, value) for value in one.choices] if one.kind == "choice" else [("yes", _("Yes")), ("no", _("No"))]
        return SelectField(one.label, checks, choices=[("", "–"), *options])
    look = {"date": {"type": "date"}, "number": {"inputmode": "decimal"}}.get(one.kind, {})
    return StringField(one.label, [*checks[:-1], Length(max=LONGEST_VALUE), fits], filters=[strip], render_kw=look)


def with_fields(kind: type[Form], fields: Iterable[Field]) -> type[Form]:
    """A form with the academy's own fields behind its own."""
    return type(kind.__name__, (kind,), own_fields(fields))


def said_in(form: Form, fields: Iterable[Field]) -> dict[str, str]:
    """What a form says of the academy's own fields."""
    return {one.name: form[one.name].data or "" for one in fields}


class ViewAsForm(Form):
    """Why somebody looks at the pages as another."""

    reason = StringField(
        _l("Reason"),
        [DataRequired(_l("Say why. It stands in the audit log.")), Length(max=200), one_line],
        filters=[strip],
        description=_l("It stands in the audit log, for example: Ana asks why lesson 4 is closed."),
    )


class RoleForm(Form):
    """A role."""

    role = SelectField(
        _l("Role"), choices=[("student", _l("Student")), ("instructor", _l("Instructor")), ("admin", _l("Admin")), ("owner", _l("Owner"))]
    )


class LogoForm(Form):
    """A picture that stands for the academy."""

    picture = FileField(
        _l("Picture"),
        [FileRequired(_l("Choose a picture."))],
        description=_l("JPEG, PNG, WebP or GIF, best with a transparent ground and as wide as high."),
        render_kw={"accept": "image/jpeg,image/png,image/webp,image/gif"},
    )


class ProfileForm(Form):
    """My picture, name, language and time zone."""

    picture = FileField(
        _l("Picture"),
        description=_l("JPEG, PNG, WebP or GIF. What the camera wrote into it (place, time) is taken out."),
        render_kw={"accept": "image/jpeg,image/png,image/webp,image/gif"},
    )

    name = StringField(_l("Name"), [DataRequired(_l("Write your name.")), Length(max=120), one_line], filters=[strip])
    locale = SelectField(_l("Language"))
    zone = SelectField(_l("Time zone"), choices=[(zone, zone.replace("_", " ")) for zone in ZONES])


class ChannelForm(Form):
    """The channel's name, words, money, zone and colour."""

    name = StringField(_l("Name"), [DataRequired(_l("Write the academy's name.")), Length(max=120), one_line], filters=[strip])
    tagline = StringField(
        _l("Tagline"), [Length(max=200), one_line], filters=[strip], description=_l("One sentence under the name in the catalogue.")
    )
    currency = StringField(_l("Currency"), [Regexp("^[A-Z]{3}$", message=_l("Use an ISO 4217 code such as EUR."))], filters=[strip])
    zone = SelectField(_l("Time zone"), choices=[(zone, zone.replace("_", " ")) for zone in ZONES])
    color = StringField(
        _l("Colour"), [Regexp("^#[0-9a-fA-F]{6}$", message=_l("Write a colour such as #4f39f6."))], render_kw={"type": "color"}
    )
    strong_staff = BooleanField(
        _l("Staff sign in with an authenticator app or a passkey"),
        description=_l(
            "A code by mail is not enough then. Whoever has neither sets one up at the next sign-in, before the back office opens."
        ),
    )
