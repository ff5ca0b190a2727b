"""What the doctor says of content."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

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


def test_cors__needs_a_bucket_and_names_the_verified_hosts(app: Flask, monkeypatch: pytest.MonkeyPatch, connection: object) -> None:
    """The bucket takes what pages of these origins send; the rule itself is tried in tests/core/test_storage.py."""
    config = app.config["LMS"]
    monkeypatch.setattr(Config, "load", classmethod(lambda cls, environ=None: config))
    monkeypatch.setattr("lms.core.commands._connect", [lambda _config: None])
    answer = CliRunner().invoke(commands.cors, [])
    assert answer.exit_code == 1 and "Set S3_BUCKET first" in answer.output
    asked: list[list[str]] = []

    class Bucket:
        def let_pages_in(self, origins: list[str]) -> None:
            asked.append(origins)

    monkeypatch.setattr(commands, "make_storage", lambda config: Bucket())
    assert "https://beta.example" in CliRunner().invoke(commands.cors, []).output
    CliRunner().invoke(commands.cors, ["https://learn.example"])
    assert asked == [["https://beta.example", "https://localhost"], ["https://learn.example"]]
