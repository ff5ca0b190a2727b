"""Programs on foreign files: one scratch folder, no network, limits on time, memory, disk and output, and no survivors.

`run` starts `jail.py`, which walls itself in where the kernel allows it and always sets limits. `sandbox_report` says which is in force.
"""

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple, cast

import structlog

from lms.core import jail

MIB = 1 << 20
KEEP_BYTES = 16_384
MAX_OUTPUT = 64 * MIB
DISK_SPEED = 2048 * MIB  # bytes a second that a program may write where it is fast
BEHIND = 10  # the niceness of what nobody watches while it runs; a class that is on is watched
JAIL = Path(jail.__file__)
log = structlog.get_logger(__name__)
_root: list[Path] = []


class Stopped(Exception):
    """The program went past a limit of ours and was killed; `limit` is wall, disk or output."""

    def __init__(self, limit: str) -> None:
        self.limit = limit
        super().__init__(f"stopped at the {limit} limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use; bytes and seconds."""

    wall_seconds: float
    cpu_seconds: int
    memory_bytes: int = 1024 * MIB
    file_bytes: int = 1024 * MIB
    disk_bytes: int = 2048 * MIB


class Outcome(NamedTuple):
    """How a program ended: its exit code and the last of what it wrote."""

    code: int
    out: str
    err: str

    @property
    def never_began(self) -> bool:
        """Whether the walls, the limits or the start failed: the machine's fault, which says nothing about the file."""
        return self.code in (jail.NO_WALLS, jail.NO_LIMITS, jail.NO_COMMAND)


class Report(NamedTuple):
    """Which walls are in force, for `lms doctor`."""

    walls: bool
    no_network: bool
    no_files: bool
    unprivileged: bool
    limits: bool
    sentence: str
    runs: bool = True

    @property
    def is_safe(self) -> bool:
        """Whether foreign media can be opened with nothing within reach."""
        return self.no_network and self.no_files and self.unprivileged and self.limits


def use_scratch(root: Path) -> None:
    """Keep scratch folders under this folder (one disk with the files, room for the biggest video)."""
    _root[:] = [root]


def scratch_root() -> Path:
    """Where scratch folders are made: each user of the machine has their own."""
    return _root[0] if _root else Path(tempfile.gettempdir()) / f"lectern-scratch-{os.getuid()}"


@contextmanager
def scratch() -> Iterator[Path]:
    """A new empty folder that a sandboxed program may write, gone when the block ends."""
    scratch_root().mkdir(parents=True, exist_ok=True, mode=0o755)
    folder = Path(tempfile.mkdtemp(dir=scratch_root())).resolve()
    try:
        folder.chmod(0o700)
        give(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give(path: Path) -> None:
    """Hand a file or folder of a scratch folder to the unprivileged user; nothing when we are not root."""
    if os.getuid() == 0:
        os.chown(path, jail.UNPRIVILEGED, jail.UNPRIVILEGED)


def lend(source: Path, target: Path) -> tuple[Path, ...]:
    """Let a program read a file of this machine as `target` of its scratch folder, without a copy; what `run` is told is readable.

    It can only read it: behind walls the file lies on a read-only mount. Root without walls could not hand it on, so it copies.
    """
    if os.getuid() == 0 and not _walls_hold():
        shutil.copyfile(source, target)
        give(target)
        return ()
    target.symlink_to(source.resolve())
    return (source.resolve(),)


def sweep_scratch(older_than: float = 43_200) -> int:
    """Take away scratch folders that a killed worker left, by age in seconds; the number of them."""
    old = [path for path in scratch_root().glob("*") if path.stat().st_mtime < time.time() - older_than]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def run(
    command: list[str], folder: Path, limits: Limits, *, readable: tuple[Path, ...] = (), on_line: Callable[[str], None] | None = None
) -> Outcome:
    """Run a program inside a scratch folder and wait; `command[0]` is an absolute path, `readable` what it needs to read.

    `on_line` hears each line it writes to stdout; when that raises, the program is killed. Raises Stopped past a limit.
    """
    return _run(command, folder, limits, readable, on_line, walls=_walls_hold())


def start(
    command: list[str], folder: Path, limits: Limits, errors: IO[bytes], *, readable: tuple[Path, ...] = ()
) -> "subprocess.Popen[bytes]":
    """Start a program inside a folder, fed by its standard input, its complaints going to `errors`; the caller ends its whole group.

    It does not step back: somebody watches what it makes.
    CPU, memory and the size of a file are held to; the clock and the disk are the caller's to watch. It dies with the calling thread.
    """
    return _spawn(
        command, folder, limits, readable, walls=_walls_hold(), nice=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
    )


def python_paths() -> tuple[Path, ...]:
    """What a Python program needs to read: the interpreter, its library, the installed packages, our source."""
    places = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_exec_prefix), JAIL.parent.parent}
    return tuple(sorted(places | {place.resolve() for place in places}))


def python_command(script: Path, *arguments: str) -> list[str]:
    """The command that runs one of our scripts alone: no environment, no user packages."""
    return [sys.executable, "-I", "-B", str(script), *arguments]


