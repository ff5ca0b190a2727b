"""`lms wallet …`: read the books from the first entry to the last."""

import sys

import click

from lms.core import db, tenancy
from lms.core.commands import connected
from lms.core.doctor import examines_each_channel
from lms.wallet import queries

examines_each_channel("Ledger", queries.ledger_faults)
examines_each_channel("Adjustments", queries.adjustment_faults)


def read_books() -> list[tuple[str, list[str]]]:
    """Every channel's id with what is wrong with its ledger, and with all that must agree with it."""
    found = []
    for channel_id in tenancy.all_channels():
        with db.unit_of_work(channel_id, read_only=True):
            found.append((str(channel_id), [f"{subject}: {sentence}" for subject, sentence in queries.book_faults()]))
    return found


@click.group()
def wallet() -> None:
    """The ledger."""


@wallet.command("verify")
@connected
def wallet_verify() -> None:
    """Read every channel's books: sums, balances, hash chain, orders, vouchers; exit code 1 and a sentence for every difference."""
    books = read_books()
    faults = [f"{channel}: {sentence}" for channel, sentences in books for sentence in sentences]
    for fault in faults:
        click.echo(fault)
    click.echo(f"{len(books)} ledgers read, {len(faults)} differences.")
    if faults:
        sys.exit(1)


COMMANDS: list[click.Command] = [wallet]
