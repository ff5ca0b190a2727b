"""What making a video costs: beside bare ffmpeg, in pieces by more workers, and its pictures for the time line.

python -m tests.load.bench_ladder ASSET   works like one worker until that file is ready (with the settings of the stage)
"""

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from lms.app import connect
from lms.config import Config
from lms.content import gateways, jobs, queries
from lms.content.gateways import Facts
from lms.content.gateways import ladder as sizes_of
from lms.content.gateways.ladder import Rendition, pictures_arguments, sound_arguments
from lms.content.models import Asset
from lms.core import db, sandbox
from lms.core.sniff import MP4
from tests.load.bench_media import FFMPEG, film, received, run
from tests.load.figure import Figure
from tests.load.stage import ROOT, Stage

PATIENCE = 1200.0  # seconds for one film by these workers; then something hangs
MAKING = (jobs.encode.name, jobs.assemble.name)


def ladder(stage: Stage, quick: bool) -> list[Figure]:
    """CPU seconds of every size of a 1080p file made by a worker against bare ffmpeg with the same sizes in one command."""
    connect(stage.config)
    source = _source(stage, "1920x1080", 20 if quick else stage.facts["film"])
    asset_id = received(stage, source)
    run(jobs.process.name)
    before = _cpu()
    run(jobs.encode.name)
    ours = _cpu() - before
    run(jobs.assemble.name)
    asset = _asset(stage, asset_id)
    if asset.state != "ready":
        return [Figure("ladder", "every size of a file", f"{asset.state}: {asset.failure}", "", "ready", False)]
    facts = Facts.of(asset.facts)
    floor, _seconds = _bare(stage, source, facts)
    ratio, what = ours / floor, f"{_length(facts)} in {len(sizes_of(facts))} sizes and sound, CPU"
    return [Figure("ladder", what, f"{ours:.1f} s", f"{floor:.1f} s (one ffmpeg run)", f"ratio {ratio:.2f} (≤ 1.05)", ratio <= 1.05)]


def pieces(stage: Stage, quick: bool) -> list[Figure]:
    """The same long file by one worker and by two, in seconds; and the CPU seconds of cut, pieces and join against one ffmpeg run."""
    connect(stage.config)
    source = _source(stage, *(("640x360", 160) if quick else ("1280x720", stage.facts["film"])))
    took, work, asset_id = {}, {}, UUID(int=0)
    for workers in (1, 2):
        asset_id = received(stage, source)
        before = _cpu()
        run(jobs.process.name)
        began = time.monotonic()
        _work(stage, asset_id, workers)
        took[workers], work[workers] = time.monotonic() - began, _cpu() - before
    asset = _asset(stage, asset_id)
    if asset.state != "ready":
        return [Figure("pieces", "a video made in pieces", f"{asset.state}: {asset.failure}", "", "ready", False)]
    facts = Facts.of(asset.facts)
    floor, _seconds = _bare(stage, source, facts)
    faster, dearer = took[1] / took[2], work[2] / floor
    what = f"{_length(facts)} in pieces, two workers against one on {os.cpu_count()} cores"
    return [
        Figure(
            "pieces",
            what,
            f"{took[2]:.1f} s, CPU {work[2]:.0f} s",
            f"{took[1]:.1f} s, CPU {work[1]:.0f} s; one ffmpeg run: CPU {floor:.0f} s",
            f"{faster:.2f} × as fast (≥ 1.7) or CPU {dearer:.2f} of bare (≤ 1.06)",
            faster >= 1.7 or dearer <= 1.06,
        )
    ]


