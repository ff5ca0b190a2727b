"""The scripts of the two commands, run for real in a folder of their own with a small locked package."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = getattr(sys, "_base_executable", sys.executable)
uv = shutil.which("uv")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the scripts, a lock that names one small wheel, and an `lms` that says hello."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    (folder / "lms").mkdir()
    (folder / "lms" / "__init__.py").touch()
    (folder / "lms" / "__main__.py").write_text("import small\ndef main(): print('lms says', small.VALUE)\n")
    lock(folder, "1")
    return folder


def lock(folder: Path, value: str, digest: str = "") -> None:
    wheel = folder / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("small.py", f"VALUE = {value}\n")
        archive.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        archive.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("small-1.0.dist-info/RECORD", "")
    digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "small.lock").write_text(f"small @ {wheel.as_uri()} --hash=sha256:{digest}\n")


def ready(folder: Path, *, path: str, before: str = "") -> subprocess.CompletedProcess[str]:
    code = f"""
import sys; sys.path.insert(0, "scripts"); import _venv
{before}
try: print(_venv.ready("small.lock"))
except _venv.Missing as missing: sys.exit(str(missing))
"""
    environment = {**os.environ, "PATH": path}
    return subprocess.run([PYTHON, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def bare_path(tmp_path: Path) -> str:
    """A PATH without any program."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    return str(folder)


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_ready__installs_once_and_again_only_when_the_lock_changed(clone: Path, tmp_path: Path, tool: str) -> None:
    if tool == "uv" and not uv:
        pytest.skip("uv is not installed")
    path = f"{Path(uv).parent}:/usr/bin:/bin" if tool == "uv" and uv else bare_path(tmp_path)
    first = ready(clone, path=path)
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout
    assert "Installing small.lock" in first.stdout
    assert ready(clone, path=path).stdout == f"{clone}/.venv/bin\n"
    wrapper = clone / ".venv" / "bin" / "lms"
    assert subprocess.run([wrapper], cwd="/", capture_output=True, text=True, check=True).stdout == "lms says 1\n"

    shutil.rmtree(clone / ".venv" / "lib")  # a broken environment is made anew
    lock(clone, "2", digest="0" * 64)
    wrong = ready(clone, path=path)
    assert "Making .venv" in wrong.stdout
    assert wrong.returncode == 1
    assert "failed with exit code" in wrong.stderr

    lock(clone, "2")
    right = ready(clone, path=path)
    assert "Making .venv" not in right.stdout
    assert subprocess.run([wrapper], capture_output=True, text=True, check=True).stdout == "lms says 2\n"


def test_ready__without_venv_and_pip_names_the_package(clone: Path, tmp_path: Path) -> None:
    nothing = "_venv._has = lambda module: False"
    answer = ready(clone, path=bare_path(tmp_path), before=f"{nothing}; _venv.PIP = ('file:///nowhere/pip-1-py3-none-any.whl', '')")
    assert answer.returncode == 1
    assert "could not be fetched" in answer.stdout
    assert "python3-venv" in answer.stderr
    assert "Install it" in answer.stderr


def a_pip(tmp_path: Path) -> Path:
    """A wheel of pip: the one Python brings along, or the one that installed this environment where Debian ships it apart."""
    bundled = importlib.util.find_spec("ensurepip")
    if bundled is not None and bundled.origin:
        return next((Path(bundled.origin).parent / "_bundled").glob("pip-*.whl"))
    return next((ROOT / ".venv" / "lib").glob("pip-*.whl"))


