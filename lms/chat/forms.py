"""The shape of what people write in a room without script, and of what its moderators set."""

from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import UUID, InputRequired, Length, NumberRange, Optional

from lms.chat.models import LONGEST_ANSWER, LONGEST_TEXT, LONGEST_WORD, SLOWEST_SECONDS
from lms.core.i18n import lazy_gettext as _l
from lms.web.forms import Form, strip


class MessageForm(Form):
    """One message; `ref` is the form's own number, so that sending it twice posts it once; `reply` is what it answers."""

    text = TextAreaField(_l("Message"), [InputRequired(_l("Write something first.")), Length(max=LONGEST_TEXT)], filters=[strip])
    ref = StringField(validators=[InputRequired(), UUID()])
    reply = IntegerField(validators=[Optional(), NumberRange(min=1)])
    question = BooleanField(_l("This is a question"))


class FlagForm(Form):
    """Why a message is reported."""

    reason = StringField(_l("What is wrong with it"), [Optional(), Length(max=500)], filters=[strip])


class SwitchForm(Form):
    """On or off."""

    on = BooleanField()


class SignForm(SwitchForm):
    """A sign on a message."""

    sign = StringField(validators=[InputRequired(), Length(max=8)])


class MuteForm(Form):
    """Who only reads, and for how long; 0 minutes ends it."""

    user_id = StringField(validators=[InputRequired(), UUID()])
    minutes = IntegerField(_l("Minutes"), [InputRequired(), NumberRange(0, 24 * 60)], default=10)


class BanForm(SwitchForm):
    """Who is banned or let in again: of this room, or of every room of the channel."""

    user_id = StringField(validators=[InputRequired(), UUID()])
    everywhere = BooleanField()


class SlowForm(Form):
    """How many seconds lie between two messages of a person; 0 lifts it."""

    seconds = IntegerField(_l("Seconds between two messages of a person"), [InputRequired(), NumberRange(0, SLOWEST_SECONDS)], default=0)


class PinForm(Form):
    """Which message is pinned; none takes the pin away."""

    seq = IntegerField(validators=[Optional(), NumberRange(min=1)])


class HandForm(Form):
    """Whose hand is lowered; nobody: everybody's."""

    user_id = StringField(validators=[Optional(), UUID()], filters=[strip])


class AnswerForm(SwitchForm):
    """The answer to a question in words, and whether it is answered."""

    answer = TextAreaField(_l("Answer"), [Optional(), Length(max=LONGEST_ANSWER)], filters=[strip])


class WordForm(Form):
    """One word to keep out."""

    word = StringField(_l("Word"), [InputRequired(_l("Write a word first.")), Length(max=LONGEST_WORD * 2)], filters=[strip])
