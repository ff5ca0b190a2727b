"""What `lms doctor` asks of content: the store, ffmpeg, its sandbox, and that published files are there."""

import re
import subprocess
from functools import cache
from uuid import UUID

import click
from sqlalchemy import select

from lms.channels.queries import verified_origins
from lms.config import Config
from lms.content import gateways, operations
from lms.content.models import Asset
from lms.core import db, sandbox, tenancy
from lms.core.commands import connected, in_channel
from lms.core.decisions import the_platform
from lms.core.doctor import Finding, examines, mend, well
from lms.core.errors import Refusal
from lms.core.ids import uuid7
from lms.core.sniff import MP4
from lms.core.storage import LocalStorage, Storage, make_storage
from lms.core.tenancy import current_channel

LOOKED_AT = 200


@examines
def examine_store(config: Config) -> list[Finding]:
    """A file goes into the store, comes back the same, and goes away."""
    store = make_storage(config)
    key = f"00000000-0000-0000-0000-000000000000/doctor/{uuid7().hex}"
    try:
        store.put(key, b"doctor")
        with store.open(key) as source:
            same = source.read() == b"doctor"
        store.delete(key)
    except Refusal as refusal:
        return [mend(f"The file store does not work: {refusal.sentence} Check S3_* or the rights of {config.storage_dir}.")]
    where = f"bucket {config.s3.bucket}" if config.s3 else str(config.storage_dir)
    return [well(f"Files are kept in {where}.") if same else mend(f"The file store ({where}) gives back other bytes than it took.")]


@examines
def examine_media(config: Config) -> list[Finding]:
    """ffmpeg answers, and foreign files are opened behind walls."""
    program = config.ffmpeg or gateways.media(sandbox.scratch_root(), MP4, 1).program
    version = _version(program)
    report = sandbox.sandbox_report()
    return [
        well(f"{version}.") if version else mend(f"ffmpeg does not start: {program}. Install it or set FFMPEG."),
        well(report.sentence) if report.is_safe else mend(report.sentence),
    ]


@examines
def examine_published_files(config: Config) -> list[Finding]:
    """The newest ready files of every channel are in the store (invariant I12)."""
    store = make_storage(config)
    missing = 0
    for channel_id in tenancy.all_channels():
        with db.unit_of_work(channel_id, read_only=True) as session:
            ready = session.scalars(select(Asset).where(Asset.state == "ready").order_by(Asset.created_at.desc()).limit(LOOKED_AT)).all()
        missing += sum(_is_missing(store, asset) for asset in ready)
    if missing:
        return [mend(f"{missing} published files are not in the store. Restore them from the backup, or upload them again.")]
    return [well("The newest published files are in the store.")]


def _is_missing(store: Storage, asset: Asset) -> bool:
    keys = (asset.file_key, asset.poster_key, asset.hls_key, asset.mp4_key, asset.original_key)
    return any(key and not store.exists(key) for key in keys)


@cache
def _version(program: str) -> str:
    """The first line ffmpeg says of itself; "" when it does not start."""
    try:
        answer = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - the operator's own setting
    except (OSError, subprocess.SubprocessError):
        return ""
    return " ".join(answer.stdout.split()[:3])


@click.group("content")
def content() -> None:
    """Files and where they are kept."""


@content.command("cors")
@click.argument("origins", nargs=-1)
@connected
def cors(origins: tuple[str, ...]) -> None:
    """Let pages of these origins (https://learn.example; none: of every academy's host) send files straight to the bucket."""
    store = make_storage(Config.load())
    if isinstance(store, LocalStorage):
        raise click.ClickException("Files are kept on this disk, which needs no such rule. Set S3_BUCKET first.")
    wanted = sorted(set(origins)) or verified_origins()
    store.let_pages_in(wanted)  # type: ignore[attr-defined]  # the bucket alone has it
    click.echo(f"Pages of {', '.join(wanted)} may send files to the bucket.")


@content.command("quota")
@click.argument("size")
@click.option("--channel", "slug", default="", help="slug, when there are several")
@connected
def quota(size: str, slug: str) -> None:
    """Say how much the originals of an academy may take: 50GB, 800MB, or none."""
    match = re.fullmatch(r"(\d+)\s*(MB|GB|TB)", size.strip().upper())
    if match is None and size != "none":
        raise click.ClickException("Write the size like 50GB or 800MB, or the word none.")
    most = int(match[1]) * {"MB": 10**6, "GB": 10**9, "TB": 10**12}[match[2]] if match else None
    channel_id: UUID = in_channel(slug, current_channel)
    with db.unit_of_work(channel_id):
        operations.set_quota(most, by=the_platform(channel_id))
    click.echo(f"The academy may hold {size if match else 'as much as the disk'}.")


COMMANDS: list[click.Command] = [content]
