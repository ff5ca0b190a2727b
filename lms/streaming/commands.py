"""The process that makes the picture of classes held in the browser."""

import signal
import threading

import click

from lms.config import Config
from lms.core import logs, sandbox
from lms.streaming import gateways
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


COMMANDS = (live,)
