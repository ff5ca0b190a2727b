"""Starting and ending programs, and the watchdog that ends them when we cannot: all with real processes."""

import gc
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lms.core import children, watchdog
from lms.core.children import Account, end_sessions, session_members, spawn, stop
from lms.core.forks import Fork, preload

CHATTY = """
import os, sys, time
print(*sys.argv, os.environ["COLOUR"], len(os.environ), os.getsid(0) == os.getpid(), len(os.listdir("/proc/self/fd")) <= 4)
sys.stderr.write(open("/proc/self/comm").read())
sys.exit({"text": "a sentence", "number": 7, "nothing": None}.get(sys.argv[1]) if sys.argv[1] != "error" else 1 / 0)
"""
DEAF = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
FAMILY = DEAF + "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('ready', flush=True); time.sleep(60)"


def family() -> subprocess.Popen[bytes]:
    """A program that does not listen to SIGTERM, and its child."""
    process = spawn([sys.executable, "-c", FAMILY], env=os.environ, cwd=Path("/"), output=subprocess.PIPE, on_death=signal.SIGKILL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_stop__ends_the_deaf_and_their_children() -> None:
    process = family()
    assert len(session_members({process.pid})) == 2
    stop(process, signal.SIGTERM, patience=0.2)
    assert process.returncode == -signal.SIGKILL
    assert session_members({process.pid}) == []
    stop(process, signal.SIGTERM, patience=0.2)


def test_stop__is_polite_first() -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = spawn(sleeper, env={}, cwd=Path("/"), output=subprocess.DEVNULL, on_death=signal.SIGKILL)
    stop(process, signal.SIGTERM, patience=5)
    assert process.returncode == -signal.SIGTERM


def test_spawn__keeps_errors_and_words_in_one_stream() -> None:
    code = "import os; os.write(2, b'error '); os.write(1, b'word')"
    process = spawn([sys.executable, "-c", code], env={}, cwd=Path("/"), output=subprocess.PIPE, on_death=signal.SIGKILL)
    assert process.communicate()[0] == b"error word"


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes user")
def test_spawn__runs_as_another_user_without_our_groups() -> None:
    process = spawn(
        ["/usr/bin/id"], env={}, cwd=Path("/"), output=subprocess.PIPE, on_death=signal.SIGKILL, account=Account.named("nobody")
    )
    said = process.communicate()[0].decode()
    assert "(nobody)" in said.split()[0]
    assert "root" not in said


def test_end_sessions__and_signals_to_the_gone_change_nothing() -> None:
    process = family()
    end_sessions({process.pid})
    process.wait()
    children.signal_process(process.pid, signal.SIGTERM)
    end_sessions({process.pid})


def test_watchdog__ends_what_it_still_watches_when_its_owner_lets_go() -> None:
    kept, forgotten = family(), family()
    with watchdog.Watchdog({**os.environ, "PYTHONPATH": str(watchdog.ROOT)}) as dog:
        for process in (kept, forgotten):
            dog.watch(process.pid, signal.SIGTERM, 0.2)
        dog.forget(forgotten.pid)
    assert kept.wait(60) == -signal.SIGKILL
    assert session_members({kept.pid}) == []
    assert forgotten.poll() is None
    stop(forgotten, patience=1)


def test_main__reads_its_list_to_the_end_and_is_deaf_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    process = family()
    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr("sys.stdin", io.StringIO(f"+ {process.pid} 15 0.1\n+ 999999999 15 1\n- 999999999\n"))
    began = time.monotonic()
    try:
        watchdog.main()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
    assert time.monotonic() - began < 60
    assert process.wait(60) == -signal.SIGKILL


def fork(folder: Path, *words: str) -> Fork:
    (folder / "chatty.py").write_text(CHATTY)
    argv = (sys.executable, "-m", "chatty", *words)
    return Fork("chatty", argv, env={"COLOUR": "green"}, cwd=folder, on_death=signal.SIGTERM)


@pytest.mark.parametrize(
    ("word", "code", "last"),
    [
        ("nothing", 0, "lms chatty"),
        ("number", 7, "lms chatty"),
        ("text", 1, "a sentence"),
        ("error", 1, "ZeroDivisionError: division by zero"),
    ],
)
def test_fork__is_the_program_with_its_own_words_environment_session_and_exit_code(tmp_path: Path, word: str, code: int, last: str) -> None:
    made = fork(tmp_path, word)
    assert made.stdout is not None
    with made.stdout as stream:
        said = b"".join(iter(lambda: stream.read(4096), b"")).decode().splitlines()
    assert said[0].endswith(f"chatty.py {word} green 1 True True")
    assert said[-1] == last
    assert made.wait(60) == code
    assert made.poll() == code


def test_fork__is_signalled_waited_for_and_killed(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(60)")
    argv = (sys.executable, "-m", "sleeper")
    made = Fork("sleeper", argv, env={}, cwd=tmp_path, on_death=signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        made.wait(0.1)
    made.kill()
    assert made.wait(60) == -signal.SIGKILL
    made.send_signal(signal.SIGTERM)
    assert made.stdout is not None
    made.stdout.close()


def test_preload__imports_what_forks_share() -> None:
    preload(("colorsys",))
    gc.unfreeze()
    assert "colorsys" in sys.modules
