"""A made-up language, written from right to left: every message between brackets nothing else uses."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from lms.config import ROOT

MADE_UP = "ar"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract"), ("**.txt", "jinja2.ext.babel_extract")]
OPTIONS = {"**.html": {"extensions": "jinja2.ext.do", "trimmed": "true"}}


def made_up(text: str) -> str:
    """A message in the made-up language."""
    return f"⟦{text}⟧"


def write_catalogue(target: Path) -> set[str]:
    """Write the catalogue of the made-up language, from every message there is, into a folder; the messages in English."""
    found = Catalog(locale=MADE_UP)
    for folder in ("lms", "templates"):
        for _file, _line, message, _comments, _context in extract_from_dir(str(ROOT / folder), METHODS, OPTIONS, KEYWORDS):
            if isinstance(message, tuple):
                found.add(message, tuple(made_up(message[1]) for _ in range(found.num_plurals)))
            elif message:
                found.add(message, made_up(message))
    (target / MADE_UP / "LC_MESSAGES").mkdir(parents=True)
    with (target / MADE_UP / "LC_MESSAGES" / "messages.mo").open("wb") as file:
        write_mo(file, found)
    return {str(one.id) for one in found if one.id and isinstance(one.id, str)}
