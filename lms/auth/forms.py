"""Shape of what people type when they sign up and in."""

from email_validator import EmailNotValidError, validate_email
from wtforms import HiddenField, PasswordField, StringField, ValidationError
from wtforms.fields import Field
from wtforms.validators import DataRequired, Length

from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.web.forms import Form, one_line, strip


def an_address(_form: Form, field: Field) -> None:
    """Refuse what is no e-mail address."""
    try:
        field.data = validate_email(field.data or "", check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValidationError(_("This is not an e-mail address. It looks like name@example.org.")) from error


class RegisterForm(Form):
    """Name, address and password of a newcomer."""

    name = StringField(
        _l("Your name"),
        [DataRequired(_l("Write your name.")), Length(max=120), one_line],
        filters=[strip],
        render_kw={"autocomplete": "name"},
    )
    email = StringField(
        _l("E-mail"),
        [DataRequired(_l("Write your e-mail address.")), an_address],
        filters=[strip],
        render_kw={"autocomplete": "email", "type": "email"},
    )
    password = PasswordField(
        _l("Password"),
        [DataRequired(_l("Choose a password."))],
        description=_l("At least 10 characters; a few words you remember are good."),
        render_kw={"autocomplete": "new-password"},
    )


class SignInForm(Form):
    """Address and password."""

    email = StringField(
        _l("E-mail"),
        [DataRequired(_l("Write your e-mail address.")), an_address],
        filters=[strip],
        render_kw={"autocomplete": "username", "type": "email"},
    )
    password = PasswordField(_l("Password"), render_kw={"autocomplete": "current-password"})


class AddressForm(Form):
    """Just an address."""

    email = StringField(
        _l("E-mail"),
        [DataRequired(_l("Write your e-mail address.")), an_address],
        filters=[strip],
        render_kw={"autocomplete": "username", "type": "email"},
    )


class CodeForm(Form):
    """The code from the mail."""

    code = StringField(
        _l("Code"),
        [DataRequired(_l("Type the six digits from the mail."))],
        filters=[strip],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )


class PasswordForm(Form):
    """A new password."""

    password = PasswordField(
        _l("New password"),
        [DataRequired(_l("Choose a password."))],
        description=_l("At least 10 characters; a few words you remember are good."),
        render_kw={"autocomplete": "new-password"},
    )


class ProveForm(Form):
    """Password, the code of the app, or a passkey's answer; which of them is asked for depends on the account."""

    answer = HiddenField()

    password = PasswordField(_l("Password"), render_kw={"autocomplete": "current-password"})
    code = StringField(_l("Code of the app"), filters=[strip], render_kw={"autocomplete": "one-time-code", "maxlength": "20"})


class AppCodeForm(Form):
    """The code an authenticator app shows, or a recovery code."""

    code = StringField(
        _l("Code of the app"),
        [DataRequired(_l("Type the six digits the app shows."))],
        filters=[strip],
        render_kw={"autocomplete": "one-time-code", "maxlength": "20"},
    )


class ShowPasskeyForm(Form):
    """What a browser answers when it shows a passkey, as JSON."""

    answer = HiddenField()


class PasskeyForm(Form):
    """A passkey the browser has made, as JSON, and what its person calls it."""

    name = StringField(
        _l("Name"), filters=[strip], description=_l("So that you know it again: the device it is on."), render_kw={"maxlength": "60"}
    )
    answer = HiddenField()
