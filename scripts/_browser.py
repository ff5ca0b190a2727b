"""Chromium for the browser tests: the system's, Debian's package when we are root, else Playwright's own."""

import os
import shutil
import subprocess
from pathlib import Path

import _venv

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPENS = "from playwright.sync_api import sync_playwright as s\nwith s() as p: p.chromium.launch(args=['--no-sandbox']).close()"


def ready(programs: Path) -> "dict[str, str]":
    """The variables that tell the browser tests where Chromium is; empty when Playwright finds its own."""
    driver_ready(programs)
    path = os.environ.get("CHROMIUM") or found()
    if path:
        return {"CHROMIUM": path}
    if opens(programs):
        return {}
    if os.getuid() == 0 and shutil.which("apt-get"):
        _venv.package("chromium", "Chromium")
        path = found()
        if path:
            return {"CHROMIUM": path}
    _venv.say("Installing Chromium by Playwright")
    code = subprocess.call([str(programs / "playwright"), "install", "chromium"], stdin=subprocess.DEVNULL)
    if code == 0 and opens(programs):
        return {}
    raise _venv.Missing(
        "The browser tests need Chromium, and it could not be installed. Install it (Debian: sudo apt install chromium) and start again."
    )


def driver_ready(programs: Path) -> None:
    """Playwright's own Node runs; it needs a library that a small Debian does not have."""
    says = _driver_says(programs)
    if says.returncode and "libatomic" in says.stdout:
        _venv.package("libatomic1", "The library libatomic, which Playwright needs,")
        says = _driver_says(programs)
    if says.returncode:
        raise _venv.Missing("Playwright, which the browser tests run with, does not start here: " + says.stdout.strip())


def _driver_says(programs: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(programs / "playwright"), "--version"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def found() -> "str | None":
    """The system's Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def opens(programs: Path) -> bool:
    """Whether Playwright's own Chromium is there and really opens."""
    return subprocess.call([str(programs / "python"), "-c", OPENS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
