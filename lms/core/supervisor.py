"""The supervisor: starts the data servers and the platform's processes, keeps them alive, and ends them in order.

One thread. Every program is in a session of its own, so Ctrl-C reaches only us; the kernel and the watchdog end them when we are killed.
"""

import itertools
import json
import math
import os
import selectors
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from lms.config import SERVERS
from lms.core import children, stepdown
from lms.core.embedded import Server, start_postgres, start_valkey
from lms.core.forks import Fork, preload
from lms.core.journal import Journal, Lines
from lms.core.places import ServerFailed, hold, port_problem, write_private
from lms.core.watchdog import Watchdog

ROOT = Path(__file__).resolve().parent.parent.parent
SELF = "lectern"
STEADY = 30.0  # seconds after which a process counts as healthy and its back-off begins anew
LONGEST_DELAY = 30.0
PORT_PATIENCE = 3.0  # a killed run's listeners need a moment until the kernel has let go of them
REFUSED, FAILED = 2, 1

# name → (variable that its address goes into, how it starts); stopped in the opposite order
DATA_SERVERS: dict[str, tuple[str, Callable[[Path], Server]]] = {
    "postgres": ("DATABASE_URL", start_postgres),
    "valkey": ("REDIS_URL", start_valkey),
}


class Refused(Exception):
    """A run cannot begin here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Process:
    """A program to run: it has `patience` seconds to end after SIGTERM; a `forked` one is `python -m module …`, run as a fork."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience: float = 1.5
    forked: bool = False
    opens: tuple[str, int] | None = None
    """The address it answers at: the processes named after it are started when it does."""

    @property
    def kind(self) -> str:
        """Processes of one kind (`worker-1`, `worker-2`) are stopped together."""
        return self.name.rpartition("-")[0] or self.name


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run consists of: data servers, tasks run to their end before, services kept alive, tasks run beside them."""

    data: tuple[str, ...]
    before: tuple[Process, ...]
    services: tuple[Process, ...]
    after: tuple[Process, ...]
    listens: tuple[tuple[str, int], ...] = ()
    scratch: Mapping[str, Path] = field(default_factory=dict)
    """Variables whose folders are made empty before anything starts."""
    preload: tuple[str, ...] = ()
    """What forked processes share: modules to import, and functions to call as module:function."""
    opened: Callable[[], list[str]] = list
    """Lines shown when everything runs; they may hold passwords and are not filed."""


@dataclass(slots=True)
class _Child:
    spec: Process
    running: subprocess.Popen[bytes] | Fork | None = None
    lines: Lines = field(default_factory=Lines)
    began: float = 0.0
    failures: int = 0
    due: float = math.inf  # when it starts again; a service not started yet is never due


class Supervisor:
    """Runs a plan on a home until it is told to stop; `run` returns the exit code."""

    def __init__(self, home: Path, env: Mapping[str, str], plan: Plan, journal: Journal, account: children.Account | None = None) -> None:
        self.home = home
        self.account = account
        self.env = {**env, "PYTHONUNBUFFERED": "1"}
        self.plan = plan
        self.journal = journal
        self.data: dict[str, Server] = {}
        self.services = [_Child(spec) for spec in plan.services]
        self.stopping = False
        self.hurried = False
        self.watchdog: Watchdog
        self.selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Refuse, or run until SIGINT, SIGTERM or SIGHUP; 0 after an ordered stop, 1 when something essential failed, 2 when refused."""
        lock = -1
        try:
            lock = self._own_home()
            self._check_ports()
        except Refused as refusal:
            if lock >= 0:
                os.close(lock)
            self.journal.say(SELF, str(refusal))
            return REFUSED
        with _Signals(self._signalled, self.selector), Watchdog(self.env, (lock,), self.account) as self.watchdog:
            try:
                return self._run()
            except ServerFailed as failure:
                self._say_lines(str(failure))
                return FAILED
            finally:
                self._stop()
                os.close(lock)

    def _run(self) -> int:
        for variable, folder in self.plan.scratch.items():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            self.env[variable] = str(folder)
        for name in self.plan.data:
            self._start_data(name)
        preload(self.plan.preload)
        if self.account is not None:  # root was needed for the data servers' folders, and to leave compiled modules behind
            stepdown.hand_over(self.home, self.account)
            self.env |= {"HOME": str(self.home), **stepdown.step_down(self.account)}
        for task in self.plan.before:
            if self._complete(task) != 0:
                return 0 if self.stopping else FAILED
        for child in self.services:
            self._start(child)
            if child.spec.opens is not None:  # whoever waits for the first page has both cores until it is there
                self._await_listeners((child.spec.opens,), seconds=10)
        self._await_listeners(self.plan.listens, seconds=60)
        for task in self.plan.after:
            self._complete(task)
        if not self.stopping:
            for line in self.plan.opened():
                self.journal.say(SELF, line, kept=False)
        while not self.stopping:
            self._turn()
        return 0

    # -- before anything starts

    def _own_home(self) -> int:
        self.home.mkdir(parents=True, exist_ok=True)
        path = self.home / "run.lock"
        lock = hold(path, patience=2.0)  # a killed run needs a moment until its watchdog has ended the rest
        if lock is None:
            who = path.read_text().strip()
            raise Refused(f"Lectern already runs on {self.home} (process {who}). Stop it first, or set LMS_HOME to another folder.")
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return lock

    def _check_ports(self) -> None:
        for host, port in self.plan.listens:
            if self.account is not None and port < stepdown.lowest_port():
                raise Refused(
                    f"Port {port} is kept for root, and Lectern does not run as root. Set LMS_PORT to {stepdown.lowest_port()} or more."
                )
            if problem := port_problem(host, port, patience=PORT_PATIENCE):
                raise Refused(f"Cannot listen on {host} port {port}: {problem}. Set LMS_PORT to a free port.")

    # -- starting

    def _start_data(self, name: str) -> None:
        variable, start = DATA_SERVERS[name]
        server = start(self.home)
        self.data[name] = server
        self.env[variable] = server.url
        self.watchdog.watch(server.process.pid, server.signals[0], 8.0)
        self._note_servers()
        self.journal.say(SELF, f"{name} is up.")

    def _note_servers(self) -> None:
        """Leave the addresses of the embedded servers in the home, for `lms …` on the command line while this runs."""
        running = {DATA_SERVERS[name][0]: server.url for name, server in self.data.items()}
        write_private(self.home / SERVERS, json.dumps(running))

    def _start(self, child: _Child) -> None:
        spec = child.spec
        env = {**self.env, **spec.env}
        running: subprocess.Popen[bytes] | Fork
        if spec.forked:
            running = Fork(spec.name, spec.argv, env=env, cwd=ROOT, on_death=signal.SIGTERM)
        else:
            running = children.spawn(spec.argv, env=env, cwd=ROOT, output=subprocess.PIPE, on_death=signal.SIGTERM)
        child.running, child.began, child.lines = running, time.monotonic(), Lines()
        self.watchdog.watch(running.pid, signal.SIGTERM, 1.0)
        if running.stdout is not None:
            os.set_blocking(running.stdout.fileno(), False)
            self.selector.register(running.stdout, selectors.EVENT_READ, child)

    def _complete(self, spec: Process) -> int | None:
        """Run a task to its end beside everything else; its exit code, or None when we were told to stop."""
        child = _Child(spec)
        self._start(child)
        while not self.stopping and child.running is not None and child.running.poll() is None:
            self._turn()
        code = child.running.poll() if child.running is not None else None
        self._end([child])
        if code:
            self.journal.say(SELF, f"{spec.name} failed with {_how_it_ended(code)}.")
        return code

    def _await_listeners(self, addresses: Sequence[tuple[str, int]], *, seconds: float) -> None:
        """Wait until each address answers HTTP, or the time is over."""
        until = time.monotonic() + seconds
        for host, port in addresses:
            while not self.stopping and time.monotonic() < until and not _answers(host, port):
                self._turn(0.05)

    # -- keeping alive

    def _turn(self, timeout: float = 0.5) -> None:
        """Pass on what was said, notice who died, start again who is due."""
        for key, _ in self.selector.select(timeout):
            if isinstance(key.data, _Child):
                self._read(key.data)
            else:
                key.data()
        if self.stopping:
            return
        for child in self.services:
            if child.running is not None and child.running.poll() is not None:
                self._lost(child)
            elif child.running is None and time.monotonic() >= child.due:
                self._start(child)
        for name, server in list(self.data.items()):
            if server.process.poll() is not None:
                self._lost_data(name, server)

    def _read(self, child: _Child) -> None:
        stream = child.running.stdout if child.running is not None else None
        if stream is None:
            return
        data = stream.read(65_536)
        if data is None:
            return
        for line in child.lines.feed(data) if data else child.lines.last():
            self.journal.say(child.spec.name, line)
        if not data:
            self.selector.unregister(stream)
            stream.close()

    def _lost(self, child: _Child) -> None:
        code = (child.running.poll() if child.running is not None else None) or 0
        self._end([child])
        child.failures = 0 if time.monotonic() - child.began > STEADY else child.failures + 1
        delay = min(LONGEST_DELAY, 0.25 * 2**child.failures)
        child.due = time.monotonic() + delay
        self.journal.say(SELF, f"{child.spec.name} ended with {_how_it_ended(code)}; it starts again in {delay:g} s.")

    def _lost_data(self, name: str, server: Server) -> None:
        self.watchdog.forget(server.process.pid)
        self.journal.say(SELF, f"{name} ended with {_how_it_ended(server.process.returncode)}; it starts again.")
        for attempt in itertools.count():
            try:
                self._start_data(name)
                return
            except ServerFailed as failure:
                if attempt == 4:
                    raise
                self._say_lines(str(failure))
                time.sleep(2**attempt)

    # -- stopping

    def _signalled(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        self.hurried = self.stopping
        if not self.stopping:
            self.journal.say(SELF, f"{signal.Signals(number).name} came: stopping (once more to hurry).")
        self.stopping = True

    def _stop(self) -> None:
        """Pages, sockets, workers, scheduler, Valkey, PostgreSQL: each kind is gone before the next is told."""
        began = time.monotonic()
        self.stopping = True
        for _, kind in itertools.groupby(self.services, key=lambda child: child.spec.kind):
            self._end(list(kind))
        if self.data:
            (self.home / SERVERS).unlink(missing_ok=True)
        for name in reversed(self.data):
            self.data[name].stop()
            self.watchdog.forget(self.data[name].process.pid)
        self.journal.say(SELF, f"Everything has stopped, in {time.monotonic() - began:.1f} s.")

    def _end(self, ending: list[_Child]) -> None:
        """SIGTERM, then SIGKILL to the whole session of each; their last words are passed on."""
        alive = [(child, child.running) for child in ending if child.running is not None]
        for _, running in alive:
            if running.poll() is None:
                running.send_signal(signal.SIGTERM)
        until = time.monotonic() + max((child.spec.patience for child, _ in alive), default=0)
        while not self.hurried and time.monotonic() < until and any(running.poll() is None for _, running in alive):
            self._turn_while_ending()
        for child, running in alive:
            running.kill()
            running.wait()
            children.end_sessions({running.pid})
            self.watchdog.forget(running.pid)
            while running.stdout is not None and not running.stdout.closed and self._has_more(child):
                pass
            child.running = None

    def _turn_while_ending(self) -> None:
        for key, _ in self.selector.select(0.1):
            if isinstance(key.data, _Child):
                self._read(key.data)
            else:
                key.data()

    def _has_more(self, child: _Child) -> bool:
        """Pass on what is still in the pipe; false when a stranger keeps it open and silent."""
        stream = child.running.stdout if child.running is not None else None
        if stream is None:
            return False
        ready = any(key.data is child for key, _ in self.selector.select(0))
        if not ready:
            self.selector.unregister(stream)
            stream.close()
            return False
        self._read(child)
        return True

    def _say_lines(self, text: str) -> None:
        for line in text.splitlines():
            self.journal.say(SELF, line)


class _Signals:
    """While it is open, signals wake the selector and are handed to one function in the main loop."""

    def __init__(self, handler: Callable[[int], None], selector: selectors.BaseSelector) -> None:
        self._handler = handler
        self._selector = selector
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._theirs = theirs
        for end in (self._ours, theirs):
            end.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
                self._before[number] = signal.signal(number, lambda *_: None)
        self._selector.register(self._ours, selectors.EVENT_READ, self._pass_on)

    def __exit__(self, *_: object) -> None:
        self._selector.unregister(self._ours)
        signal.set_wakeup_fd(self._wakeup_before)
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal() gave, signal() takes
        self._ours.close()
        self._theirs.close()

    def _pass_on(self) -> None:
        for number in self._ours.recv(4096):
            self._handler(number)


def _answers(host: str, port: int) -> bool:
    """Whether something answers HTTP there, with any status."""
    connection = HTTPConnection(reachable(host), port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def reachable(host: str) -> str:
    """The address under which a listener on `host` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def called(host: str) -> str:
    """What people type to reach a listener on `host`: a name where there is one, since passkeys know no bare numbers."""
    found = reachable(host)
    return "localhost" if found == "127.0.0.1" else found


def _how_it_ended(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
