"""The back office's navigation and the links of every page: an entry shows when its page exists and the role may open it."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from flask import current_app, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect

from lms.core import db, i18n
from lms.core.decisions import Actor
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.web.face import faces

INBOX = "/admin/inbox"
MOST_SAID = 100
ADMIN = ("admin", "owner")
STAFF = ("instructor", *ADMIN)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; `keys` is what follows `g` on the keyboard."""

    title: Lazy
    href: str
    icon: str
    roles: tuple[str, ...]
    key: str = ""


GROUPS: tuple[tuple[Lazy, tuple[Entry, ...]], ...] = (
    (
        _l("Overview"),
        (
            Entry(_l("Dashboard"), "/admin/", "layout-dashboard", STAFF, "d"),
            Entry(_l("Inbox"), INBOX, "inbox", ADMIN, "i"),
            Entry(_l("Reports"), "/admin/reporting/", "chart-column", STAFF, "r"),
        ),
    ),
    (
        _l("Teaching"),
        (
            Entry(_l("Courses"), "/admin/courses/", "book-open", STAFF, "c"),
            Entry(_l("Live"), "/admin/streaming/", "radio", STAFF, "l"),
            Entry(_l("Enrolments"), "/admin/enrollments/", "user-check", STAFF, "e"),
            Entry(_l("Batches"), "/admin/enrollments/batches", "calendar-clock", STAFF, "b"),
            Entry(_l("Requests"), "/admin/enrollments/requests", "hand", STAFF),
            Entry(_l("Links and keys"), "/admin/enrollments/links", "link", ADMIN, "k"),
            Entry(_l("Reviews"), "/admin/community/reviews", "star", STAFF),
            Entry(_l("Files"), "/admin/content/assets", "film", STAFF),
        ),
    ),
    (
        _l("People"),
        (
            Entry(_l("People"), "/admin/channels/people", "users", ADMIN, "p"),
            Entry(_l("Messages"), "/admin/notifications/messages", "megaphone", STAFF, "m"),
            Entry(_l("Segments"), "/admin/channels/segments", "target", ADMIN),
        ),
    ),
    (
        _l("Money"),
        (
            Entry(_l("Vouchers"), "/admin/vouchers/batches", "ticket", ADMIN, "v"),
            Entry(_l("Wallets"), "/admin/wallet/", "wallet", ADMIN, "w"),
            Entry(_l("Orders"), "/admin/payments/orders", "receipt", ADMIN, "o"),
            Entry(_l("Revenue"), "/admin/payments/revenue", "banknote", ADMIN),
        ),
    ),
    (
        _l("Settings"),
        (
            Entry(_l("Academy"), "/admin/channels/settings", "settings", ADMIN, "s"),
            Entry(_l("Notifications"), "/admin/notifications/defaults", "bell", ADMIN),
            Entry(_l("Mails in your words"), "/admin/notifications/templates", "mail", ADMIN),
            Entry(_l("Bulk acts"), "/admin/plans", "layers", ADMIN),
            Entry(_l("Bin"), "/admin/bin", "trash-2", ADMIN),
            Entry(_l("Audit log"), "/admin/audit", "scroll-text", ADMIN),
            Entry(_l("System"), "/admin/system", "activity", ADMIN),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as the layout draws it."""

    title: str
    href: str
    icon: str
    active: bool
    badge: str
    key: str
    live: str = ""  # the name under which the page's socket tells how much waits


@dataclass(frozen=True, slots=True)
class Group:
    """A titled group of items."""

    title: str
    items: tuple[Item, ...]
    looks_alike: ClassVar[bool] = True


def exists(path: str) -> bool:
    """Whether the platform has a page at the path; asked once of each map of addresses, which does not change."""
    return _is_routed(current_app.url_map, path)


@cache
def _is_routed(url_map: Map, path: str) -> bool:
    adapter = url_map.bind("localhost")
    try:
        adapter.match(path, method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def navigation_for(person: Actor) -> tuple[Group, ...]:
    """What this person may open, in groups; empty groups are left out."""
    path = request.path
    entries = _entries_of(current_app.url_map, person.role)
    current = max((entry.href for entry in entries if _covers(entry.href, path)), key=len, default="")
    badge = _badge() if any(entry.href == INBOX for entry in entries) else ""
    return _drawn(current_app.url_map, person.role, current, badge, i18n.locale())


@cache
def _entries_of(url_map: Map, role: str) -> tuple[Entry, ...]:
    return tuple(entry for _title, group in GROUPS for entry in group if role in entry.roles and _is_routed(url_map, entry.href))


@lru_cache(maxsize=256)
def _drawn(url_map: Map, role: str, current: str, badge: str, _language: str) -> tuple[Group, ...]:
    made, entries = [], _entries_of(url_map, role)
    for title, group in GROUPS:
        items = tuple(_item(e, is_current=e.href == current, badge=badge) for e in group if e in entries)
        if items:
            made.append(Group(str(title), items))
    return tuple(made)


def _item(entry: Entry, *, is_current: bool, badge: str) -> Item:
    is_inbox = entry.href == INBOX
    return Item(str(entry.title), entry.href, entry.icon, is_current, badge if is_inbox else "", entry.key, "inbox" if is_inbox else "")


def _badge() -> str:
    """How much waits in the inbox, the one entry that says."""
    if faces.last_counted is None or g.get("is_error_page") or not db.has_work():
        return ""
    return many(faces.last_counted())


def many(count: int) -> str:
    """A count as a badge says it: nothing for none."""
    return "" if not count else str(count) if count < MOST_SAID else f"{MOST_SAID - 1}+"


def _covers(href: str, path: str) -> bool:
    if href == "/admin/":
        return path == href
    return path == href or path.startswith(href.rstrip("/") + "/")


LINKS = {
    "home": "/",
    "catalogue": "/courses/",
    "learning": "/enrollments/",
    "live": "/streaming/",
    "wallet": "/wallet/",
    "notifications": "/notifications/",
    "profile": "/channels/profile",
    "sessions": "/auth/sessions",
    "sign_in": "/auth/sign-in",
    "register": "/auth/register",
    "sign_out": "/auth/sign-out",
    "admin": "/admin/",
    "search": "/search/",
    "palette": "/admin/search/palette",
}


def links() -> dict[str, str]:
    """The addresses layouts point to; a page that does not exist has none."""
    return _links_of(current_app.url_map)


@cache
def _links_of(url_map: Map) -> dict[str, str]:
    return {name: path if _is_routed(url_map, path) or name == "sign_out" else "" for name, path in LINKS.items()}
