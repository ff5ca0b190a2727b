"""The shape of what is sent when files are uploaded."""

from decimal import Decimal
from typing import Any

from flask_wtf.file import FileField
from pydantic import BaseModel, ConfigDict, Field
from wtforms import BooleanField, DecimalField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from lms.content.models import PRICES, Rule
from lms.core.i18n import lazy_gettext as _l
from lms.web.forms import Form

KINDS = (
    ("", _l("Tell from the name")),
    ("video", _l("Video")),
    ("audio", _l("Sound")),
    ("image", _l("Picture")),
    ("document", _l("Document")),
    ("file", _l("Other file")),
)


class UploadForm(Form):
    """One file in one piece, for browsers without JavaScript."""

    file = FileField(_l("File"), [InputRequired(_l("Choose a file."))], description=_l("At most 512 MB this way."))
    kind = SelectField(_l("What it is"), choices=KINDS, default="")


class TrackForm(Form):
    """Captions or chapters to be added to a video: a file, or nothing to write them by hand."""

    file = FileField(_l("File (.vtt or .srt)"), description=_l("Leave it empty to write the lines here."))
    kind = SelectField(_l("What it is"), choices=[("captions", _l("Captions")), ("chapters", _l("Chapters"))], default="captions")
    language = StringField(_l("Language"), [InputRequired(_l("Say the language."))], description=_l("A code like en, ar or pt-BR."))
    label = StringField(_l("Name in the player"), [Length(max=60)], description=_l("For example English or Arabic."))


class WatchingForm(Form):
    """How videos may be watched."""

    most_screens = IntegerField(
        _l("Screens at once"),
        [Optional(), NumberRange(1, 20)],
        description=_l("On so many browsers and phones may one person watch at the same time. Empty: on any number."),
    )
    most_devices = IntegerField(
        _l("Devices of one person"),
        [Optional(), NumberRange(1, 20)],
        description=_l(
            "On so many browsers and phones films play at all. People change them now and then by themselves. Empty: any number."
        ),
    )
    has_watermark = BooleanField(
        _l("Show the viewer's e-mail over the video"),
        description=_l("Small and moving, for the person watching. It keeps films from being passed on."),
    )


def _price(label: Any, text: Any = "") -> DecimalField:
    return DecimalField(label, [Optional(), NumberRange(0, 1_000_000)], places=None, description=text)


class RoomForm(Form):
    """Where originals lie, and what room and work cost."""

    cold_after_days = IntegerField(
        _l("Days until an original goes to the cold place"),
        [Optional(), NumberRange(1, 3650)],
        description=_l("Counted from when the file is ready. Films play on as before. Empty: originals stay where they are."),
    )
    price_hour = _price(_l("An hour of processor time"))
    price_stored = _price(_l("A GB for a month"))
    price_cold = _price(_l("A GB for a month in the cold place"), _l("Empty: like any other."))
    price_given = _price(_l("A GB given"), _l("To watch or to download."))

    def fill(self, rule: Rule) -> None:
        """Show what stands."""
        self.cold_after_days.data = rule.cold_after_days
        for name in PRICES:
            micros = getattr(rule, name)
            self[name].data = None if micros is None else Decimal(f"{Decimal(micros).scaleb(-6).normalize():f}")

    @property
    def prices(self) -> dict[str, int | None]:
        """The prices in millionths."""
        return {name: None if self[name].data is None else round(self[name].data.scaleb(6)) for name in PRICES}


class StartUpload(BaseModel):
    """What a browser says of a file before it sends the first byte."""

    model_config = ConfigDict(extra="forbid", str_max_length=1000)

    filename: str = Field(min_length=1)
    size: int = Field(ge=0, le=1 << 50)
    kind: str = ""
    mark: str = Field(default="", max_length=100)
    again: bool = False
