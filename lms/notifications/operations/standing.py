"""Mails that other modules write (codes, invitations, vouchers, lists, collected news), in the academy's own words where it has some."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lms.core import mail
from lms.core.i18n import in_locale, locale
from lms.core.i18n import lazy_gettext as _l
from lms.notifications import queries
from lms.notifications.models import Kind
from lms.notifications.operations.letters import Letter, Message, fill
from lms.notifications.queries import Reader

NOTHING = _l("")


@dataclass(frozen=True, slots=True)
class Standing(Message):
    """A mail of another module: its template, the names its words may use and what they stand for, and those it cannot do without.

    `is_opening`: the words stand above what the mail lists, and do not replace it.
    """

    template: str = ""
    values: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    names: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    is_opening: bool = False

    def write(self, values: Mapping[str, Any], reader: Reader) -> Letter:
        """The standard words, as a sample has them: no button beside those in the text, and no last line."""
        with in_locale(reader.locale):
            return Letter(fill(self.title, values), fill(self.body, values), "", "")


KINDS_OF_MAILS = {
    "code": Kind("code", _l("Codes"), _l("To sign in, to make an account, to choose a new password."), "key"),
    "invitation": Kind("invitation", _l("Invitations"), _l("To whoever is invited or imported."), "user-plus"),
    "way_in": Kind("way_in", _l("Way back in"), _l("A link for a new password, sent by an admin."), "lock-open"),
    "voucher": Kind("voucher", _l("Vouchers by mail"), _l("A code for one person."), "ticket"),
    "list": Kind("list", _l("Lists by mail"), _l("What stands above the rows of a scheduled list or alert."), "chart-column"),
    "digest": Kind("digest", _l("Collected news"), _l("What stands above the news of a day or week."), "inbox"),
}
STANDING: dict[str, Standing] = {
    "code": Standing(
        "code",
        _l("Your code for %(academy)s"),
        _l("Your code:\n\n**%(code)s**\n\nIt works for 10 minutes. You did not ask for it? Then do nothing: without it nobody gets in."),
        NOTHING,
        NOTHING,
        template="auth/mail/code",
        values=lambda known: {"code": known["code"]},
        names=("academy", "code"),
        must=("code",),
    ),
    "invitation": Standing(
        "invitation",
        _l("%(who)s invites you to %(academy)s"),
        _l(
            "Hello %(name)s,\n\n"
            "an account at %(academy)s is waiting for you.\n\n"
            "[Choose a password and start](%(link)s)\n\n"
            "The link works once, for 14 days."
        ),
        NOTHING,
        NOTHING,
        template="channels/mail/invitation",
        values=lambda known: {"name": known["member"].name, "who": known["by"].name, "role": known["member"].role, "link": known["link"]},
        names=("name", "academy", "who", "role", "link"),
        must=("link",),
    ),
    "way_in": Standing(
        "way_in",
        _l("Choose a new password for %(academy)s"),
        _l(
            "Hello %(name)s,\n\n"
            "an admin of %(academy)s sends you this link so that you get in again.\n\n"
            "[Choose a new password](%(link)s)\n\n"
            "The link works once, for 14 days."
        ),
        NOTHING,
        NOTHING,
        template="channels/mail/way_in",
        values=lambda known: {"name": known["member"].name, "link": known["link"]},
        names=("name", "academy", "link"),
        must=("link",),
    ),
    "voucher": Standing(
        "voucher",
        _l("A code for you from %(academy)s"),
        _l(
            "Hello %(name)s,\n\n"
            "%(message)s\n\n"
            "This code is yours: %(gives)s. It works until %(until)s.\n\n"
            "%(code)s\n\n"
            "[Redeem the code](%(link)s)"
        ),
        NOTHING,
        NOTHING,
        template="vouchers/mail/code",
        values=lambda known: {key: known[key] for key in ("name", "message", "gives", "until", "code", "link")},
        names=("name", "academy", "message", "gives", "until", "code", "link"),
        must=("code",),
    ),
    "list": Standing(
        "list",
        _l("%(report)s: %(count)s rows"),
        _l("This is the list you wanted from %(academy)s."),
        NOTHING,
        NOTHING,
        template="reporting/mail/report",
        values=lambda known: {"report": known["title"], "count": f"{known['count']:,}", "who": known["owner"]},
        names=("academy", "report", "count", "who"),
        is_opening=True,
    ),
    "digest": Standing(
        "digest",
        _l("%(count)s pieces of news from %(academy)s"),
        _l("This is what happened since the last mail."),
        NOTHING,
        NOTHING,
        template="notifications/mail/digest",
        values=lambda known: {"name": known["name"], "count": f"{known['count']:,}"},
        names=("name", "academy", "count"),
        is_opening=True,
    ),
}
KEYS = {message.template: key for key, message in STANDING.items()}
SAMPLES: dict[str, Any] = {
    "code": "123456",
    "role": "instructor",
    "link": "https://academy.example/…",
    "gives": "25.00 EUR",
    "until": "2027-06-30",
    "message": _l("With thanks for your help."),
}


@mail.words_come_from
def own_words(template: str, known: Mapping[str, Any]) -> mail.Own | None:
    """The academy's words for a mail another module sends, filled in; None where the standard ones hold."""
    key = KEYS.get(template)
    own = queries.words_for(queries.templates_of(key), locale(), known["channel"].locale) if key is not None else None
    if key is None or own is None:
        return None
    message = STANDING[key]
    values = {"academy": known["channel"].name, **message.values(known)}
    said = {name: str(value) if name in ("link", *message.must) else _plain(str(value)) for name, value in values.items()}
    subject, body = (queries.VARIABLE.sub(lambda found: said.get(found[1], ""), words) for words in (own.subject, own.body))
    return mail.Own(" ".join(subject.split()), body.strip(), message.is_opening)


def _plain(value: str) -> str:
    """A value that can make no button and no code of its own, whatever a person is called."""
    return value.replace("](", "] (").replace("**", "* *")
