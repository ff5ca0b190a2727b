"""The checks before the tests, each with its heading; the first that fails ends the rest."""

import os
import subprocess
import time
from pathlib import Path

import _venv


def steps() -> "list[tuple[str, list[str]]]":
    """What is checked, in order: heading and command; a tool without settings or without anything to look at is left out."""
    settings = (_venv.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = [
        ("ruff format", ["ruff", "format", "--check", "."]),
        ("ruff check", ["ruff", "check", "."]),
        ("mypy", ["mypy"]),
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
    for heading, command in steps():
        began = time.monotonic()
        _venv.say(heading)
        program = [str(programs / command[0]), *command[1:]]
        code = subprocess.call(program, cwd=str(_venv.ROOT), env=_path(programs), stdin=subprocess.DEVNULL)
        if code != 0:
            _venv.say(f"{heading} failed with exit code {code} after {time.monotonic() - began:.1f} s")
            return code
    return 0


def _path(programs: Path) -> "dict[str, str]":
    return dict(os.environ, PATH=str(programs) + os.pathsep + os.environ.get("PATH", ""))
