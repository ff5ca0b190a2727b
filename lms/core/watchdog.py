"""The watchdog: when the process that feeds its standard input is gone, it ends everything that process had started.

The kernel already tells direct children of a killed supervisor (Linux); the watchdog also reaches their children, and works on macOS.
It reads lines `+ <pid> <signal> <patience in seconds>` and `- <pid>`.
"""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from lms.core.children import Account, session_members, signal_process

ROOT = Path(__file__).resolve().parent.parent.parent


class Watchdog:
    """A running watchdog, as its owner sees it."""

    def __init__(self, env: Mapping[str, str], keep_open: Iterable[int] = (), account: Account | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lms.core.watchdog"],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=tuple(keep_open),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def watch(self, pid: int, number: signal.Signals, patience: float) -> None:
        """From now on, `pid` and its session end with us: `number` first, SIGKILL after `patience` seconds."""
        self._tell(f"+ {pid} {int(number)} {patience}\n")

    def forget(self, pid: int) -> None:
        """`pid` has ended; its number may come to mean another process."""
        self._tell(f"- {pid}\n")

    def close(self) -> None:
        """Let the watchdog go; what it still watches ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None and self._process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> None:
    """Keep the list until standard input ends, then end everything on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, tuple[signal.Signals, float]] = {}
    for line in sys.stdin:
        sign, pid, *rest = line.split()
        if sign == "+":
            watched[int(pid)] = (signal.Signals(int(rest[0])), float(rest[1]))
        else:
            watched.pop(int(pid), None)
    end(watched)


def end(watched: Mapping[int, tuple[signal.Signals, float]]) -> None:
    """Signal each session's leader, then SIGKILL whatever of the session is left after its patience."""
    for pid, (number, _) in watched.items():
        signal_process(pid, number)
    began = time.monotonic()
    while any(session_members({pid}) for pid in watched):
        for pid, (_, patience) in watched.items():
            if time.monotonic() - began > patience:
                for member in session_members({pid}):
                    signal_process(member, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
