"""What is made of the same parts twice is remembered: macros without surroundings, and whole pages that carry their mark.

Nothing here can be out of date: everything that goes into a text is part of the key it is remembered by.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import date, datetime
from threading import Lock
from typing import Any
from uuid import UUID

from flask import Flask
from jinja2 import Template
from jinja2.runtime import Context
from markupsafe import Markup

from lms.core import i18n

PLAIN = frozenset({str, Markup, int, float, bool, type(None), date, datetime, UUID})
MACROS = 1024  # texts remembered for each macro
ROOM = 2_000_000  # characters remembered for each macro, all texts together
ROWS = 2048  # table rows remembered in each process
PAGES = 256  # pages remembered in each process


class RememberingTemplate(Template):
    """A template whose macros named in its `pure` are made once for the same language and the same plain arguments.

    A pure macro reads nothing but its arguments and the language: no request, no channel, no form token.
    """

    def _get_default_module(self, ctx: Context | None = None) -> Any:
        # Every template of the application has the same globals, so that one module serves every page that imports it.
        if self._module is None:
            module = super()._get_default_module()
            for name in module.__dict__.get("pure", ()):
                setattr(module, name, remembered(getattr(module, name)))
        return self._module


class _NoKey(Exception):
    """Something that cannot be part of a key: what is made of it is made each time."""


def remembered(macro: Callable[..., Markup]) -> Callable[..., Markup]:
    """The macro, asked once for the same arguments: plain values, lazy words, lists and mappings of them; with others each time."""
    kept: dict[tuple[Any, ...], Markup] = {}
    room = [ROOM]

    def ask(*given: Any, **named: Any) -> Markup:
        try:
            key = (i18n.locale(), *[_key(value) for value in given], *[(name, _key(value)) for name, value in named.items()])
        except _NoKey:
            return macro(*given, **named)
        found = kept.get(key)
        if found is None:
            found = macro(*given, **named)
            room[0] -= len(found)
            if len(kept) >= MACROS or room[0] < 0:
                kept.clear()
                room[0] = ROOM - len(found)
            kept[key] = found
        return found

    return ask


def _key(value: Any) -> Any:
    """The value as part of a key: equal only for values that look the same (1 is not True, markup is not text)."""
    kind = type(value)
    if kind is str:
        return value
    if kind in PLAIN:
        return kind, value
    if kind is i18n.Lazy:
        return str(value)
    if isinstance(value, list | tuple):
        return kind, *[_key(part) for part in value]
    if kind is dict:
        return kind, *[(name, _key(part)) for name, part in value.items()]
    if getattr(kind, "looks_alike", False):  # a frozen thing that says so itself: equal means drawn the same
        return kind, value
    raise _NoKey


class Rows:
    """Table rows by everything that goes into them: who draws them, in which language and zone, and their values."""

    def __init__(self, most: int = ROWS) -> None:
        self.most = most
        self._kept: dict[tuple[Any, ...], Markup] = {}
        self._places: dict[tuple[Any, ...], object] = {}

    def place(self, words: tuple[Any, ...]) -> object:
        """What stands for many words in the keys of rows that share them, so that they are read once and not for each row."""
        if len(self._places) >= self.most:
            self._places.clear()
            self._kept.clear()
        return self._places.setdefault(words, object())

    def get(self, key: tuple[Any, ...], make: Callable[[], Markup]) -> Markup:
        """The row of this key, drawn now when it is not at hand; rows with values that cannot be a key are drawn each time."""
        try:
            found = self._kept.get(key)
        except TypeError:
            return make()
        if found is None:
            if len(self._kept) >= self.most:
                self._kept.clear()
            found = self._kept[key] = make()
        return found


class Pages:
    """The newest pages by their mark: a text that changes whenever the page would look different."""

    def __init__(self, most: int = PAGES) -> None:
        self.most = most
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def get(self, mark: str, make: Callable[[], str]) -> str:
        """The page of this mark, made now when it is not at hand; a page without a mark is made each time."""
        if not mark:
            return make()
        with self._lock:
            found = self._kept.get(mark)
            if found is not None:
                self._kept.move_to_end(mark)
                return found
        made = make()
        with self._lock:
            self._kept[mark] = made
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return made


def install(app: Flask) -> None:
    """Let the templates of the app remember."""
    app.jinja_env.template_class = RememberingTemplate
