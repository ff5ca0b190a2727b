"""The shape of what people write in a room without script."""

from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import UUID, InputRequired, Length, NumberRange, Optional

from lms.chat.models import LONGEST_TEXT, SLOWEST_SECONDS
from lms.core.i18n import lazy_gettext as _l
from lms.web.forms import Form, strip


class MessageForm(Form):
    """One message; `ref` is the form's own number, so that sending it twice posts it once."""

    text = TextAreaField(_l("Message"), [InputRequired(_l("Write something first.")), Length(max=LONGEST_TEXT)], filters=[strip])
    ref = StringField(validators=[InputRequired(), UUID()])


class FlagForm(Form):
    """Why a message is reported."""

    reason = StringField(_l("What is wrong with it"), [Optional(), Length(max=500)], filters=[strip])


class MuteForm(Form):
    """Who only reads, and for how long; 0 minutes ends it."""

    user_id = StringField(validators=[InputRequired(), UUID()])
    minutes = IntegerField(_l("Minutes"), [InputRequired(), NumberRange(0, 24 * 60)], default=10)


class SlowForm(Form):
    """How many seconds lie between two messages of a person; 0 lifts it."""

    seconds = IntegerField(_l("Seconds between two messages of a person"), [InputRequired(), NumberRange(0, SLOWEST_SECONDS)], default=0)
