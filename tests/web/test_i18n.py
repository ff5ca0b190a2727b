"""Every word goes through the catalogue: under a made-up language, written from right to left, no English is left on a page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import wtforms

from lms.channels.queries import get_member
from lms.core import db, i18n
from lms.web import forms
from tests.client import Browser, Page
from tests.conftest import CHANNEL
from tests.made_up import MADE_UP, write_catalogue

# What is data and stays as it is: names, addresses, keys, marks.
DATA = re.compile(
    r"^(Ada Academy|[\w.+-]+@[\w.-]+|⌘K|/|\?|g|n|[A-Z]{1,3}|[A-Z]{3}|[\W\d_]+|Ctrl|K|esc|UTC|ar|en|CSV|Excel|\.?csv|\.?xlsx|of)$"
)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the catalogue of the made-up language, from every message there is."""
    target = tmp_path_factory.mktemp("translations")
    assert len(write_catalogue(target)) > 200
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


def test_forms__say_in_our_words_what_wtforms_says_by_itself(speaking: None) -> None:
    said: set[str] = set()
    for path in Path(wtforms.__file__).parent.rglob("*.py"):
        for quote in "\"'":
            said |= set(re.findall(rf"gettext\(\s*{quote}([^{quote}\n]+){quote}", path.read_text(encoding="utf-8")))
    ours = {*forms.SAID, *forms.COUNTED}
    never = re.compile("CSRF|IP address|Mac address|^Date must|week|cannot be|Choices cannot|field name|can't be any|disabled")
    assert not {one for one in said if one not in ours and not never.search(one)} and len(ours & said) >= 20
    i18n.set_locale(MADE_UP)
    assert all(english_words(forms.WORDS.gettext(one)) == [] for one in forms.SAID)
    assert all(english_words(forms.WORDS.ngettext(one, "", 3)) == [] for one in forms.COUNTED)


def english_words(text: str) -> list[str]:
    """The words outside the marks of the made-up language."""
    return re.findall("[A-Za-z]{2,}", re.sub(r"⟦[^⟦⟧]*⟧", "", text))


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
