"""What is remembered: never the wrong text, never without bound."""

from flask import Flask
from markupsafe import Markup

from lms.core import i18n
from lms.web.remembered import PAGES, Pages, Rows, remembered


def test_remembered__asks_once_for_the_same_and_apart_for_text_markup_and_language() -> None:
    asked: list[object] = []

    def macro(text: object, *, size: object = None) -> Markup:
        asked.append(text)
        return Markup("<b>{}</b>").format(text)

    ask = remembered(macro)
    assert ask("<i>") == ask("<i>") == "<b>&lt;i&gt;</b>" and len(asked) == 1
    assert ask(Markup("<i>")) == "<b><i></b>", "markup and text that look the same are two things"
    with i18n.in_locale("ar"):
        ask("<i>")
    assert len(asked) == 3
    ask("<i>", size="sm")
    ask(["a", {"b": ("list", i18n.lazy_gettext("Courses"))}])
    ask(["a", {"b": ("list", i18n.lazy_gettext("Courses"))}])
    assert len(asked) == 5, "lists and mappings are known by their parts"
    ask(["a", {"b": (Markup("list"), i18n.lazy_gettext("Courses"))}])
    ask(1)
    ask(True)
    assert len(asked) == 8, "what only counts as equal is not the same"
    ask([object])
    ask([object])
    assert len(asked) == 10, "what cannot be a key is made each time"


def test_pure_macros__are_remembered_by_every_template_that_imports_them(app: Flask) -> None:
    page = app.jinja_env.from_string('{% from "ui/badge.html" import badge %}{{ badge(text) }}')
    with app.test_request_context("/"):
        assert "&lt;i&gt;" in page.render(text="<i>") and "<i>" in page.render(text=Markup("<i>"))
        assert page.render(text="<i>") == page.render(text="<i>")


def test_rows__draws_again_when_a_value_changes_and_starts_anew_when_full() -> None:
    rows, drawn = Rows(most=2), []

    def draw(word: str) -> Markup:
        drawn.append(word)
        return Markup("<tr>{}</tr>").format(word)

    for word in ("one", "one", "two", "three", "one"):
        assert rows.get(("list", word), lambda word=word: draw(word)) == f"<tr>{word}</tr>"
    assert drawn == ["one", "two", "three", "one"]
    assert rows.get((["not", "a key"],), lambda: draw("x")) == "<tr>x</tr>"


def test_pages__keeps_the_newest_by_mark() -> None:
    pages, made = Pages(), []
    for number in (*range(PAGES + 1), 1, 0):
        pages.get(f"mark {number}", lambda number=number: made.append(number) or str(number))
    assert made == [*range(PAGES + 1), 0], "the oldest went first"
    assert pages.get("", lambda: "each time") == "each time"
