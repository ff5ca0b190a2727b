"""Programs started by this one: none outlives it, and each can be stopped for good."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system that a program runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "Account":
        """The account of that name; raises `KeyError` when the machine has none."""
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """A step for `preexec_fn`: the kernel sends `number` when the thread that started the program ends (Linux; see also the watchdog)."""
    parent = os.getpid()

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return arrange


def set_name(name: str) -> None:
    """Give this process a name that `ps` and `top` show (Linux; 15 characters)."""
    if _libc is not None:
        _libc.prctl(PR_SET_NAME, f"lms {name}".encode()[:15], 0, 0, 0)


def allow_dump() -> None:
    """Let this process look at itself under /proc again after it changed its user (Linux takes that away)."""
    if _libc is not None:
        _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: int | IO[bytes],
    on_death: signal.Signals,
    account: Account | None = None,
    keep_open: Iterable[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, its output and errors in one stream; call it from the main thread, which it dies with."""
    return subprocess.Popen(
        [str(part) for part in argv],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=tuple(keep_open),
        # Safe here: the starting process has one thread, and the step only makes system calls.
        preexec_fn=die_with_parent(on_death),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals, patience: float) -> None:
    """End a program: each signal in turn, `patience` seconds after each, then SIGKILL; return when it is gone with its whole session."""
    for number in (*signals, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(patience)
            break
        except subprocess.TimeoutExpired:
            continue
    end_sessions({process.pid})


def end_sessions(leaders: set[int]) -> None:
    """SIGKILL every process of these sessions; return when none is left (or after two seconds)."""
    until = time.monotonic() + 2
    while (members := session_members(leaders)) and time.monotonic() < until:
        for pid in members:
            signal_process(pid, signal.SIGKILL)
        time.sleep(0.02)


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is already gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def session_members(leaders: set[int]) -> list[int]:
    """The living processes whose session was begun by one of `leaders`."""
    return [pid for pid in _all_pids() if _session_of(pid) in leaders and not _is_zombie(pid)]


def _all_pids() -> list[int]:
    if sys.platform == "linux":
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    listing = subprocess.run(["/bin/ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)
    return [int(line) for line in listing.stdout.split()]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _is_zombie(pid: int) -> bool:
    try:
        # proc(5): the state follows the command, which stands in brackets and may itself hold brackets.
        return sys.platform == "linux" and Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
