"""The whole application on a real server with a real database, workers beside it, sockets beside that, and Chromium in front."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from lms.core import sandbox
from lms.core.storage import LocalStorage, use_storage
from tests import servers
from tests.chat.kit import SocketServer, sockets
from tests.chromium import launch
from tests.conftest import run_jobs


@pytest.fixture
def house(app: Flask, real_database: str, addresses: servers.TestServers, tmp_path: Path) -> Iterator[str]:
    """The address of the application, served as in production, with workers and a socket process."""
    use_storage(LocalStorage(tmp_path / "storage"))
    sandbox.use_scratch(tmp_path / "scratch")
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.3):
            run_jobs(rounds=3)

    with sockets(real_database, addresses.redis_url, tmp_path) as chat:
        pages = SocketServer(chat.environ, chat.port - 1, "gthread", log=tmp_path / "pages.log")  # the port whose pages the sockets trust
        pages.start()
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        yield f"http://localhost:{pages.port}"
        ended.set()
        worker.join(timeout=60)
        pages.kill()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A Chromium."""
    with sync_playwright() as play:
        browser = launch(play)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real video of fourteen seconds."""
    path = tmp_path_factory.mktemp("clip") / "the-fold.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=14:r=15", "-f", "lavfi", "-i", "sine=d=14"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *picture, *coding], check=True)
    return path
