"""Templates: each compiles, fragments say what they need and have one root with an id, nothing is inline."""

import re

import html5lib
import pytest
from flask import Flask

from lms.config import ROOT

FOLDER = ROOT / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in (".html", ".txt", ".typ"))
PIECES = [name for name in TEMPLATES if name.rpartition("/")[2].startswith("_") and name.endswith(".html")]


@pytest.mark.parametrize("name", [name for name in TEMPLATES if not name.endswith(".typ")])
def test_template__compiles(app: Flask, name: str) -> None:
    app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", PIECES)
def test_fragment__declares_its_inputs_and_has_one_root_with_an_id(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert re.match(r"\{#-? inputs: ", text), "the first line is {#- inputs: … -#}"
    markup = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", text, flags=re.S).strip()
    markup = re.sub(r"\{\{.*?\}\}", "x", markup, flags=re.S)
    roots = [node for node in html5lib.parseFragment(markup, treebuilder="lxml", namespaceHTMLElements=False) if not isinstance(node, str)]
    assert len(roots) == 1, f"{len(roots)} roots"
    assert roots[0].get("id"), "the root has no id"


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.endswith(".html")])
def test_template__has_nothing_inline(name: str) -> None:
    text = (FOLDER / name).read_text()
    if name == "layouts/mail.html":
        return
    assert not re.search(
        r"<[^>]*\sstyle=|\son(click|load|change|submit|input|error|focus|blur|key\w+|mouse\w+)=|hx-on|<style|hx-vals=['\"]js:", text
    ), "inline style or script"
    if not name.startswith(("ui/", "layouts/")):
        assert "|safe" not in text.replace("| safe", "|safe"), "|safe outside the design system"


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.endswith(".txt")])
def test_mail__begins_with_its_subject(name: str) -> None:
    assert (FOLDER / name).read_text().startswith("Subject: ")
