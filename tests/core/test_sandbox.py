"""The sandbox: what runs inside reaches nothing, uses no more than it may, and leaves nobody behind."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from lms.core import sandbox
from lms.core.sandbox import MIB, Limits, Outcome, Stopped

LIMITS = Limits(wall_seconds=10, cpu_seconds=5, memory_bytes=512 * MIB, file_bytes=4 * MIB, disk_bytes=16 * MIB)
WALLS = pytest.mark.parametrize("walls", [True, False])


@pytest.fixture
def folder(tmp_path: Path):  # type: ignore[no-untyped-def]  # a context manager's value
    sandbox.use_scratch(tmp_path / "scratch")
    with sandbox.scratch() as made:
        yield made
    assert list((tmp_path / "scratch").iterdir()) == []


def python(folder: Path, code: str, limits: Limits = LIMITS, *, walls: bool | None = None) -> Outcome:
    """Run it walled in, or without walls; as this machine can when neither is asked."""
    held = sandbox.sandbox_report().walls
    walls = held if walls is None else walls
    if walls and not held:
        pytest.skip("this kernel builds no walls")
    command = [sys.executable, "-I", "-S", "-c", code]
    outcome = sandbox._run(command, folder, limits, sandbox.python_paths(), None, walls=walls)
    if outcome.code == 121 and not walls:
        pytest.skip("an unprivileged user cannot reach this interpreter, and nothing is run as root")
    return outcome


def test_sandbox_report__says_what_holds_here() -> None:
    report = sandbox.sandbox_report()
    assert report.limits and report.sentence.startswith("Media runs")
    if report.walls:
        assert report.no_network and report.no_files


def test_run__sees_only_the_scratch_folder(folder: Path, tmp_path: Path) -> None:
    if not sandbox.sandbox_report().walls:
        pytest.skip("this kernel builds no walls")
    (tmp_path / "secret").write_text("secret")
    (folder / "input").write_text("ours")
    sandbox.give(folder / "input")
    outcome = python(
        folder,
        f"import os; print(sorted(os.listdir('/')), os.path.exists({str(tmp_path / 'secret')!r}), os.path.exists('/etc/passwd'),"
        " open('input').read(), os.path.exists('/proc/1'))",
    )
    assert "'etc'" in outcome.out and "proc" not in outcome.out.split("]")[0]
    assert outcome.out.split("] ")[1] == "False False ours False\n"


def test_run__reaches_no_address_inside_or_outside(folder: Path) -> None:
    """Ten destinations, metadata of clouds, databases and name servers among them: there is no network in there at all."""
    if not sandbox.sandbox_report().walls:
        pytest.skip("this kernel builds no walls")
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("::1", 0), family=socket.AF_INET6) as sixth:
        places = [ours.getsockname()[:2], sixth.getsockname()[:2], ("127.0.0.1", 5432), ("127.0.0.1", 6379), ("169.254.169.254", 80)]
        places += [("10.0.0.1", 80), ("172.17.0.1", 2375), ("192.168.0.1", 53), ("1.1.1.1", 443), ("fd00:ec2::254", 80)]
        code = f"""import socket
for place in {places!r}:
    try:
        socket.create_connection(place, 1); print('reached', place)
    except OSError as error: print('no')"""
        outcome = python(folder, code)
    assert (outcome.code, outcome.out) == (0, "no\n" * 10)


@WALLS
def test_run__cannot_write_elsewhere_or_become_root(folder: Path, walls: bool) -> None:
    outcome = python(
        folder,
        "import os\nfor act in (lambda: open('/usr/x', 'w'), lambda: os.setuid(0) or os.getuid() or 1 / 0):\n"
        " try:\n  act(); print('did')\n except (OSError, ZeroDivisionError) as e: print('refused')\nopen('mine', 'w').write('x')",
        walls=walls,
    )
    assert (outcome.code, outcome.out) == (0, "refused\nrefused\n") and (folder / "mine").exists()


@WALLS
def test_run__kills_at_the_wall_clock_with_all_children(folder: Path, walls: bool) -> None:
    limits = Limits(wall_seconds=1, cpu_seconds=5)
    python(folder, "pass", walls=walls)
    began = time.monotonic()
    with pytest.raises(Stopped, match="wall"):
        python(folder, "import os, time\nos.fork(); os.fork(); open(str(os.getpid()), 'w')\nwhile True: time.sleep(9)", limits, walls=walls)
    assert time.monotonic() - began < 60
    while any("time.sleep(9)" in command for command in running()):
        assert time.monotonic() - began < 90


def running() -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(place.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [command for command in found if "jail.py" in command or "-I -S -c" in command]


@WALLS
def test_run__holds_memory_cpu_and_file_size(folder: Path, walls: bool) -> None:
    assert "MemoryError" in python(folder, "bytearray(700 << 20)", walls=walls).err
    assert python(folder, "while True: pass", Limits(wall_seconds=20, cpu_seconds=1), walls=walls).code in (128 + 9, 128 + 24, -9, -24)
    code = "f = open('big', 'wb')\nfor _ in range(8): f.write(bytes(1 << 20)); f.flush()"
    assert python(folder, code, walls=walls).code != 0
    assert (folder / "big").stat().st_size <= 4 * MIB


def test_run__stops_what_fills_the_disk_or_floods_us(folder: Path) -> None:
    fill = "import time\nfor i in range(99):\n open(str(i), 'wb').write(bytes(3 << 20)); time.sleep(0.02)\ntime.sleep(60)"
    with pytest.raises(Stopped, match="disk"):
        python(folder, fill)
    for path in folder.glob("[0-9]*"):
        path.unlink()
    with pytest.raises(Stopped, match="output"):
        python(folder, "import os\nwhile True: os.write(1, bytes(65536))")


@WALLS
def test_run__lets_everybody_else_go_first(folder: Path, walls: bool) -> None:
    code = "import os; print(os.getpriority(os.PRIO_PROCESS, 0)); os.path.exists('/proc/self/autogroup') and print(open('/proc/self/autogroup').read())"
    said = python(folder, code, walls=walls).out
    assert int(said.split()[0]) >= 10 and ("autogroup" not in said or said.split()[-1] == "10")


def test_run__stops_when_the_listener_raises(folder: Path) -> None:
    def listen(line: str) -> None:
        raise KeyError(line)

    with pytest.raises(KeyError, match="one"):
        sandbox.run(
            [sys.executable, "-I", "-S", "-c", "import time; print('one', flush=True); time.sleep(60)"],
            folder,
            LIMITS,
            readable=sandbox.python_paths(),
            on_line=listen,
        )


def test_run__says_when_there_is_no_such_program(folder: Path) -> None:
    assert sandbox.run(["/nowhere/ffmpeg"], folder, LIMITS).code in (121, 122)


def test_sweep_scratch__takes_what_a_killed_worker_left(tmp_path: Path) -> None:
    sandbox.use_scratch(tmp_path)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "old", (1, 1))
    assert sandbox.sweep_scratch() == 1 and [path.name for path in tmp_path.iterdir()] == ["new"]
