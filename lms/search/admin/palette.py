"""Door 2: the command palette."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.i18n import gettext as _
from lms.payments.reports import Orders, Refunds
from lms.search import policies, queries
from lms.search.admin import places
from lms.search.admin.door import bp
from lms.search.queries import Hit
from lms.vouchers.reports import Gifts
from lms.web.access import actor, allow
from lms.web.answers import fragment
from lms.web.navigation import navigation_for
from lms.web.words import day, money

SHOWN = 6
RECEIPT = re.compile(r"(?:[RGrg]-?)?[0-9]{3,9}(?:-[0-9]{0,4})?")  # a receipt's number, or a good part of one
PLACES = {
    "course": ("courses_admin.show", "course_id", "book-open"),
    "lesson": ("courses_admin.lessons_edit", "lesson_id", "file-text"),
    "person": ("channels_admin.people_show", "user_id", "user"),
    "batch": ("vouchers_admin.batches_show", "batch_id", "ticket"),
}


@bp.route("/palette")
def palette() -> ResponseReturnValue:
    """What the words of `?q=` name: pages, courses, lessons, people, vouchers, orders, settings, lists, help; pages alone without words."""
    allow(policies.can_use_palette(actor()))
    words = request.args.get("q", "").replace("\x00", "").strip()[: queries.LONGEST]
    found = queries.find(words, by=actor(), kinds=tuple(PLACES), most=40)
    names = queries.names_of(found.hits)
    groups = [
        {"title": _("Pages"), "rows": pages(words)},
        {"title": _("Courses"), "rows": rows(found.of("course"), names)},
        {"title": _("Lessons"), "rows": rows(found.of("lesson"), names)},
        {"title": _("People"), "rows": rows(found.of("person"), names)},
        {"title": _("Vouchers"), "rows": rows(found.of("batch"), names)},
        {"title": _("Orders"), "rows": orders(words)},
        {"title": _("Refunds and gifts"), "rows": receipts(words)},
        *_by_heart(words),
    ]
    return fragment(
        "search/admin/_palette.html",
        page=url_for("search.index", q=words or None),
        groups=sorted((group for group in groups if group["rows"]), key=lambda group: not _is_named(group["rows"], words)),
        words=words,
    )


def _is_named(found: Sequence[dict[str, Any]], words: str) -> bool:
    """Whether one of the rows is called so; those that only say it somewhere in their text come after: Enter opens the first."""
    return any(f" {words}".casefold() in f" {row['title']}".casefold() for row in found)


def orders(words: str) -> list[dict[str, Any]]:
    """The newest orders under the words: by course, person, address or number; for those who may see them."""
    report = Orders()
    if len(words) < places.FEWEST or not report.allowed(actor()):
        return []
    view = report.read_view({"q": [words]})
    return [
        {
            "title": f"{row['title']} · {row['person']}",
            "note": f"{row['number']} · {money(row['amount'], row['amount_currency'])} · {day(row['created_at'])}",
            "href": report.href.replace("{id}", str(row["id"])),
            "icon": "receipt",
        }
        for row in report.page(view, actor(), size=SHOWN).rows
    ]


def receipts(words: str) -> list[dict[str, Any]]:
    """Refunds and gifts by their number, when the words look like a part of one; for those who may see them."""
    found: list[dict[str, Any]] = []
    if not RECEIPT.fullmatch(words):
        return found
    for report, icon, moment, title in ((Refunds(), "undo-2", "refunded_at", "title"), (Gifts(), "ticket", "made_at", "what")):
        if report.allowed(actor()):
            rows = report.page(report.read_view({"q": [words]}), actor(), size=SHOWN).rows
            found += [
                {
                    "title": f"{row[title]} · {row['number']}",
                    "note": f"{money(row['amount'], row['amount_currency'])} · {day(row[moment])}",
                    "href": report.href.replace("{id}", str(row["id"])),
                    "icon": icon,
                }
                for row in rows
            ]
    return found


def _by_heart(words: str) -> list[dict[str, Any]]:
    """Settings, lists and help under the words; a page stands once, where it is found first."""
    if len(words) < places.FEWEST:
        return []
    found = (
        (_("Settings and tools"), places.fitting(places.PAGES, words, actor())),
        (_("Help"), places.fitting(places.HELP, words, actor())),
        (_("Lists"), places.lists(words, actor())),
    )
    seen = {row["href"] for row in pages(words)}
    groups = []
    for title, listed in found:
        fresh = [row for row in listed if title == _("Help") or row["href"] not in seen]
        seen |= {row["href"] for row in fresh}
        groups.append({"title": title, "rows": fresh[:SHOWN]})
    return groups


def pages(words: str) -> list[dict[str, Any]]:
    """The pages of the back office this person may open whose name has the words, and what can be begun from anywhere."""
    items = [item for group in navigation_for(actor()) for item in group.items]
    found = [{"title": item.title, "href": item.href, "icon": item.icon} for item in items]
    for title, endpoint, icon in ((_("New course"), "courses_admin.new", "plus"), (_("Catalogue"), "courses.index", "library")):
        if endpoint in current_app.view_functions:
            found.append({"title": title, "href": url_for(endpoint), "icon": icon})
    wanted = words.casefold()
    fitting = [row for row in found if wanted in row["title"].casefold()]
    return fitting[:SHOWN] if words else fitting


def rows(hits: Sequence[Hit], names: dict[Any, str]) -> list[dict[str, Any]]:
    """Hits as the palette shows them; a page that does not exist is left out."""
    made = []
    for hit in hits[:SHOWN]:
        endpoint, parameter, icon = PLACES[hit.kind]
        if endpoint in current_app.view_functions:
            made.append(
                {
                    "title": names.get(hit.ref_id, hit.title),
                    "note": hit.note,
                    "href": address(endpoint, parameter, hit.ref_id),
                    "icon": icon,
                }
            )
    return made


def address(endpoint: str, parameter: str, ref_id: UUID) -> str:
    """The page of a thing, where its one parameter is the thing's id."""
    values: dict[str, Any] = {parameter: ref_id}
    return url_for(endpoint, **values)
