"""A store and a scratch folder for each test; small real media files made once a run."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from lms.core import sandbox
from lms.core.storage import LocalStorage, use_storage


@pytest.fixture(autouse=True)
def store(tmp_path: Path, modules: None) -> Iterator[LocalStorage]:
    made = LocalStorage(tmp_path / "storage")
    use_storage(made)
    sandbox.use_scratch(tmp_path / "scratch")
    yield made
    assert list((tmp_path / "scratch").glob("*")) == [], "a run left scratch files"


RECIPES = {
    "talk.mp4": "-f lavfi -i testsrc2=s=320x180:d=3:r=30 -f lavfi -i sine=d=3 -c:v libx264 -g 30 -pix_fmt yuv420p -c:a aac",
    "silent-odd.mkv": "-f lavfi -i testsrc2=s=321x241:d=2:r=30 -c:v libx264 -pix_fmt yuv444p",
    "wide-mono.webm": "-f lavfi -i testsrc2=s=360x288:d=2 -f lavfi -i sine=d=2 -vf setsar=64/45 -ac 1 -c:v libvpx -c:a libopus",
    "tall.mp4": "-f lavfi -i testsrc2=s=540x960:d=2:r=30 -f lavfi -i sine=d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac",
    "bright.mkv": "-f lavfi -i testsrc2=s=160x120:d=3:r=10 -vf setparams=color_primaries=bt2020:color_trc=smpte2084"
    ":colorspace=bt2020nc -c:v libx264 -pix_fmt yuv420p10le",
    "song.mp3": "-f lavfi -i sine=d=2",
}


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small real media files."""
    folder = tmp_path_factory.mktemp("films")
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    for name, recipe in RECIPES.items():
        subprocess.run([*ffmpeg, *recipe.split(), str(folder / name)], check=True)
    subprocess.run(
        [*ffmpeg, "-display_rotation", "90", "-i", str(folder / "talk.mp4"), "-c", "copy", str(folder / "phone.mp4")], check=True
    )
    return folder
