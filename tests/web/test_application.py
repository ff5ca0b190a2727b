"""Addresses worked out once, and calls in templates on the short way."""

from uuid import UUID

import pytest
from flask import Flask, url_for
from jinja2 import pass_context
from werkzeug.routing import BuildError

from lms.web.application import Application

ID = UUID(int=7)


@pytest.fixture
def app() -> Flask:
    """Two doors, of which one is there twice under other names."""
    app = Application(__name__)
    app.add_url_rule("/things/<thing>", "things.show", lambda thing: thing)
    app.add_url_rule("/others/<int:number>/<is_new>", "others.show", lambda **_: "")
    return app


def test_an_address_is_the_same_the_second_time_and_follows_its_values(app: Flask) -> None:
    with app.test_request_context("/"):
        for _time in range(2):
            assert url_for("things.show", thing=ID) == f"/things/{ID}"
            assert url_for("things.show", thing="a b", q="x&y") == "/things/a%20b?q=x%26y"
            assert url_for("others.show", number=1, is_new=True) == "/others/1/True"
            assert url_for("others.show", number=1, is_new=1) == "/others/1/1"
            assert url_for("things.show", thing="a", _anchor="here") == "/things/a#here"
            assert url_for("things.show", thing="a", _external=True) == "http://localhost/things/a"
    with app.test_request_context("/", base_url="http://elsewhere/under/"):
        assert url_for("things.show", thing="a", _external=True) == "http://elsewhere/under/things/a"
        assert url_for("things.show", thing="a", q="x&y") == "/under/things/a?q=x%26y"
    with app.test_request_context("/"), pytest.raises(BuildError):
        url_for("nothing.here")


def test_templates_call_functions_macros_and_what_wants_the_context(app: Flask) -> None:
    app.jinja_env.globals["plain"] = lambda word="": f"<{word}>"
    app.jinja_env.globals["wanting"] = pass_context(lambda context, name: context[name])
    source = "{% macro b(w) %}<b>{{ w }}{{ caller() if caller }}</b>{% endmacro %}{{ plain('x') }} {% set y = 2 %}{{ wanting('y') }} {% call b('<') %}!{% endcall %}"
    with app.test_request_context("/"):
        assert app.jinja_env.overlay(autoescape=True).from_string(source).render() == "&lt;x&gt; 2 <b>&lt;!</b>"
