"""The reader's language and time zone, for one request."""

from functools import lru_cache
from typing import Any

from flask import Flask, g, request
from flask_babel import Babel
from markupsafe import Markup

from lms.core import i18n
from lms.core.clock import zone
from lms.web.access import actor

babel = Babel()


def choose_locale() -> str:
    """The person's language, else what their browser prefers, else the channel's."""
    if "reader_locale" not in g:
        person = actor()
        g.reader_locale = person.locale if person.is_known else _preferred()
        i18n.set_locale(g.reader_locale)
    return str(g.reader_locale)


def _preferred() -> str:
    channel = g.get("channel")
    return request.accept_languages.best_match(i18n.languages(), "") or (channel.locale if channel else "en")


def choose_zone() -> str:
    """The person's time zone, else the channel's."""
    person = actor()
    channel = g.get("channel")
    return person.zone if person.is_known else (channel.zone if channel else "UTC")


def install(app: Flask) -> None:
    """Speak the reader's language in every request of the app."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(i18n.FOLDER)
    babel.init_app(app, locale_selector=choose_locale, timezone_selector=choose_zone)
    app.before_request(_speak)
    app.jinja_env.globals.update({"_": template_gettext, "gettext": template_gettext, "ngettext": template_ngettext})


def template_gettext(message: str, **values: Any) -> Markup:
    """The message for a template: our own words may be markup, what is filled in is escaped unless it is markup itself."""
    words = _marked(i18n.gettext(message))
    return words % values if values else words


@lru_cache(maxsize=8192)
def _marked(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - messages are ours, values are escaped by Markup


def template_ngettext(one: str, many: str, number: int, **values: Any) -> Markup:
    """The plural form for a template, escaped in the same way."""
    words = Markup(i18n.plural(one, many, number))  # noqa: S704
    return words % {"num": i18n.written(number), **values}


def _speak() -> None:
    i18n.set_locale("en")
    if "channel" in g:
        choose_locale()


def reader_zone() -> Any:
    """The reader's zone as zoneinfo."""
    return zone(choose_zone())
