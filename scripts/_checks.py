"""The checks before the tests, two beside each other, each with its heading once it has ended; the first that fails ends the rest."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import _venv


def steps() -> "list[tuple[str, list[str]]]":
    """What is checked, the longest first: heading and command; a tool without settings or without anything to look at is left out."""
    settings = (_venv.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = [
        ("mypy", ["mypy"]),
        ("ruff format", ["ruff", "format", "--check", "."]),
        ("ruff check", ["ruff", "check", "."]),
    ]
    if "[tool.importlinter]" in settings:
        found.append(("import contracts", ["lint-imports"]))
    if "[tool.deptry]" in settings:
        found.append(("dependencies", ["deptry", "."]))
    if (_venv.ROOT / "templates").is_dir():
        found.append(("templates: lint", ["djlint", "templates", "--lint", "--quiet"]))
    return found


def all_of_them(programs: Path) -> int:
    """0, or the exit code of the first check that fails."""
    with ThreadPoolExecutor(max_workers=2) as pool:  # each of them keeps one processor busy
        running = {pool.submit(_made, programs, command): heading for heading, command in steps()}
        for one in as_completed(running):
            code, words, seconds = one.result()
            _venv.say(running[one])
            sys.stdout.write(words)
            if code != 0:
                _venv.say(f"{running[one]} failed with exit code {code} after {seconds:.1f} s")
                pool.shutdown(cancel_futures=True)
                return code
    return 0


def _made(programs: Path, command: "list[str]") -> "tuple[int, str, float]":
    """Exit code, words and seconds of one check."""
    began = time.monotonic()
    done = subprocess.run(
        [str(programs / command[0]), *command[1:]],
        cwd=str(_venv.ROOT), env=_path(programs), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout, time.monotonic() - began


def _path(programs: Path) -> "dict[str, str]":
    return dict(os.environ, PATH=str(programs) + os.pathsep + os.environ.get("PATH", ""))
