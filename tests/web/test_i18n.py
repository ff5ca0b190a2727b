"""Every word goes through the catalogue: under a made-up language, written from right to left, no English is left on a page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from lms.channels.queries import get_member
from lms.config import ROOT
from lms.core import db, i18n
from tests.client import Browser, Page
from tests.conftest import CHANNEL

MADE_UP = "ar"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract"), ("**.txt", "jinja2.ext.babel_extract")]
OPTIONS = {"**.html": {"extensions": "jinja2.ext.do", "trimmed": "true"}}
# What is data and stays as it is: names, addresses, keys, marks.
DATA = re.compile(
    r"^(Ada Academy|[\w.+-]+@[\w.-]+|⌘K|/|\?|g|n|[A-Z]{1,3}|[A-Z]{3}|[\W\d_]+|Ctrl|K|esc|UTC|ar|en|CSV|Excel|\.?csv|\.?xlsx|of)$"
)


def made_up(text: str) -> str:
    """A message in the made-up language: between brackets nothing else uses."""
    return f"⟦{text}⟧"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the catalogue of the made-up language, from every message there is."""
    found = Catalog(locale=MADE_UP)
    for folder in ("lms", "templates"):
        for _file, _line, message, _comments, _context in extract_from_dir(str(ROOT / folder), METHODS, OPTIONS, KEYWORDS):
            if isinstance(message, tuple):
                found.add(message, tuple(made_up(message[1]) for _ in range(found.num_plurals)))
            elif message:
                found.add(message, made_up(message))
    target = tmp_path_factory.mktemp("translations")
    (target / MADE_UP / "LC_MESSAGES").mkdir(parents=True)
    with (target / MADE_UP / "LC_MESSAGES" / "messages.mo").open("wb") as file:
        write_mo(file, found)
    assert len(found) > 200
    return target


@pytest.fixture
def speaking(catalogue: Path) -> Iterator[None]:
    i18n.translations_in(catalogue)
    yield
    i18n.translations_in(i18n.FOLDER)
    i18n.set_locale("en")


def english_in(page: Page) -> list[str]:
    """The texts of a page that are neither translated nor data."""
    left = []
    for node in page.tree.xpath("//body//text()[not(ancestor::script) and not(ancestor::template) and not(ancestor::svg)]"):
        text = re.sub(r"\s+", " ", re.sub(r"⟦[^⟦⟧]*⟧", "", re.sub(r"⟦[^⟦⟧]*⟧", "", str(node)))).strip(" ·→:,.–—|/")
        if re.search(r"[A-Za-z]{2,}", text) and not DATA.match(text):
            left.append(text)
    return left


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/register", "/auth/forgot", "/courses/"])
def test_public_page__speaks_the_readers_language_from_right_to_left(speaking: None, client: Browser, path: str) -> None:
    page = client.get(path, headers={"Accept-Language": MADE_UP}, check=False)
    assert page.status == 200
    assert page.all("//html")[0].get("dir") == "rtl"
    assert english_in(page) == []


def test_refusal__speaks_the_readers_language(speaking: None, client: Browser) -> None:
    page = client.post("/auth/sign-in", {"email": "nobody", "password": ""}, headers={"Accept-Language": MADE_UP}, check=False)
    assert page.status == 422
    assert [text for text in english_in(page) if "nobody" not in text] == []


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/channels/people",
        "/admin/channels/people/new",
        "/admin/vouchers/batches",
        "/admin/courses/",
        "/admin/enrollments/",
    ],
)
def test_back_office__speaks_the_readers_language(speaking: None, as_root: Browser, path: str) -> None:
    with db.unit_of_work(CHANNEL) as session:
        from_account = get_member(as_root.person.user_id)
        session.execute(db.text("UPDATE auth.users SET locale = :locale WHERE id = :id"), {"locale": MADE_UP, "id": from_account.id})
    page = as_root.get(path, check=False)
    assert page.status == 200
    assert page.all("//html")[0].get("dir") == "rtl"
    assert [text for text in english_in(page) if text not in ("Root Admin", "Root")] == []
