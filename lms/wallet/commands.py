"""`lms wallet …`: read the books from the first entry to the last."""

import sys

import click

from lms.config import Config
from lms.core import db, tenancy
from lms.core.commands import connected
from lms.core.doctor import Finding, examines, mend, well
from lms.wallet import queries


def read_books() -> list[tuple[str, list[str]]]:
    """Every channel's id with what is wrong with its ledger."""
    found = []
    for channel_id in tenancy.all_channels():
        with db.unit_of_work(channel_id, read_only=True):
            found.append((str(channel_id), queries.ledger_faults()))
    return found


@examines
def _ledger(_config: Config) -> list[Finding]:
    books = read_books()
    faults = [mend(f"Ledger of {channel}: {sentence}") for channel, sentences in books for sentence in sentences]
    return faults or [well(f"The ledger of {len(books)} channels agrees: sums, balances, legs, guards and chain.")]


@click.group()
def wallet() -> None:
    """The ledger."""


@wallet.command("check")
@connected
def wallet_check() -> None:
    """Re-sum every channel's ledger; exit code 1 and a sentence for every difference."""
    books = read_books()
    faults = [f"{channel}: {sentence}" for channel, sentences in books for sentence in sentences]
    for fault in faults:
        click.echo(fault)
    click.echo(f"{len(books)} ledgers read, {len(faults)} differences.")
    if faults:
        sys.exit(1)


COMMANDS: list[click.Command] = [wallet]
