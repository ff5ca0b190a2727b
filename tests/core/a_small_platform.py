"""A small platform of real programs for the supervisor's tests: `python a_small_platform.py <home> <port>` runs it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import psycopg.waiting

from lms.core.journal import Journal
from lms.core.serving import PAGES_CONFIG, SOCKETS_CONFIG
from lms.core.stepdown import account_for
from lms.core.supervisor import Plan, Process, Supervisor

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"


def application(environ, start_response):  # type: ignore[no-untyped-def]
    """WSGI: says how psycopg waits, which shows whether gevent came first."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("SELECT 1")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(getattr(psycopg.waiting.wait, "__name__", "")).encode()]


def long_job() -> None:
    """A job that starts a program of its own, which ignores a polite end."""
    with subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]):
        pass


def stubborn() -> None:
    """A service that does not listen to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("I stay", flush=True)
    time.sleep(60)


def counting(home: Path) -> None:
    """A task that adds a row and says how many there are."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())")
        connection.execute("INSERT INTO starts DEFAULT VALUES")
        print("starts so far:", *(connection.execute("SELECT count(*) FROM starts").fetchone() or ()), flush=True)


def web(config: str, port: int) -> tuple[str, ...]:
    words = ("--config", config, "--chdir", str(HERE), "--bind", f"{HOST}:{port}", "--graceful-timeout", "1")
    return (sys.executable, "-m", "gunicorn", *words, "a_small_platform:application")


def part(name: str, home: Path) -> tuple[str, ...]:
    return (sys.executable, __file__, str(home), name)


def plan(home: Path, port: int) -> Plan:
    """Everything `lms serve` has, in small."""
    worker = (
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(HERE)!r}); from rq.cli import main; main()",
        "worker",
        "-q",
        "--url",
    )
    return Plan(
        data=("postgres", "valkey"),
        before=(Process("migrate", part("counting", home)),),
        services=(
            Process("pages", web(PAGES_CONFIG, port), forked=True),
            Process("sockets", web(SOCKETS_CONFIG, port + 1), patience=2.0),
            Process("worker-1", ("/bin/sh", "-c", 'exec "$@" "$REDIS_URL"', "sh", *worker)),
            Process("stubborn", part("stubborn", home), patience=0.3),
        ),
        after=(Process("demo", (sys.executable, "-c", "print('demo made')")),),
        listens=((HOST, port), (HOST, port + 1)),
        preload=("gunicorn.app.wsgiapp",),
        opened=lambda: ["The small platform is open."],
    )


def main() -> None:
    home, what = Path(sys.argv[1]), sys.argv[2]
    if what == "counting":
        counting(home)
    elif what == "stubborn":
        stubborn()
    else:
        journal = Journal(home / "log" / "lectern.log")
        account = account_for(home, lambda sentence: journal.say("lectern", sentence))
        sys.exit(Supervisor(home, os.environ, plan(home, int(what)), journal, account).run())


if __name__ == "__main__":
    main()
