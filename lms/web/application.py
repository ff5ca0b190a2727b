"""The Flask application with the shortest way through what every page does dozens of times: addresses, and calls in templates.

An address follows from the map of addresses, which does not change, and from plain values; so it is worked out once.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any
from uuid import UUID

from flask import Flask
from flask.globals import request_ctx
from flask.templating import Environment
from jinja2 import Template
from jinja2.runtime import Context, Macro

MOST = 16_384  # addresses remembered in each process
PLAIN = frozenset({str, int, UUID, type(None)})  # of these, equal values make equal addresses


class Templates(Environment):
    """Templates found by their names at once: a page imports twenty, and none changes while the process lives (but for debugging)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._found: dict[str, Template] = {}

    def get_template(self, name: str | Template, parent: str | None = None, globals: Any = None) -> Template:
        """The template of a name; every template has the same globals."""
        if self.auto_reload or globals or not isinstance(name, str):
            return super().get_template(name, parent, globals)
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name, parent, globals)
        return found


class Application(Flask):
    """Flask without coroutines, which remembers the addresses it has built."""

    jinja_environment = Templates

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._addresses: dict[tuple[Any, ...], str] = {}
        self.jinja_env.context_class = ShortContext

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: nothing here is a coroutine, and looking costs each of the twenty hooks of a request."""
        return func

    def url_for(self, endpoint: str, **values: Any) -> str:
        """The address of an endpoint; one within the host, made of plain values, is built once."""
        try:
            request = request_ctx.request
        except RuntimeError:  # outside a request
            return super().url_for(endpoint, **values)
        if self.url_default_functions:
            return super().url_for(endpoint, **values)
        for value in values.values():
            if type(value) not in PLAIN:
                return super().url_for(endpoint, **values)
        key = (request.root_path, request.blueprint if endpoint[0] == "." else None, endpoint, *values.items())
        found = self._addresses.get(key)
        if found is None:
            found = super().url_for(endpoint, **values)
            if not found.startswith("/"):  # with a host: it depends on the request
                return found
            if len(self._addresses) >= MOST:
                self._addresses.clear()
            self._addresses[key] = found
        return found


class ShortContext(Context):
    """Calls macros and plain functions at once; whatever wants the context or the environment goes the whole way."""

    def call(self, obj: Any, /, *args: Any, **named: Any) -> Any:
        """The answer of what a template calls."""
        kind = type(obj)
        if kind is Macro:
            named.pop("_block_vars", None)
            named.pop("_loop_vars", None)
            return obj(self.eval_ctx, *args, **named)
        if kind is FunctionType and "jinja_pass_arg" not in obj.__dict__:
            named.pop("_block_vars", None)
            named.pop("_loop_vars", None)
            return obj(*args, **named)
        return super().call(obj, *args, **named)