def _run(
    command: list[str], folder: Path, limits: Limits, readable: tuple[Path, ...], on_line: Callable[[str], None] | None, *, walls: bool
) -> Outcome:
    pipe = subprocess.PIPE
    process = _spawn(command, folder, limits, readable, walls=walls, nice=BEHIND, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    try:
        out, err = _listen(process, folder, limits, on_line)
        return Outcome(process.wait(timeout=5), out, err)
    finally:
        _kill(process)


def _spawn(
    command: list[str],
    folder: Path,
    limits: Limits,
    readable: tuple[Path, ...],
    *,
    walls: bool,
    nice: int,
    stdin: int,
    stdout: int,
    stderr: int | IO[bytes],
) -> "subprocess.Popen[bytes]":
    asked = {key: value for key, value in asdict(limits).items() if key in ("cpu_seconds", "memory_bytes", "file_bytes")}
    paths = [str(path) for path in readable]
    order = {"command": command, "scratch": str(folder), "readable": paths, "limits": asked, "walls": walls, "nice": nice}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(JAIL), json.dumps(order)],
        cwd=folder,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group, wait for it, close the pipes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _listen(process: "subprocess.Popen[bytes]", folder: Path, limits: Limits, on_line: Callable[[str], None] | None) -> tuple[str, str]:
    """Read both pipes to their ends within the limits; the last of each."""
    assert process.stdout is not None and process.stderr is not None
    end, look_again, total = time.monotonic() + limits.wall_seconds, 0.0, 0
    kept: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    pending = b""
    with selectors.DefaultSelector() as selector:
        for pipe in kept:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for event, _ in selector.select(timeout=min(0.5, max(look_again - time.monotonic(), 0.01))):
                pipe = cast(IO[bytes], event.fileobj)
                data = os.read(event.fd, 65_536)
                total += len(data)
                if not data:
                    selector.unregister(pipe)
                kept[pipe] += data
                del kept[pipe][:-KEEP_BYTES]
                if pipe is process.stdout and on_line is not None:
                    *lines, pending = (pending + data).split(b"\n")
                    for line in lines:
                        on_line(line.decode(errors="replace"))
            if time.monotonic() > end:
                raise Stopped("wall")
            if total > MAX_OUTPUT or len(pending) > MIB:
                raise Stopped("output")
            if time.monotonic() > look_again:
                left = limits.disk_bytes - _used(folder)
                if left < 0:
                    raise Stopped("disk")
                look_again = time.monotonic() + min(2.0, max(left / DISK_SPEED, 0.05))  # the nearer the limit, the sooner
    return kept[process.stdout].decode(errors="replace"), kept[process.stderr].decode(errors="replace")


def _used(folder: Path) -> int:
    """Bytes on disk under a folder."""
    used = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                used += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return used


SELF_TEST = """
import json, os, socket
def reach():
    try:
        socket.create_connection(("127.0.0.1", int(os.sys.argv[1])), timeout=1).close()
        return True
    except OSError:
        return False
def read(path):
    try:
        open(path, "rb").close()
        return True
    except OSError:
        return False
def grow():
    try:
        return len(bytearray(600 << 20)) > 0
    except MemoryError:
        return False
print(json.dumps({"network": reach(), "files": read(os.sys.argv[2]), "uid": os.getuid(), "memory": grow()}))
"""


@cache
def _walls_hold() -> bool:
    """Whether the kernel lets us build walls here; found out by building them once."""
    if sys.platform != "linux":
        return False
    with scratch() as folder:
        limits = Limits(wall_seconds=20, cpu_seconds=5)
        outcome = _run([sys.executable, "-I", "-S", "-c", "print('in')"], folder, limits, python_paths(), None, walls=True)
    if outcome.out.strip() != "in":
        log.warning("sandbox_without_walls", reason=outcome.err[-300:])
    return outcome.out.strip() == "in"


@cache
def sandbox_report() -> Report:
    """Try to break out once and say what held."""
    with scratch() as folder, tempfile.NamedTemporaryFile() as secret, _listener() as port:
        os.chmod(secret.name, 0o644)
        limits = Limits(wall_seconds=20, cpu_seconds=5, memory_bytes=400 * MIB)
        command = [sys.executable, "-I", "-S", "-c", SELF_TEST, str(port), secret.name]
        outcome = _run(command, folder, limits, python_paths(), None, walls=_walls_hold())
    found = json.loads(outcome.out or '{"network": true, "files": true, "uid": 0, "memory": true}')
    if outcome.code == jail.NO_LIMITS:
        sentence = "Media does not run: Python or ffmpeg lies where an unprivileged user cannot reach it, and it is never run as root."
        return Report(False, True, True, False, True, sentence, runs=False)
    report = Report(_walls_hold(), not found["network"], not found["files"], found["uid"] != 0, not found["memory"], "")
    missing = [
        words
        for held, words in (
            (report.no_network, "no wall to the network"),
            (report.no_files, "other files can be read"),
            (report.unprivileged, "it runs as root"),
            (report.limits, "no memory limit"),
        )
        if not held
    ]
    good = "Media runs walled in: no network, no other files, an unprivileged user, limits on time, memory and disk."
    return report._replace(sentence=f"Media runs with limits, but: {', '.join(missing)}." if missing else good)


@contextmanager
def _listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])
