"""A statement as a file: CSV for a spreadsheet, PDF for paper."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from babel.dates import format_date, format_datetime

from lms.config import ROOT
from lms.core import i18n
from lms.core.clock import zone
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.core.paper import pdf_of
from lms.core.reports.files import safe_text
from lms.wallet.queries import Statement

TEMPLATE = ROOT / "templates" / "wallet" / "statement.typ"
MOST_ON_PAPER = 5_000
MOST_IN_A_FILE = 200_000


@dataclass(frozen=True, slots=True)
class Head:
    """Whose statement it is: the academy, the person, and what each source of money is called."""

    academy: str
    name: str
    email: str
    words: Mapping[str, str]


def statement_csv(statement: Statement, head: Head) -> bytes:
    """One line a movement between an opening and a closing line; amounts in whole units, times in the statement's zone."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_("When"), _("What"), _("Note"), _("Amount"), _("Balance"), _("Currency")])
    span, currency = statement.span, statement.opening.currency
    writer.writerow([span.first.isoformat(), _("Opening balance"), "", "", statement.opening.decimal, currency])
    for line in statement.lines:
        at = line.at.astimezone(zone(span.zone)).strftime("%Y-%m-%d %H:%M:%S")
        what = head.words.get(line.source, line.source)
        writer.writerow([at, what, safe_text(line.note), line.amount.decimal, line.balance.decimal, currency])
    writer.writerow([span.last.isoformat(), _("Closing balance"), "", "", statement.closing.decimal, currency])
    return out.getvalue().encode("utf-8-sig")


def statement_pdf(statement: Statement, head: Head) -> bytes:
    """A4 pages with the person, the period, the balances and every movement; raises Invalid for more than paper can bear."""
    if not statement.is_whole:
        raise Invalid(_("A PDF holds %(most)s movements. Choose fewer days, or take the CSV.", most=f"{MOST_ON_PAPER:,}"), rule="size")
    locale, span = i18n.locale(), statement.span

    def say(amount: Money) -> str:
        return amount.format(locale)

    data = {
        "academy": head.academy,
        "title": _("Wallet statement"),
        "name": head.name,
        "email": head.email,
        "period": f"{format_date(span.first, 'medium', locale=locale)} – {format_date(span.last, 'medium', locale=locale)} · {span.zone}",
        "heads": [_("When"), _("What"), _("Amount"), _("Balance")],
        "opening": [_("Opening balance"), say(statement.opening)],
        "closing": [_("Closing balance"), say(statement.closing)],
        "lines": [
            {
                "at": format_datetime(line.at, "d MMM y, HH:mm", tzinfo=zone(span.zone), locale=locale),
                "what": head.words.get(line.source, line.source),
                "note": line.note,
                "amount": say(line.amount),
                "balance": say(line.balance),
            }
            for line in statement.lines
        ],
    }
    return pdf_of(TEMPLATE, data)
