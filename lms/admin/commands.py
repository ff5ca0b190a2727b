"""`lms demo …`: an academy to look around in, and its removal."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from uuid import UUID

import click
import imageio_ffmpeg
from sqlalchemy import select

from lms.admin import operations
from lms.admin.operations.demo.opening import unfinished_demo
from lms.admin.operations.demo.removal import SIGN_INS
from lms.channels.models import Channel
from lms.config import Config
from lms.core import db, jobs
from lms.core.commands import connected
from lms.core.errors import NotFound


@click.group()
def demo() -> None:
    """An academy to look around in: made up, and removed with one command."""


@demo.command("seed")
@click.option("--if-empty", is_flag=True, help="do nothing when there is an academy already")
@connected
def demo_seed(if_empty: bool) -> None:
    """Make the demo: an academy with ninety days behind it."""
    config, began = Config.load(), time.monotonic()
    with db.unit_of_work(platform=True, read_only=True):
        left_over = unfinished_demo()
    if left_over is not None:
        _remove(left_over, config.home)
    with db.unit_of_work(platform=True):
        made = operations.begin_demo(if_empty=if_empty)
    if made is None:
        click.echo("There is an academy here already, so no demo is made.")
        return
    jobs.nudges_go_to(lambda _rows: None)  # thousands at once: the scheduler's sweep hands them out
    folder = Path(tempfile.mkdtemp(prefix="lectern-demo-"))
    finished = False
    try:
        with db.unit_of_work(made.channel_id):
            deeds = operations.tell_demo(made, folder=folder, ffmpeg=config.ffmpeg or imageio_ffmpeg.get_ffmpeg_exe())
        with db.unit_of_work(platform=True):
            operations.finish_demo(made)
        finished = True
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if not finished:
            _remove(made.channel_id, config.home)
    _write_sign_ins(config.home / SIGN_INS, made)
    click.echo(f"The demo is open: {deeds} deeds of ninety days in {time.monotonic() - began:.0f} s.")
    for one in made.sign_ins:
        click.echo(f"  {one['role']:<10}  {one['email']}  {one['password']}")


@demo.command("remove")
@connected
def demo_remove() -> None:
    """Remove the demo with everything in it; what is no demo is not touched."""
    with db.unit_of_work(platform=True, read_only=True) as session:
        found = session.scalar(select(Channel.id).where(Channel.is_demo))
    if found is None:
        raise NotFound("There is no demo here.")
    click.echo(f"The demo is gone with {_remove(found, Config.load().home)} rows and its files. Open an academy with: lms channel create")


def _remove(channel_id: UUID, home: Path) -> int:
    with db.unit_of_work(channel_id):
        return operations.remove_demo(channel_id, home=home)


def _write_sign_ins(path: Path, made: operations.Demo) -> None:
    """For the start command and the operator; readable by nobody else."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(made.sign_ins, indent=2) + "\n", encoding="utf-8")


COMMANDS: list[click.Command] = [demo]
