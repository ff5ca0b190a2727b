"""Words in the reader's language: gettext for the domain, without HTTP; the edge sets the locale."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

from lms.config import ROOT

FOLDER = ROOT / "lms" / "translations"
SOURCE = "en"  # what the words in the code are in
_locale: ContextVar[str] = ContextVar("locale", default=SOURCE)
_folders: list[Path] = [FOLDER]
MOST_SAID = 20_000  # messages remembered for each language
_said: dict[str, dict[str, str]] = {}


@cache
def _catalogue(locale: str, folder: Path) -> NullTranslations:
    return Translations.load(folder, [locale])


def translations_in(folder: Path) -> None:
    """Read catalogues from another folder."""
    _folders[:] = [folder]
    _catalogue.cache_clear()
    _said.clear()


def languages() -> list[str]:
    """The languages the platform speaks: English, and every one there is a catalogue of."""
    return ["en", *sorted(path.name for path in _folders[0].glob("*") if (path / "LC_MESSAGES").is_dir() and path.name != "en")]


def language_name(code: str) -> str:
    """What a language calls itself: English, العربية; the code where nobody knows."""
    try:
        return (Locale.parse(code.replace("-", "_")).display_name or code).capitalize()
    except (UnknownLocaleError, ValueError):
        return code


def locale() -> str:
    """The locale words are in now."""
    return _locale.get()


def set_locale(name: str) -> None:
    """Say the locale for the rest of this request or job."""
    _locale.set(name)


@contextmanager
def in_locale(name: str) -> Iterator[None]:
    """Speak another locale inside the block."""
    token = _locale.set(name)
    try:
        yield
    finally:
        _locale.reset(token)


def direction(name: str | None = None) -> str:
    """`rtl` for locales written from right to left, else `ltr`."""
    return _direction(name or locale())


@cache
def _direction(name: str) -> str:
    try:
        return Locale.parse(name.replace("-", "_")).text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"


def gettext(message: str, **values: Any) -> str:
    """The message in the reader's language, with %(name)s filled in."""
    known = _said.get(_locale.get())
    text = known.get(message) if known is not None else None
    if text is None:
        text = _look_up(message)
    return text % values if values else text


def _look_up(message: str) -> str:
    """The message out of its catalogue, remembered for the next time."""
    known = _said.setdefault(locale(), {})
    if len(known) >= MOST_SAID:
        known.clear()
    found = known[message] = str(_catalogue(locale(), _folders[0]).ugettext(message))
    return found


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """The message in the plural form the number takes; %(num)s is the number, with the reader's separators."""
    return plural(one, many, number) % {"num": written(number), **values}


def written(number: int) -> str:
    """A whole number with the reader's separators."""
    return str(format_decimal(number, locale=_numbers_of(_locale.get())))


@cache
def _numbers_of(name: str) -> Locale:
    """How a language writes numbers; as English does where nobody knows."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def plural(one: str, many: str, number: int) -> str:
    """The plural form the number takes, nothing filled in."""
    return str(_catalogue(locale(), _folders[0]).ungettext(one, many, number))


def percent(share: float, *, signed: bool = False) -> str:
    """A share of a hundred as the reader's language writes it (52%, 52 %, %52), in whole numbers; `signed` puts a plus before gains."""
    words = str(format_percent(round(share) / 100, locale=_numbers_of(_locale.get())))
    return f"+{words}" if signed and share > 0 else words


class Lazy:
    """A message translated when it is shown."""

    def __init__(self, message: str, values: dict[str, Any]) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return gettext(self.message, **self.values)

    def __mod__(self, values: Any) -> str:
        """The words with a validator's own values put in; words that name none of them stay as they are."""
        words = str(self)
        return words % values if "%(" in words else words

    def __html__(self) -> str:
        from_markup = str(self)
        return from_markup.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self.message)

    def __repr__(self) -> str:
        return f"Lazy({self.message!r})"


def lazy_gettext(message: str, **values: Any) -> Lazy:
    """The message, translated when it is shown."""
    return Lazy(message, values)
