"""What every layout reads: the channel, the person, navigation, links, toasts, words."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request

from lms.core import db, i18n
from lms.core.i18n import gettext as _
from lms.web.access import actor
from lms.web.face import faces
from lms.web.headers import csp_nonce
from lms.web.navigation import links, navigation_for
from lms.web.toasts import take_toasts
from lms.web.viewing import viewing
from lms.web.words import zone_name


@dataclass(frozen=True, slots=True)
class Me:
    """The signed-in person as layouts show them."""

    name: str
    email: str
    initials: str
    avatar_url: str | None
    role: str
    is_staff: bool


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Stands for the channel on pages that belong to none (an unknown host)."""

    name: str = "Lectern"
    tagline: str = ""
    logo_url: None = None
    theme_href: str = "/theme/0.css"


def initials(name: str) -> str:
    """The first letters of the first and last word of a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper() or "?"


def me() -> Me | None:
    """The signed-in person, or None."""
    person = actor()
    if not person.is_known:
        return None
    return Me(person.name, person.email, initials(person.name), person.picture or None, person.role, person.is_staff)


def unread() -> int:
    """How many notifications this person has not seen."""
    user_id = actor().user_id
    if user_id is None or faces.unread_of is None or g.get("is_error_page") or not db.has_work():
        return 0
    return faces.unread_of(user_id)


def theme() -> str:
    """The reader's choice of light or dark."""
    chosen = request.cookies.get("theme", "system")
    return chosen if chosen in ("light", "dark") else "system"


def layout_context() -> dict[str, Any]:
    """The names layouts read; those that cost something are computed when a layout asks."""
    channel = g.get("channel") or Nowhere()
    return {
        "channel": channel,
        "me": me(),
        "navigation": _Once(lambda: navigation_for(actor())),
        "links": _Once(links),
        "unread": _Number(unread),
        "toasts": _Once(take_toasts),
        "csp_nonce": csp_nonce(),
        "locale_code": i18n.locale(),
        "locale_dir": i18n.direction(),
        "theme": theme(),
        "demo_banner": _demo_words() if getattr(channel, "is_demo", False) else None,
        "viewing": viewing(),
        "now_zone": zone_name(),
        "page_number": str(g.get("request_id", "")),
    }


def _demo_words() -> str:
    words = _("This is a demo: everything in it was made up.")
    return f"{words} {_('You can remove it in Settings.')}" if actor().is_admin else words


class _Once:
    """A list or mapping made when it is first read."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def _value(self) -> Any:
        if "_made" not in self.__dict__:
            self._made = self._make()
        return self._made

    def __iter__(self) -> Any:
        return iter(self._value())

    def __len__(self) -> int:
        return len(self._value())

    def __bool__(self) -> bool:
        return bool(self._value())

    def __getitem__(self, key: Any) -> Any:
        return self._value()[key]

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key of the mapping."""
        return self._value().get(key, default)


class _Number:
    """A count made when it is first read."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._made: int | None = None

    def __int__(self) -> int:
        if self._made is None:
            self._made = int(self._make())
        return self._made

    def __bool__(self) -> bool:
        return int(self) > 0

    def __str__(self) -> str:
        return str(int(self))

    def __gt__(self, other: int) -> bool:
        return int(self) > other

    def __lt__(self, other: int) -> bool:
        return int(self) < other

    def __eq__(self, other: object) -> bool:
        return int(self) == other

    def __hash__(self) -> int:
        return hash(int(self))

    def __mod__(self, other: Any) -> Any:
        return int(self) % other

    def __index__(self) -> int:
        return int(self)

    def __format__(self, spec: str) -> str:
        return format(int(self), spec)


def install(app: Flask) -> None:
    """Give the names to every template of the app."""
    app.context_processor(layout_context)
