"""Forms of notifications."""

from wtforms import SelectMultipleField

from lms.notifications.models import KINDS, WAYS
from lms.web.forms import Form


class WishesForm(Form):
    """Every `kind:way` that is wanted."""

    on = SelectMultipleField(choices=[(f"{kind}:{way}", way) for kind in KINDS for way in WAYS], validate_choice=True)


class UnsubscribeForm(Form):
    """Nothing but the button."""
