"""What the doctor says of content."""

from dataclasses import replace
from pathlib import Path

from lms.config import Config
from lms.content import commands, operations, queries
from lms.core import db
from lms.core.storage import make_storage, use_storage
from tests.conftest import CHANNEL, run_jobs
from tests.factories import people


def test_examine_store__writes_reads_and_takes_away(test_config: Config, tmp_path: Path) -> None:
    assert all(finding.is_well for finding in commands.examine_store(test_config))
    (tmp_path / "file").write_text("in the way")
    (finding,) = commands.examine_store(replace(test_config, home=tmp_path / "file"))
    assert not finding.is_well and "store" in finding.sentence


def test_examine_media__names_ffmpeg_and_the_walls(test_config: Config) -> None:
    program, walls = commands.examine_media(test_config)
    assert program.is_well and program.sentence.startswith("ffmpeg version") and walls.sentence.startswith("Media")
    assert not commands.examine_media(replace(test_config, ffmpeg="/nowhere/ffmpeg"))[0].is_well


def test_examine_published_files__misses_what_is_gone(connection: object, test_config: Config, films: Path) -> None:
    use_storage(make_storage(test_config))
    with db.unit_of_work(CHANNEL):
        asset_id = operations.receive_path(films / "song.mp3", "song.mp3", "audio", by=people.ada()).id
    run_jobs()
    assert commands.examine_published_files(test_config)[0].is_well
    with db.unit_of_work(CHANNEL):
        make_storage(test_config).delete(queries.get_asset(asset_id).mp4_key or "")
    assert not commands.examine_published_files(test_config)[0].is_well
