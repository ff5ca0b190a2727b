"""The virtual environment of ./scripts/run and ./scripts/test, made with nothing but python3: no root, no compiler, no Node.

It runs on the machine's own python3, so it holds to the standard library and to a syntax that an old python3 can read.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST, NEWEST = (3, 11), (3, 14)
# The machine's Python also when we were started by the one in .venv, which may have to be made anew.
PYTHON = getattr(sys, "_base_executable", sys.executable)
# What a Python without pip and ensurepip installs with (Debian ships both apart): a wheel that runs as it is.
PIP = (
    "https://files.pythonhosted.org/packages/07/25/ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337/pip-26.3-py3-none-any.whl",
    "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13",
)

WRAPPER = """#!{python}
import sys
from lms.__main__ import main
sys.exit(main())
"""


class Missing(Exception):
    """Something the machine lacks; the message says what to install."""


def ready(lock_name: str) -> Path:
    """The folder of the environment's programs, with exactly the versions of `lock_name` installed; quick when nothing changed."""
    lock = ROOT / lock_name
    with _Alone():
        if not _works():
            shutil.rmtree(VENV, ignore_errors=True)
            say("Making .venv with Python {}.{}".format(*sys.version_info[:2]))
            make()
        stamp = VENV / "lib" / (lock_name + ".installed")
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text() != digest:
            say("Installing " + lock_name)
            install(lock)
            _make_importable()
            stamp.write_text(digest)
    return VENV / "bin"


def right_python() -> None:
    """Go on under a Python that Lectern supports: this one, or a newer one of the machine; leaves with a sentence when there is none."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])
    sys.exit("Lectern needs Python 3.{} to 3.{}; this is {}.{}.".format(OLDEST[1], NEWEST[1], *sys.version_info[:2]))


def make() -> None:
    """An empty environment: by uv, by venv with pip, by venv and a pip from elsewhere, or after installing python3-venv as root."""
    if shutil.which("uv"):
        return run("uv", "venv", "--quiet", "--python", PYTHON, str(VENV), UV_PYTHON_DOWNLOADS="never")
    if _has("ensurepip"):
        return run(PYTHON, "-m", "venv", str(VENV))
    run(PYTHON, "-m", "venv", "--without-pip", str(VENV))
    if not _has("pip") and not fetch_pip():
        shutil.rmtree(str(VENV), ignore_errors=True)
        package("python3-venv", "Python's venv module")
        run(PYTHON, "-m", "venv", str(VENV))
    return None


def install(lock: Path) -> None:
    """Install a lock file; every archive is checked against its hash."""
    python = str(VENV / "bin" / "python")
    if shutil.which("uv"):
        return run("uv", "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(lock))
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    # Without pip in the environment, the one that was fetched or the machine's installs into it.
    if (VENV / "bin" / "pip").exists():
        pip = [python, "-m", "pip"]
    elif _wheel().exists():
        pip = [python, str(_wheel() / "pip")]
    else:
        pip = [PYTHON, "-m", "pip", "--python", python]
    return run(*pip, "install", *quiet, "--require-hashes", "-r", str(lock), PIP_ROOT_USER_ACTION="ignore")


def fetch_pip() -> bool:
    """Whether pip's own wheel could be had, with the hash that is expected."""
    say("Fetching pip")
    try:
        with urllib.request.urlopen(PIP[0], timeout=60) as answer:
            data = answer.read()
    except OSError as error:
        say("It could not be fetched: " + str(error))
        return False
    if hashlib.sha256(data).hexdigest() != PIP[1]:
        say("What came is not pip " + _wheel().name.split("-")[1] + ".")
        return False
    _wheel().write_bytes(data)
    return True


def _wheel() -> Path:
    """Where the fetched pip lies."""
    return VENV / "lib" / PIP[0].rpartition("/")[2]


def package(name: str, purpose: str) -> None:
    """Install a Debian package as root; otherwise say which one is missing."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise Missing(purpose + " is missing. Install it (Debian, Ubuntu: sudo apt install " + name + ") and start again.")
    say("Installing the package " + name)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    if subprocess.call([*apt, "install", "-y", "--no-install-recommends", name], env={**os.environ, **quiet}, stdin=subprocess.DEVNULL):
        run(*apt, "update", **quiet)
        run(*apt, "install", "-y", "--no-install-recommends", name, **quiet)


def run(*argv: str, **env: str) -> None:
    """Run a program to its end; one that fails ends us with its exit code."""
    code = subprocess.call(argv, cwd=str(ROOT), env={**os.environ, **env}, stdin=subprocess.DEVNULL)
    if code != 0:
        raise Missing("`" + " ".join(argv) + "` failed with exit code " + str(code) + ".")


def say(text: str) -> None:
    """Tell the person what happens now."""
    print("== " + text, flush=True)


def _works() -> bool:
    """Whether the environment runs and its Python is one we support (a moved folder or an upgraded Python breaks it)."""
    python = VENV / "bin" / "python"
    check = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST} or sys.prefix != {str(VENV)!r})"
    return python.exists() and (VENV / "lib").is_dir() and subprocess.call([str(python), "-c", check], stderr=subprocess.DEVNULL) == 0


def _has(module: str) -> bool:
    """Whether this Python really has the module (Debian ships ensurepip and pip apart)."""
    return subprocess.call([PYTHON, "-c", "import " + module], stderr=subprocess.DEVNULL) == 0


def _make_importable() -> None:
    """`import lms` works from any folder, and `.venv/bin/lms` is the command."""
    for packages in VENV.glob("lib/python3.*/site-packages"):
        (packages / "lectern.pth").write_text(str(ROOT) + "\n")
    wrapper = VENV / "bin" / "lms"
    wrapper.write_text(WRAPPER.format(python=VENV / "bin" / "python"))
    wrapper.chmod(0o755)


class _Alone:
    """While it is open, no other script makes or fills the environment."""

    def __enter__(self) -> None:
        self.handle = os.open(str(ROOT), os.O_RDONLY)
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)