def test_ready__without_venv_and_pip_fetches_the_pip_it_expects(clone: Path, tmp_path: Path) -> None:
    wheel = a_pip(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    before = "_venv._has = lambda module: False; _venv.PIP = ({!r}, {!r})"
    other = ready(clone, path=bare_path(tmp_path), before=before.format(wheel.as_uri(), "0" * 64))
    assert other.returncode == 1 and "What came is not pip" in other.stdout
    assert ready(clone, path=bare_path(tmp_path), before=before.format(wheel.as_uri(), digest)).returncode == 0
    assert subprocess.run([clone / ".venv/bin/lms"], capture_output=True, text=True, check=True).stdout == "lms says 1\n"


def test_right_python__says_which_versions_work(clone: Path, tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'scripts'); sys.version_info = (3, 9, 0); import _venv; _venv.right_python()"
    answer = subprocess.run([PYTHON, "-c", code], cwd=clone, env={"PATH": bare_path(tmp_path)}, capture_output=True, text=True, check=False)
    assert answer.stderr == "Lectern needs Python 3.11 to 3.14; this is 3.9.\n"


def checks(clone: Path, failing: str) -> subprocess.CompletedProcess[str]:
    """All checks in a clone whose tools do nothing, but for one that fails."""
    programs = clone / "programs"
    programs.mkdir()
    for name in ("ruff", "mypy", "lint-imports", "deptry", "djlint"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $@"\ncase "{name} $*" in "{failing}"*) exit 7;; esac\n')
        (programs / name).chmod(0o755)
    (clone / "templates").mkdir()
    (clone / "pyproject.toml").write_text("[tool.importlinter]\n[tool.deptry]\n")
    code = "import sys; sys.path.insert(0, 'scripts'); import pathlib, _checks; sys.exit(_checks.all_of_them(pathlib.Path(sys.argv[1])))"
    return subprocess.run([PYTHON, "-c", code, str(programs)], cwd=clone, capture_output=True, text=True, check=False)


def test_checks__all_run_and_each_says_its_own(clone: Path) -> None:
    answer = checks(clone, "nothing")
    assert answer.returncode == 0
    said = answer.stdout.splitlines()
    assert sorted(zip(said[::2], said[1::2], strict=True)) == [
        ("== dependencies", "deptry ."),
        ("== import contracts", "lint-imports "),
        ("== mypy", "mypy "),
        ("== ruff check", "ruff check ."),
        ("== ruff format", "ruff format --check ."),
        ("== templates: lint", "djlint templates --lint --quiet"),
    ]


def test_checks__end_at_the_first_failure_with_its_exit_code(clone: Path) -> None:
    answer = checks(clone, "mypy")
    assert answer.returncode == 7
    assert answer.stdout.splitlines()[-1].startswith("== mypy failed with exit code 7 after ")


def test_ci_run__is_the_test_script_without_input_and_with_its_exit_code(clone: Path) -> None:
    (clone / "scripts" / "test").write_text("#!/bin/sh\ncat\necho CI=$CI in $PWD\necho '3 passed'\nexit 5\n")
    answer = subprocess.run([clone / ".ci" / "run"], cwd="/", input="typed\n", capture_output=True, text=True, check=False)
    assert answer.returncode == 5
    assert answer.stdout == f"CI=true in {clone}\n3 passed\n"


def test_test__ends_with_pytests_own_line_and_exit_code(clone: Path) -> None:
    """The real script over a clone whose environment is this one: arguments go to pytest, and nothing is printed after it."""
    (clone / "test_small.py").write_text("def test_one(): pass\ndef test_two(): assert False\n")
    code = (
        "import sys, runpy; sys.path.insert(0, 'scripts'); import pathlib, _venv, _browser;"
        f"_venv.ready = lambda lock: pathlib.Path({str(Path(sys.executable).parent)!r}); _browser.ready = lambda programs: {{}};"
        "sys.argv = ['test', 'test_small.py', '-p', 'no:cacheprovider']; runpy.run_path('scripts/test', run_name='__main__')"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    answer = subprocess.run([PYTHON, "-c", code], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "1 failed, 1 passed" in answer.stdout.rstrip().splitlines()[-1]


def test_locks__agree_and_name_no_index() -> None:
    run, dev = ((ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock"))
    pins = {line.split(" ")[0] for line in run.splitlines() if "==" in line}
    assert pins <= {line.split(" ")[0] for line in dev.splitlines() if "==" in line}
    assert "://" not in run + dev


@pytest.mark.parametrize("script", ["run", "test", "check"])
def test_scripts__can_be_run_and_say_what_they_do(script: str) -> None:
    path = ROOT / "scripts" / script
    assert os.access(path, os.X_OK)
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env python3\n")
    compile(text, str(path), "exec")
    assert text.splitlines()[1].startswith('"""')
