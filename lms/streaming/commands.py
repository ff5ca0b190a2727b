"""The process that makes the picture of classes held in the browser, and attendance worked out anew."""

import signal
import threading
from pathlib import Path
from uuid import UUID

import click

from lms.config import ROOT, Config
from lms.core import db, logs, sandbox
from lms.core.commands import connected, the_channel
from lms.streaming import gateways, operations, queries
from lms.streaming.gateways import packager
from lms.web import passes


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


@click.command()
@click.option("--listen", default="80", help="where nginx listens, as it writes it")
@click.option("--pages", default="", help="host:port of the page server; empty: as this install's settings say")
@click.option("--sockets", default="", help="host:port of the socket server")
@click.option("--rtmp", default="", help="where nginx takes classes sent by OBS, e.g. 1935; empty: nowhere")
@click.option("--modules", default="/etc/nginx/modules-enabled/*.conf", help="files that load nginx's modules; empty: none")
@click.option("--to", "target", default="", help="write it to a file of this name in the home's folder nginx, readable by its owner alone")
@connected
def nginx(listen: str, pages: str, sockets: str, rtmp: str, modules: str, target: str) -> None:
    """Print the settings of an nginx that stands before this install and gives films and running classes away by itself."""
    config = Config.load()
    run = config.home.resolve() / "nginx"
    run.mkdir(exist_ok=True)
    words = {
        "MODULES": f"include {modules};" if modules else "",
        "LISTEN": listen,
        "PAGES": pages or f"{config.host}:{config.port}",
        "SOCKETS": sockets or f"{config.host}:{config.socket_port}",
        "HOME": str(config.home.resolve()),
        "RUN": str(run),
        "SECRET": passes.secret(),
        "RTMP_LISTEN": rtmp,
        "DOOR": gateways.rtmp_door(),
    }
    settings = render_nginx(words, with_rtmp=bool(rtmp))
    if not target:
        click.echo(settings, nl=False)
        return
    place = run / Path(target).name
    place.touch(mode=0o600)
    place.write_text(settings)
    click.echo(f"Written to {place}.")


def render_nginx(words: dict[str, str], *, with_rtmp: bool) -> str:
    """deploy/nginx with the words of an install in their places."""
    folder = ROOT / "deploy" / "nginx"
    text = (folder / "lectern.conf").read_text().replace("@RTMP@\n", (folder / "rtmp.conf").read_text() if with_rtmp else "")
    for name, value in words.items():
        text = text.replace(f"@{name}@", value)
    return text


COMMANDS = (live, streaming, nginx)
