"""The shape of what people write in community."""

from wtforms import RadioField, SelectChoice, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from lms.community.models import MOST_LETTERS
from lms.core.i18n import lazy_gettext as _l
from lms.web.forms import Form, strip

STARS = (
    SelectChoice("5", _l("5 stars: excellent")),
    SelectChoice("4", _l("4 stars: good")),
    SelectChoice("3", _l("3 stars: all right")),
    SelectChoice("2", _l("2 stars: poor")),
    SelectChoice("1", _l("1 star: very poor")),
)


class ReviewForm(Form):
    """Stars, and words if one has any."""

    rating = RadioField(_l("Your rating"), choices=STARS, validators=[InputRequired(_l("Choose 1 to 5 stars."))])
    body = TextAreaField(
        _l("What should others know?"),
        filters=[strip],
        validators=[Length(max=MOST_LETTERS, message=_l("Shorten this to 4,000 characters."))],
    )


class HideForm(Form):
    """Why a review is taken off the course page; its author reads it."""

    reason = TextAreaField(_l("Reason"), filters=[strip], validators=[DataRequired(_l("Say why; the author reads it.")), Length(max=500)])
