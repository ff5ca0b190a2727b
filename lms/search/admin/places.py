"""What the palette knows by heart: pages beside the menu, every declared list, and what people ask, each with the page that answers it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lms.core.decisions import Actor
from lms.core.i18n import Lazy
from lms.core.i18n import lazy_gettext as _l
from lms.core.reports import every_report
from lms.web.navigation import ADMIN, STAFF, exists

FEWEST = 2  # letters from which lists and help are looked through


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the menu does not name, or a question: what it is called, what else people type for it, and whose it is."""

    title: Lazy
    href: str
    icon: str
    words: Lazy
    roles: tuple[str, ...] = ADMIN


PAGES = (
    Place(_l("Fields of the profile"), "/admin/channels/fields", "list-checks", _l("custom fields questions registration required")),
    Place(_l("Import people"), "/admin/channels/people/import", "upload", _l("csv xlsx students list")),
    Place(_l("Invite somebody"), "/admin/channels/people/new", "user-plus", _l("person instructor admin invitation")),
    Place(_l("Import enrolments"), "/admin/enrollments/new/import", "upload", _l("csv people courses bulk")),
    Place(_l("Enrol somebody"), "/admin/enrollments/new", "user-plus", _l("by hand free access")),
    Place(_l("New link or key"), "/admin/enrollments/links/new", "link", _l("join enrolment key qr invitation")),
    Place(_l("Why can’t somebody open a lesson?"), "/admin/enrollments/why", "circle-help", _l("locked access refused"), STAFF),
    Place(_l("Categories"), "/admin/courses/categories", "library", _l("shelves catalogue")),
    Place(_l("Deleted courses"), "/admin/courses/deleted", "trash-2", _l("restore bin"), STAFF),
    Place(_l("New batch of vouchers"), "/admin/vouchers/batches/new", "ticket-plus", _l("codes coupons gift cards print")),
    Place(_l("Every voucher code"), "/admin/vouchers/codes", "ticket", _l("redeemed void last four")),
    Place(_l("Adjustments of wallets"), "/admin/wallet/adjustments", "banknote", _l("second person approve credit")),
    Place(_l("Limit for adjustments"), "/admin/wallet/limit", "shield-check", _l("two people four eyes")),
    Place(_l("Books"), "/admin/wallet/books", "notebook-pen", _l("ledger double entry verify differences")),
    Place(_l("Refunds"), "/admin/payments/refunds", "undo-2", _l("money back")),
    Place(_l("Addresses that mails come back from"), "/admin/notifications/bounces", "mail", _l("bounces refused")),
    Place(_l("Sent mails"), "/admin/system/mail", "mail-check", _l("log outbox smtp delivery")),
    Place(_l("Jobs"), "/admin/system/jobs", "activity", _l("queue workers retry quarantine failed")),
    Place(_l("Lists by mail"), "/admin/reporting/schedules", "calendar-clock", _l("schedule report alert weekly"), STAFF),
    Place(_l("Downloads"), "/admin/reporting/downloads", "download", _l("files csv xlsx export"), STAFF),
    Place(_l("Your profile"), "/channels/profile", "user", _l("picture name language zone"), STAFF),
    Place(_l("Where you are signed in"), "/auth/sessions", "lock", _l("sessions devices sign out"), STAFF),
    Place(_l("Authenticator app"), "/auth/second-factor", "key", _l("two factor totp recovery codes"), STAFF),
)
HELP = (
    Place(_l("How do I give somebody a course for free?"), "/admin/enrollments/new", "user-plus", _l("without payment by hand")),
    Place(_l("How do I let a whole class in at once?"), "/admin/enrollments/links/new", "link", _l("group school join link key qr")),
    Place(_l("How do I decide who may enrol?"), "/admin/courses/", "key", _l("closed request key settings private course"), STAFF),
    Place(_l("How do I let people in who ask?"), "/admin/enrollments/requests", "hand", _l("approve request queue"), STAFF),
    Place(_l("How do I give money back?"), "/admin/payments/orders", "undo-2", _l("refund order cancel")),
    Place(_l("How do I put money into a wallet?"), "/admin/wallet/", "wallet", _l("credit adjust top up balance")),
    Place(_l("How do I print voucher cards?"), "/admin/vouchers/batches", "printer", _l("sheet qr codes pdf")),
    Place(_l("A voucher was lost. What now?"), "/admin/vouchers/codes", "ban", _l("void replace code card")),
    Place(_l("How do I take back what I did?"), "/admin/audit", "undo-2", _l("undo revert mistake restore")),
    Place(_l("Where is what was deleted?"), "/admin/bin", "trash-2", _l("bin restore bring back")),
    Place(_l("Why can’t Ana open lesson 4?"), "/admin/enrollments/why", "circle-help", _l("locked access rule"), STAFF),
    Place(
        _l("How do I write to everybody in a course?"),
        "/admin/notifications/messages/new",
        "megaphone",
        _l("message announcement mail"),
        STAFF,
    ),
    Place(_l("How do I get a list by mail every Monday?"), "/admin/reporting/", "calendar-clock", _l("schedule report weekly"), STAFF),
    Place(
        _l("Who needs a hand in my courses?"),
        "/admin/reporting/reports/enrollments.at_risk",
        "heart-pulse",
        _l("at risk stuck behind"),
        STAFF,
    ),
    Place(_l("How do I change the words of a mail?"), "/admin/notifications/templates", "mail", _l("template text subject")),
    Place(_l("How do I change colour and name of the academy?"), "/admin/channels/settings", "palette", _l("brand logo look theme")),
    Place(_l("How do I see the pages as a student does?"), "/admin/channels/people", "eye", _l("view as impersonate")),
    Place(_l("How do I do something to many people at once?"), "/admin/channels/people", "layers", _l("bulk select all tag suspend role")),
)


def fitting(places: Iterable[Place], words: str, by: Actor) -> list[dict[str, Any]]:
    """The places whose title or words have everything that was typed, of those this person may open."""
    typed = _folded(words).split()
    found = [one for one in places if by.role in one.roles and _has(f"{one.title} {one.words}", typed)]
    return [{"title": str(one.title), "href": one.href, "icon": one.icon} for one in found if exists(one.href)]


def lists(words: str, by: Actor) -> list[dict[str, Any]]:
    """The declared lists this person may see whose title or first sentence has everything that was typed."""
    typed = _folded(words).split()
    made = []
    for name, report in every_report().items():
        if _has(f"{report.title} {report.lead}", typed) and report.allowed(by):
            href = report.path or f"/admin/reporting/reports/{name}"
            made.append({"title": str(report.title), "href": href, "icon": "list", "note": str(report.lead)})
    return [one for one in made if exists(one["href"])]


def _has(text: str, typed: list[str]) -> bool:
    folded = _folded(text)
    return all(word in folded for word in typed)


def _folded(text: str) -> str:
    """Text as it is compared: without accents, in small letters."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)).casefold()
