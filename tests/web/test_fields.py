"""render_field takes any WTForms field; the page keeps its label, help, errors and aria."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
import pytest
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TextAreaField,
    validators,
    widgets,
)
from wtforms.fields.choices import SelectChoice as Option  # type: ignore[attr-defined]  # newer than the stubs

from tests.web.design_app import create_design_app


class Inner(Form):
    street = StringField("Street", [validators.DataRequired("Say the street.")])


class Everything(Form):
    name = StringField(
        "Name", [validators.DataRequired("Say the name."), validators.Length(max=80)], description="As it is on the certificate."
    )
    secret = HiddenField()
    word = PasswordField("Password")
    note = TextAreaField("Note")
    count = IntegerField("How many", [validators.NumberRange(max=10, message="At most 10.")])
    price = DecimalField("Price")
    kind = SelectField("Kind", choices=[Option("a", "Apple"), Option("b", "Pear")])
    many = SelectMultipleField(
        "Tell",
        choices=[Option("m", "Mail"), Option("p", "Push")],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    one = RadioField("One of", choices=[Option("x", "Ex"), Option("y", "Why")])
    agree = BooleanField("Agree", description="The small print.")
    day = DateField("Day")
    at = DateTimeLocalField("At")
    logo = FileField("Logo")
    tags = FieldList(StringField("Tag"), label="Tags", min_entries=2)
    home = FormField(Inner, label="Home")
    send = SubmitField("Send")


class Markup:
    """A parsed piece of HTML that answers the few selectors these tests need: tag, #id, .class, [attribute="value"] and descent."""

    def __init__(self, node: Element) -> None:
        self.node = node

    def __getitem__(self, name: str) -> str:
        return self.node.attrib[name]

    def has(self, name: str) -> bool:
        return name in self.node.attrib

    def text(self) -> str:
        return "".join(self.node.itertext()).strip()

    def all(self, selector: str) -> list[Markup]:
        found = [self.node]
        for part in selector.split():
            found = [
                inner
                for node in found
                for inner in node.iter()
                if inner is not node and isinstance(inner.tag, str) and _matches(inner, part)
            ]
        return [Markup(node) for node in found]

    def one(self, selector: str) -> Markup:
        found = self.all(selector)
        assert found, f"nothing matches {selector}"
        return found[0]


def _matches(node: Element, part: str) -> bool:
    for kind, name, _eq, value in re.findall(r"""([#.\[]?)([\w-]+)(="([^"]*)"\])?""", part):
        if kind == "#" and node.get("id") != name:
            return False
        if kind == "." and name not in (node.get("class") or "").split():
            return False
        if kind == "[" and (node.get(name) is None or (_eq and node.get(name) != value)):
            return False
        if kind == "" and node.tag != name:
            return False
    return True


def render(source: str, **values: Any) -> Markup:
    app = create_design_app()
    with app.test_request_context("/"):
        return Markup(html5lib.parse(app.jinja_env.from_string(source).render(**values), namespaceHTMLElements=False))


ALL = (
    "{% from 'ui/field.html' import render_field, form_errors_of %}"
    "<form>{{ form_errors_of(form) }}{% for field in form %}{{ render_field(field) }}{% endfor %}</form>"
)


@pytest.fixture
def refused() -> Everything:
    form = Everything(MultiDict({"count": "99", "one": "zzz", "kind": "b", "many": "p", "agree": "y", "tags-0": "red"}))
    assert not form.validate()
    return form


def test_render_field__labels_every_control(refused: Everything) -> None:
    page = render(ALL, form=refused)
    for control in [*page.all("input"), *page.all("select"), *page.all("textarea")]:
        assert control.node.get("type") == "hidden" or page.all(f'label[for="{control["id"]}"]'), control["id"]
    ids = [tag["id"] for tag in page.all("[id]")]
    assert len(ids) == len(set(ids))


def test_render_field__says_what_is_wrong_beside_the_field(refused: Everything) -> None:
    page = render(ALL, form=refused)
    name = page.one("#name")
    assert name["aria-invalid"] == "true" and set(name["aria-describedby"].split()) == {"name-help", "name-error"}
    assert page.one("#name-error").text() == "Say the name."
    assert page.one("#count")["value"] == "99"
    assert {link["href"] for link in page.all(".form-errors a")} >= {"#name", "#count", "#one"}
    assert page.one("#home-street-error").text() == "Say the street."


def test_render_field__keeps_what_was_chosen(refused: Everything) -> None:
    page = render(ALL, form=refused)
    assert page.one('#kind option[value="b"]').has("selected")
    assert page.one('input[name="many"][value="p"]').has("checked") and not page.one('input[name="many"][value="m"]').has("checked")
    assert page.one("#agree").has("checked")


def test_render_field__adds_words_and_looks() -> None:
    page = render(
        "{% from 'ui/field.html' import render_field %}{{ render_field(form.price, kind='money', suffix='EGP', help='Each.') }}"
        "{{ render_field(form.agree, switch=true) }}"
        "{{ render_field(form.name, kind='otp', hide_label=true, attrs={'hx-get': '/x'}) }}",
        form=Everything(),
    )
    assert page.one(".input-group #price")["inputmode"] == "decimal" and "EGP" in page.text()
    assert page.one("#agree")["role"] == "switch"
    assert page.one("#name")["autocomplete"] == "one-time-code" and page.one("#name")["hx-get"] == "/x"


def test_field__escapes_what_people_typed() -> None:
    page = render(
        "{% from 'ui/field.html' import field %}{{ field('n', label, value=label, help=label, errors=[label], prefix=label) }}",
        label='"><script>x</script>',
    )
    assert not page.all("script") and page.one("#n")["value"] == '"><script>x</script>'


def test_table__escapes_and_shows_a_dash_for_nothing() -> None:
    page = render(
        "{% from 'ui/table.html' import table %}{{ table([{'key': 'a', 'label': 'A'}, {'key': 'b', 'label': 'B'}], "
        "[{'id': 1, 'cells': {'a': '<b>x</b>', 'b': none}}], 'Rows') }}"
    )
    assert page.one("tbody th").text() == "<b>x</b>" and page.one("tbody td").text() == "–"


def test_confirm__says_what_it_touches_and_posts_with_the_token() -> None:
    page = render(
        "{% from 'ui/dialog.html' import confirm %}"
        "{{ confirm('c', 'Archive?', 'It leaves.', '/x', 'Archive', fields={'id': 7}, touches=['2 sessions']) }}"
    )
    form = page.one("dialog#c form")
    assert form["method"] == "post" and form.one('[name="csrf_token"]')["value"] == "token" and form.one('[name="id"]')["value"] == "7"
    assert "2 sessions" in form.text()
