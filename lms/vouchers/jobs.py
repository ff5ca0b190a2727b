"""Vouchers' work in the background: sheets, expiry, downloads nobody fetched, and the watch for guessing."""

from uuid import UUID

from lms.channels.queries import logo_of, this_channel
from lms.core.decisions import the_platform
from lms.core.errors import Refusal
from lms.core.jobs import Every, give_way, job, report_progress, step
from lms.core.tenancy import current_channel
from lms.vouchers import operations, queries
from lms.vouchers.operations.letters import MOST_AT_ONCE
from lms.vouchers.operations.qr import Printer
from lms.vouchers.operations.sheets import PART, Words, keep_part, seal_in, sheet_pdf


@job(queue="files", tries=3, lease_seconds=120, in_steps=True)
def make_sheet(batch_id: str, sheet_id: str, ticket: str) -> None:
    """Make a sheet file by file; no transaction is open while one is drawn, and what is there already is not drawn again."""
    seal, printer = seal_in(ticket), Printer()
    try:
        with step():
            batch, sheet = queries.get_batch(UUID(batch_id)), queries.get_sheet(UUID(batch_id), UUID(sheet_id))
            logo = logo_of(this_channel())
            codes, words, layout, files, done = (
                operations.open_codes(batch, seal=seal),
                Words(**sheet.words),
                sheet.layout,
                sheet.file_count,
                sheet.done,
            )
    except Refusal:
        return  # thrown away meanwhile, with the codes
    for part in range(done + 1, files + 1):
        first = (part - 1) * PART
        body = sheet_pdf(words, codes[first : first + PART], layout=layout, first_number=first + 1, printer=printer, logo=logo)
        try:
            with step():
                keep_part(queries.get_sheet(UUID(batch_id), UUID(sheet_id)), part, body, seal=seal)
        except Refusal:
            return
        report_progress(part / files)
        give_way()


@job(queue="codes", every=Every(minutes=5))
def sweep_codes() -> None:
    """Write down expired codes and throw away downloads past their hour."""
    operations.expire_codes(by=the_platform(current_channel()))
    operations.discard_old_envelopes()
    operations.discard_sheets()
    operations.raise_alerts()


@job(queue="codes", every=Every(minutes=1))
def send_letters() -> None:
    """Mail the codes whose moment has come; goes on at once while there are more."""
    if operations.send_due_letters(by=the_platform(current_channel())) >= MOST_AT_ONCE:
        send_letters.later()


@job(queue="codes", every=Every(minutes=2))
def watch_guesses() -> None:
    """Raise the alarm when unusually many wrong codes are tried."""
    operations.watch_guesses(by=the_platform(current_channel()))
