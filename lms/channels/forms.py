"""Shape of what is typed about people and the channel."""

from zoneinfo import available_timezones

from flask_wtf.file import FileField
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Regexp

from lms.auth.forms import an_address
from lms.core.i18n import lazy_gettext as _l
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
