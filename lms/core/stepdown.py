"""Started as root, the platform runs as an ordinary account: its home is handed over, and root is given up for good.

Code that this account cannot read (a checkout or a Python below /root) keeps the platform at root, and a sentence says so.
"""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from lms.config import ROOT, environment
from lms.core.children import Account, allow_dump
from lms.core.places import can_reach, succeeds_as, unprivileged_account

# What an install keeps in its home; a folder with anything else in it belongs to somebody, and is not handed over.
KEPT = {
    "log",
    "storage",
    "scratch",
    "metrics",
    "run",
    "postgres",
    "valkey",
    "servers",
    "secret_key",
    "servers.json",
    "demo.json",
    "data_location",
}
PARTS = ("lms", "templates", "static", "migrations")
ENDINGS = ("_password", ".lock")
# Reads everything that the platform reads while it runs.
LOOK = """
import os, sys
import psycopg, flask
for top in sys.argv[1:]:
    for folder, _, names in os.walk(top, onerror=lambda problem: sys.exit(1)):
        for name in names:
            os.access(os.path.join(folder, name), os.R_OK) or sys.exit(1)
"""


def account_for(home: Path, say: Callable[[str], None]) -> Account | None:
    """The account the platform goes on as; None when this is not root, or when it has to stay root, which `say` is told with the reason."""
    if os.getuid() != 0:
        return None
    account = unprivileged_account()
    reason = _obstacle(home.resolve(), account)
    if reason:
        say(f"{reason}, so everything but the database runs as root. {_ADVICE}")
        return None
    return account


_ADVICE = "Better: start it as a user of its own, or from a folder that everybody may read."


def _obstacle(home: Path, account: Account) -> str:
    if not succeeds_as(account, [sys.executable, "-c", LOOK, *(str(ROOT / part) for part in PARTS)], environment()):
        return f"The user {account.name} cannot read {ROOT} or run {sys.executable}"
    home.mkdir(parents=True, exist_ok=True)
    if not can_reach(account, home):
        return f"The user {account.name} cannot reach {home}"
    strange = sorted(
        path.name for path in home.iterdir() if path.name not in KEPT and not path.name.endswith(ENDINGS) and path.name[0] != "."
    )
    return f"{home} holds other things ({strange[0]})" if strange else ""


def hand_over(home: Path, account: Account) -> None:
    """Give the account everything in the home but the data servers' own folders.

    Plain files and folders only: nothing behind a link, and no file that has a second name elsewhere.
    """
    for folder, folders, files, handle in os.fwalk(home, follow_symlinks=False):
        if Path(folder) == home:
            folders[:] = [name for name in folders if name not in ("postgres", "valkey", "servers")]
        for name in (*folders, *files):
            found = os.stat(name, dir_fd=handle, follow_symlinks=False)
            plain = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
            if found.st_uid != account.uid and plain:
                os.chown(name, account.uid, account.gid, dir_fd=handle, follow_symlinks=False)
    os.chown(home, account.uid, account.gid)


def step_down(account: Account) -> dict[str, str]:
    """Be the account from here on, without a way back; the variables that its programs see."""
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    allow_dump()
    return {"USER": account.name, "LOGNAME": account.name}


def lowest_port() -> int:
    """The first port that anybody may listen on; the system may say another than 1024 (ip(7))."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except OSError:
        return 1024
