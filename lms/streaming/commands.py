"""The process that makes the picture of classes held in the browser, and attendance worked out anew."""

import signal
import threading
from uuid import UUID

import click

from lms.config import Config
from lms.core import db, logs, sandbox
from lms.core.commands import connected, the_channel
from lms.streaming import gateways, operations, queries
from lms.streaming.gateways import packager


@click.command()
def live() -> None:
    """Package what hosts send into what students watch, until told to stop. It needs the disk, and neither database nor Redis."""
    config = Config.load()
    logs.configure()
    sandbox.use_scratch(config.home / "scratch")
    gateways.use_folder(config.home / "live")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    packager.watch(config.ffmpeg, stop)


@click.group()
def streaming() -> None:
    """Live classes."""


@streaming.command()
@click.argument("session_id", type=click.UUID)
@click.option("--channel", default="", help="slug of the academy; not needed when there is one")
@connected
def attendance(session_id: UUID, channel: str) -> None:
    """Work a class's attendance out anew from every join, leave and sign of life, and print it."""
    with db.unit_of_work(the_channel(channel)):
        session = queries.get_session(session_id)
        operations.recompute_attendance(session)
        for one in queries.attendance_of(session_id):
            click.echo(f"{one.seconds:>6} s  {one.name}")


COMMANDS = (live, streaming)