def storyboard(stage: Stage, quick: bool) -> list[Figure]:
    """CPU seconds of poster and pictures for the time line, as a share of the sizes' own."""
    connect(stage.config)
    source = _source(stage, *(("640x360", 60) if quick else ("1280x720", 300)))
    with sandbox.scratch() as folder:
        lent = sandbox.lend(source, folder / "input")
        media = gateways.media(folder, MP4, source.stat().st_size, lent)
        facts = media.look()
        without, _seconds = _bare(stage, source, facts, tiles=False)
        whole, tiles = _bare(stage, source, facts)
        (folder / "tiles").mkdir()
        for tile in tiles:
            (folder / "tiles" / tile.name).write_bytes(tile.read_bytes())
        before = _cpu()
        media.poster(facts)
        media.sprite(len(tiles))
        beside = _cpu() - before
    share = (max(whole - without, 0.0) + beside) / without
    value = f"{_length(facts)}: {max(whole - without, 0.0):.1f} s for {len(tiles)} pictures, {beside:.1f} s for poster and sprite"
    return [
        Figure(
            "storyboard", "poster and time line, CPU", value, f"{without:.1f} s (the sizes alone)", f"{share:.1%} (≤ 5 %)", share <= 0.05
        )
    ]


def _length(facts: Facts) -> str:
    """What is measured, in words."""
    return f"{facts.duration / 60:.1f} min of {facts.short_side}p"


def _source(stage: Stage, size: str, seconds: int) -> Path:
    path = stage.config.home / f"ladder-{size}-{seconds}.mp4"
    if not path.exists():
        film(path, size, seconds)
    return path


def _asset(stage: Stage, asset_id: UUID) -> Asset:
    with db.unit_of_work(stage.channel_id):
        return queries.get_asset(asset_id)


def _bare(stage: Stage, source: Path, facts: Facts, *, tiles: bool = True) -> tuple[float, list[Path]]:
    """CPU seconds of bare ffmpeg with the commands that workers give it, with the pictures for the time line or without; the pictures."""
    place, sizes = stage.config.home / f"bare-{time.monotonic_ns()}", sizes_of(facts)
    for name in ("tiles", *(f"hls/{size.name}" for size in sizes), "hls/sound"):
        (place / name).mkdir(parents=True)
    pictures = pictures_arguments(facts, sizes, number=0, starts_at=0, has_tonemap=True)
    sound = [sound_arguments(facts, 0.0)] if facts.has_audio else []
    before = _cpu()
    for arguments in (pictures if tiles else _without_tiles(pictures, sizes), *sound):
        subprocess.run([*FFMPEG, "-i", str(source), *arguments], cwd=place, check=True)
    return _cpu() - before, sorted((place / "tiles").iterdir())


def _without_tiles(arguments: Sequence[str], sizes: Sequence[Rendition]) -> list[str]:
    """The same command with nothing of the time line in it."""
    kept = list(arguments[: arguments.index("[tiles]") - 1])
    last = len(sizes)
    kept[1] = re.sub(rf"split={last + 1}(.*?)\[s{last}\]", rf"split={last}\1", kept[1].rpartition(";")[0], count=1)
    return kept


def _work(stage: Stage, asset_id: UUID, workers: int) -> None:
    """So many workers at media, each a process of its own, until the file is ready; an install keeps one more, which takes none of it."""
    environ = {**os.environ, **stage.environ, "LMS_WORKERS": str(workers + 1)}
    words = [sys.executable, "-m", "tests.load.bench_ladder", str(stage.channel_id), str(asset_id)]
    made, until = [subprocess.Popen(words, cwd=ROOT, env=environ) for _worker in range(workers)], time.monotonic() + PATIENCE
    try:
        codes = [process.wait(max(until - time.monotonic(), 1.0)) for process in made]
        if any(codes):
            raise RuntimeError("a worker of the bench broke")
    finally:
        for process in made:
            process.kill()


def _worker(channel_id: UUID, asset_id: UUID) -> None:
    """One worker: takes whatever piece is due, until the file is ready or failed."""
    connect(Config.load())
    while True:
        run(*MAKING)
        with db.unit_of_work(channel_id):
            if queries.get_asset(asset_id).state != "processing":
                return
        time.sleep(0.1)


def _cpu() -> float:
    """CPU seconds of this process and of all it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    _worker(UUID(sys.argv[1]), UUID(sys.argv[2]))
