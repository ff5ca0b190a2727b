"""Programs of our own that begin as a fork of this process: what is imported here they have at once, and its memory is shared.

`python -m module words` as a fork takes milliseconds and a third of the memory; for that this process has one thread and has
imported what they need.
"""

import gc
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

from lms.config import take_environment
from lms.core.children import die_with_parent, set_name

HIGHEST_DESCRIPTOR = 4096
PYTHON_M = 3  # words of a command line before its arguments: python, -m, module


class Fork:
    """A running fork; to its owner it is like `subprocess.Popen`."""

    def __init__(self, name: str, argv: tuple[str, ...], *, env: Mapping[str, str], cwd: Path, on_death: signal.Signals) -> None:
        reading, writing = os.pipe()
        arrange = die_with_parent(on_death)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            arrange()
            _become(name, argv, env, cwd, writing)
        os.close(writing)
        self.stdout: IO[bytes] | None = os.fdopen(reading, "rb", buffering=0)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; raises `subprocess.TimeoutExpired`."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Signal it; nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it by force."""
        self.send_signal(signal.SIGKILL)


def preload(modules: tuple[str, ...]) -> None:
    """Import what the forks will need (`module`, or `module:function` to call), and keep the collector from it: the memory stays shared."""
    gc.disable()  # what is imported stays: looking through it again and again takes a third of the time
    for module in modules:
        name, _colon, function = module.partition(":")
        loaded = import_module(name)
        if function:
            getattr(loaded, function)()
    gc.enable()
    gc.collect()
    gc.freeze()


def _become(name: str, argv: tuple[str, ...], env: Mapping[str, str], cwd: Path, output: int) -> NoReturn:
    """Be `python -m module words` from here on, in a session and with streams of its own; never come back."""
    code = 1
    try:
        os.setsid()
        _own_signals_and_streams(output)
        set_name(name)
        os.chdir(cwd)
        take_environment(env)
        sys.argv = [argv[2], *argv[PYTHON_M:]]
        sys.path[0:0] = [str(cwd)] if str(cwd) not in sys.path else []
        sys.modules.pop(f"{argv[2]}.__main__", None)  # the parent may have begun as that very program
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if isinstance(leaving.code, str):
            sys.stderr.write(f"{leaving.code}\n")
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except Exception:
        traceback.print_exc()
    finally:
        # Whatever happens, this process must not return into its parent's program.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _own_signals_and_streams(output: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.closerange(3, HIGHEST_DESCRIPTOR)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the streams of a process live as long as it
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
