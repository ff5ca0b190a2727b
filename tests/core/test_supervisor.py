"""The supervisor over a small platform of real programs: gunicorn, rq, PostgreSQL, Valkey; judged by the list of processes."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest
import redis
import rq

from lms.config import SERVERS
from lms.core import stepdown
from lms.core.children import Account
from lms.core.embedded import OWNER
from lms.core.journal import Journal, Lines
from lms.core.places import Place, succeeds_as, unprivileged_account
from lms.core.stepdown import account_for, hand_over
from lms.core.supervisor import Plan, Process, Supervisor
from tests import servers
from tests.core import a_small_platform
from tests.ports import free_pair

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(a_small_platform.__file__)


class Run:
    """One run of the small platform as a process of its own."""

    def __init__(self, home: Path, port: int, python: str = sys.executable, **environ: str) -> None:
        self.home, self.port, self.mark = home, port, uuid.uuid4().hex
        self.output = home / "log" / f"{self.mark}.out"
        self.output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [python, str(PROGRAM), str(home), str(port)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "SUPERVISED": self.mark, **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str, count: int = 1) -> None:
        eventually(lambda: len(re.findall(words, self.said)) >= count, lambda: f"{words!r} not in:\n{self.said}")

    def processes(self) -> dict[int, str]:
        """Every living process of this run: by the mark in its environment, or by its home in its command line."""
        data = str(Place.of(self.home).data / "postgres")
        run = str(Place.of(self.home).run)
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and entry.name != str(os.getpid()):
                try:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    ours = f"SUPERVISED={self.mark}".encode() in (entry / "environ").read_bytes()
                except OSError:
                    continue
                if command and (ours or data in command or run in command):
                    found[int(entry.name)] = command
        return found

    def count(self, words: str) -> int:
        """How many of its processes have these words in their command line."""
        return sum(words in command for command in self.processes().values())

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


def eventually(true: Callable[[], object], otherwise: Callable[[], str], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, otherwise()
        time.sleep(0.05)


def get(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


@pytest.fixture
def home() -> Iterator[Path]:
    path = servers.throwaway_home()
    yield path
    servers.remove_home(path)


@pytest.fixture
def run(home: Path) -> Iterator[Run]:
    started = Run(home, free_pair())
    try:
        started.wait_for("The small platform is open")
        yield started
    finally:
        started.clean_up()


def postgres_url(home: Path) -> str:
    return f"postgresql://{OWNER}:{(home / 'postgres_password').read_text()}@/lectern?host={Place.of(home).run}"


def valkey(home: Path) -> redis.Redis:
    return redis.Redis.from_url(f"unix://:{(home / 'valkey_password').read_text()}@{Place.of(home).run}/valkey.sock?db=0")


def queue_a_long_job(run: Run) -> None:
    with valkey(run.home) as client:
        rq.Queue("default", connection=client).enqueue("a_small_platform.long_job")
        eventually(lambda: any("time.sleep(60)" in command for command in run.processes().values()), lambda: "the job did not start")


def test_run__serves_refuses_a_second_mends_what_dies_and_stops_in_order(run: Run) -> None:
    # both servers answer, and only the socket server waits without holding up its other greenlets
    assert (get(run.port), get(run.port + 1)) == ("wait_c", "wait_poll")
    steps = ("postgres is up", "valkey is up", "starts so far: 1", "I stay", "demo made", "is open")
    for words in steps:
        run.wait_for(words)
    order = [run.said.index(words) for words in steps]
    assert order == sorted(order)
    noted = run.home / SERVERS
    assert set(json.loads(noted.read_text())) == {"DATABASE_URL", "REDIS_URL"} and noted.stat().st_mode & 0o77 == 0

    second = subprocess.run(
        [sys.executable, str(PROGRAM), str(run.home), str(run.port)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert f"Lectern already runs on {run.home} (process {run.process.pid})" in second.stdout

    stubborn = next(pid for pid, command in run.processes().items() if command.endswith("stubborn "))
    os.kill(stubborn, signal.SIGKILL)
    run.wait_for(r"stubborn ended with SIGKILL; it starts again in 0\.5 s")
    run.wait_for("I stay", count=2)

    postmaster = next(pid for pid, command in run.processes().items() if "/bin/postgres -D" in command)
    os.kill(postmaster, signal.SIGKILL)
    run.wait_for("postgres ended with SIGKILL; it starts again")
    run.wait_for("postgres is up", count=2)
    with psycopg.connect(postgres_url(run.home)) as connection:
        assert connection.execute("SELECT count(*) FROM starts").fetchone() == (1,)
    assert get(run.port) == "wait_c"

    queue_a_long_job(run)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(60) == 0  # its plan allows ten seconds in all (tests/core/test_serving.py); a busy machine takes longer
    eventually(lambda: run.processes() == {}, lambda: str(run.processes()))
    assert "Everything has stopped" in run.said and not noted.exists()
    filed = (run.home / "log" / "lectern.log").read_text()
    assert "lectern | postgres is up." in filed
    assert "The small platform is open" not in filed


def test_run__killed_takes_everything_along_and_the_next_start_finds_the_data(run: Run) -> None:
    queue_a_long_job(run)
    # the socket server's master and worker; the supervisor itself, and its forks: gunicorn's master and two workers
    eventually(lambda: (run.count("gunicorn_sockets"), run.count(f"{run.home} {run.port} ")) == (2, 4), lambda: str(run.processes()))
    run.process.kill()
    run.process.wait()
    again = Run(run.home, run.port)  # at once: it waits for the rest of the first
    try:
        again.wait_for("starts so far: 2")
        again.wait_for("The small platform is open")
        eventually(lambda: not set(run.processes()) - set(again.processes()), lambda: str(run.processes()))
        # and with the watchdog gone as well, the kernel alone ends what listens to a polite end
        watchdog = next(pid for pid, command in again.processes().items() if "lms.core.watchdog" in command)
        os.kill(watchdog, signal.SIGKILL)
        again.process.kill()
        again.process.wait()
        eventually(
            lambda: all("stubborn" in command for command in again.processes().values()), lambda: "\n".join(again.processes().values())
        )
    finally:
        again.clean_up()


def everybodys_python() -> str | None:
    """A Python of this version that any user of the machine can run, and read this checkout with; None where either is closed to them."""
    for found in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}", f"/usr/local/bin/python3.{sys.version_info.minor}"):
        if Path(found).exists() and succeeds_as(unprivileged_account(), [found, "-c", f"open({str(PROGRAM)!r})"]):
            return found
    return None


def owners(run: Run) -> set[int]:
    """The users its processes run as."""
    return {Path(f"/proc/{pid}").stat().st_uid for pid in run.processes()}


@pytest.mark.skipif(os.getuid() != 0, reason="only root has something to give up")
def test_run__as_root_gives_root_up_for_every_process(home: Path) -> None:
    python = everybodys_python()
    if python is None:
        pytest.skip("this checkout, or every Python of this machine, is closed to other users")
    spare = servers.throwaway_home()
    spare.chmod(0o755)
    (spare / "async_timeout.py").write_text("timeout = None\n")  # which redis asks for on a Python older than the one of the tests
    run = Run(home, free_pair(), python, PYTHONPATH=f"{ROOT}:{sysconfig.get_path('purelib')}:{spare}")
    try:
        run.wait_for("The small platform is open")
        assert owners(run) == {unprivileged_account().uid}
        assert get(run.port) == "wait_c"
        postmaster = next(pid for pid, command in run.processes().items() if "/bin/postgres -D" in command)
        os.kill(postmaster, signal.SIGKILL)  # the database is started again without root
        run.wait_for("postgres is up", count=2)
        assert {path.stat().st_uid for path in (home, *home.iterdir())} == {unprivileged_account().uid}
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(60) == 0
        eventually(lambda: run.processes() == {}, lambda: str(run.processes()))
    finally:
        run.clean_up()
        servers.remove_home(spare)


@pytest.mark.skipif(os.getuid() != 0, reason="only root has something to give up")
@pytest.mark.parametrize("obstacle", ["python", "home", "strange"])
def test_account_for__says_why_it_stays_root(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str) -> None:
    python = everybodys_python()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if obstacle == "python" or python is None:
        (closed / "python").symlink_to(python or sys.executable)
        monkeypatch.setattr(sys, "executable", str(closed / "python"))
        words = "cannot read"
    else:
        monkeypatch.setattr(sys, "executable", python)
        monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{sysconfig.get_path('purelib')}")
        words = {"home": "cannot reach", "strange": "holds other things (letters)"}[obstacle]
        (home / "letters").touch()
    said: list[str] = []
    assert account_for(closed / "home" if obstacle == "home" else home, said.append) is None
    assert words in said[0] and "runs as root. Better:" in said[0]


def test_hand_over__gives_plain_files_and_follows_no_link(home: Path, tmp_path: Path) -> None:
    (home / "storage").mkdir()
    (home / "storage" / "film").touch()
    (home / "storage" / "link").symlink_to(tmp_path)
    os.link(home / "storage" / "film", home / "storage" / "twice")
    (home / "secret_key").touch()
    me = Account("me", 64_001, 64_001) if os.getuid() == 0 else Account("me", os.getuid(), os.getgid())
    mine = {"tmp": tmp_path.stat().st_uid, "twice": (home / "storage" / "twice").stat().st_uid}
    hand_over(home, me)
    assert {(home / name).stat().st_uid for name in (".", "storage", "secret_key")} == {me.uid}
    assert {"tmp": tmp_path.stat().st_uid, "twice": (home / "storage" / "twice").stat().st_uid} == mine


def test_run__refuses_a_port_that_only_root_may_have(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepdown, "lowest_port", lambda: 1024)
    code, said = run_here(home, a_plan(listens=(("127.0.0.1", 80),)), account=Account("me", os.getuid(), os.getgid()))
    assert code == 2
    assert "Port 80 is kept for root, and Lectern does not run as root. Set LMS_PORT to 1024 or more." in said


def a_plan(**changes: object) -> Plan:
    parts: dict[str, object] = {"data": (), "before": (), "services": (), "after": (), **changes}
    return Plan(**parts)  # type: ignore[arg-type]


def python(name: str, code: str, **more: float) -> Process:
    return Process(name, (sys.executable, "-c", code), patience=more.get("patience", 1.5))


def run_here(home: Path, plan: Plan, *, stop_after: str | None = None, signals: int = 1, account: Account | None = None) -> tuple[int, str]:
    """Run a plan in this very process, and end it by a signal once `stop_after` was said."""
    stream = io.StringIO()
    done = threading.Event()

    def stopper() -> None:
        eventually(lambda: done.is_set() or (stop_after or "never") in stream.getvalue(), stream.getvalue)
        for _ in range(signals):
            if not done.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.3)

    thread = threading.Thread(target=stopper)
    if stop_after:
        thread.start()
    journal = Journal(home / "log" / "lectern.log", stream)
    try:
        code = Supervisor(home, os.environ, plan, journal, account).run()
    finally:
        done.set()
        journal.close()
        if stop_after:
            thread.join()
    return code, stream.getvalue()


def test_run__names_a_port_that_is_taken(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = run_here(home, a_plan(listens=(("127.0.0.1", port),)))
    assert code == 2
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use. Set LMS_PORT to a free port." in said


def test_run__fails_when_the_migrations_fail_and_starts_no_service(home: Path) -> None:
    plan = a_plan(
        before=(python("migrate", "import sys; print('no such column'); sys.exit(3)"),), services=(python("pages", "print('served')"),)
    )
    code, said = run_here(home, plan)
    assert code == 1
    assert "migrate   | no such column" in said
    assert "migrate failed with exit code 3" in said
    assert "served" not in said


def test_run__waits_longer_each_time_a_process_dies(home: Path) -> None:
    code, said = run_here(home, a_plan(services=(python("weak", "raise SystemExit(7)"),)), stop_after="again in 2 s")
    assert code == 0
    assert re.findall(r"weak ended with exit code 7; it starts again in (\S+) s", said) == ["0.5", "1", "2"]


def test_run__a_second_signal_hurries(home: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(170)"
    began = time.monotonic()
    _, said = run_here(home, a_plan(services=(python("deaf", code, patience=100),)), stop_after="deaf      | here", signals=2)
    assert time.monotonic() - began < 60, "the second signal was not waited out"
    assert "SIGTERM came: stopping" in said


def test_run__empties_scratch_folders_and_names_them_to_every_process(home: Path) -> None:
    (home / "scratch").mkdir()
    (home / "scratch" / "old").touch()
    look = python("look", "import os; print(os.environ['SCRATCH'], os.listdir(os.environ['SCRATCH']))")
    _, said = run_here(home, a_plan(scratch={"SCRATCH": home / "scratch"}, before=(look,)), stop_after="look      |")
    assert f"look      | {home}/scratch []" in said


def test_run__a_failing_demo_is_said_and_the_platform_stays(home: Path) -> None:
    plan = a_plan(after=(python("demo", "raise SystemExit(1)"),), opened=lambda: ["open"])
    code, said = run_here(home, plan, stop_after="| open")
    assert code == 0
    assert "demo failed with exit code 1" in said


def test_journal__is_coloured_only_on_a_terminal_and_begins_a_new_file_past_its_size(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("lms.core.journal.LARGEST", 60)
    terminal = Terminal()
    journal = Journal(home / "log" / "a.log", terminal)
    for text in ("first line", "second line"):
        journal.say("pages", text)
    assert "\x1b[36mpages     |\x1b[0m first line" in terminal.getvalue()
    journal.close()
    assert "second line" in (home / "log" / "a.log.1").read_text()
    assert (home / "log" / "a.log").read_text() == ""


def test_lines__are_whole_whatever_the_pieces() -> None:
    lines = Lines()
    assert lines.feed("é one\ntw".encode()) == ["é one"]
    assert lines.feed(b"o\r\n\xff") == ["two"]
    assert lines.last() == ["\ufffd"]
    assert lines.last() == []
