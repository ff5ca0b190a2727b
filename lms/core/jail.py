"""The program that walls itself in, then becomes another: run as a script by `lms.core.sandbox`, standard library only.

Its one argument is JSON: command, scratch, readable, limits, walls, nice. With walls it enters namespaces of its own (no network, no other
processes, a root of nothing but the readable folders, read-only, and the scratch folder). Always: resource limits, an unprivileged user
when it was root, no new privileges, death together with its parent. Exit codes 120 to 122 are its own: walls, limits, command.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
NO_WALLS, NO_LIMITS, NO_COMMAND = 120, 121, 122
UNPRIVILEGED = 64_123  # nobody else's number: `nobody` may be running servers
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """A function of the C library that answers 0; raises OSError."""
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def mount(source: str, target: str, flags: int, kind: str | None = None, data: str | None = None) -> None:
    """mount(2)."""
    call("mount", source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), data and data.encode())


def bind(path: str, root: str, *, writable: bool = False) -> None:
    """Show a file or folder inside the new root at its own path; read-only unless it is the scratch folder."""
    target = root + path
    if os.path.isdir(path):
        os.makedirs(target, mode=0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        with open(target, "ab"):
            pass
    mount(path, target, BIND | REC)
    kept = os.statvfs(target).f_flag & (NOSUID | NODEV | NOEXEC)
    wanted = kept | NOSUID | (NODEV if not path.startswith("/dev/") else 0) | (NOEXEC if writable else RDONLY)
    mount("", target, REMOUNT | BIND | wanted)


def build_root(scratch: str, readable: list[str]) -> None:
    """Leave the old root behind: what remains is the readable paths, four devices and the scratch folder."""
    mount("", "/", REC | PRIVATE)
    root = scratch + "/.root"
    os.makedirs(root, exist_ok=True)
    mount("tmpfs", root, NOSUID | NODEV, "tmpfs", "size=1m,mode=755")
    for path in ("/lib", "/lib64", "/bin"):
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            bind(path, root)
    for path in ("/usr", "/etc/ld.so.cache", *DEVICES, *readable):
        if os.path.exists(path) and not path.startswith("/usr/"):
            bind(path, root)
    bind(scratch, root, writable=True)
    os.chdir(root)
    if libc.syscall(PIVOT_ROOT[os.uname().machine], b".", b".") != 0:
        raise OSError(ctypes.get_errno(), "pivot_root")
    call("umount2", b".", 2)
    mount("", "/", REMOUNT | RDONLY | NOSUID | NODEV)


def enter_walls(scratch: str, readable: list[str]) -> None:
    """Enter namespaces of our own: as root directly, as anybody else (or root without the right) by way of a user namespace."""
    parts = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    uid, gid = os.getuid(), os.getgid()
    if uid != 0 or libc.unshare(parts) != 0:
        call("unshare", parts | NEWUSER)
        inside = uid or UNPRIVILEGED
        for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {uid} 1"), ("gid_map", f"{gid or UNPRIVILEGED} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        resource.setrlimit(resource.RLIMIT_NPROC, (512, 512))  # counted by user namespace, so it counts only ours
    build_root(scratch, readable)


def drop_root(command: list[str]) -> None:
    """Stop being root where we are: become a user who owns nothing; raises OSError when that user cannot reach the command."""
    if os.getuid() != 0:
        return
    os.setgroups([])
    os.setresgid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED)
    os.setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED)
    if not os.access(command[0], os.X_OK):
        raise OSError(f"an unprivileged user cannot reach {command[0]}")


def set_limits(limits: dict[str, int]) -> None:
    """The resource limits of everything from here on."""
    for kind, value in (
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def die_with_parent() -> None:
    """Be killed when the parent is, and never gain a privilege again."""
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def step_back(amount: int) -> None:
    """Let everything somebody waits for run first; we lead a session, which Linux moves back as a whole where it groups by sessions."""
    with contextlib.suppress(OSError):
        os.nice(amount)
        with open("/proc/self/autogroup", "w") as file:
            file.write(str(amount))


def become(order: dict[str, Any]) -> None:
    """Set the limits and turn into the command; does not return."""
    try:
        os.chdir(order["scratch"])
        drop_root(order["command"])
        die_with_parent()
        set_limits(order["limits"])
    except (OSError, ValueError) as error:
        os.write(2, f"jail: limits: {error}".encode())
        os._exit(NO_LIMITS)
    try:
        os.execv(order["command"][0], order["command"])
    except OSError as error:
        os.write(2, f"jail: command: {error}".encode())
        os._exit(NO_COMMAND)


def wait_for(child: int) -> int:
    """The exit code of a child, 128 + signal when one ended it."""
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def main() -> None:
    """Wall in, fork the first process of the new world, which forks the command and waits for it."""
    order = json.loads(sys.argv[1])
    os.umask(0o022)
    if order["nice"]:
        step_back(order["nice"])
    die_with_parent()
    if not order["walls"]:
        become(order)
    try:
        enter_walls(order["scratch"], order["readable"])
    except (OSError, KeyError) as error:
        os.write(2, f"jail: walls: {error}".encode())
        os._exit(NO_WALLS)
    for _ in range(2):  # the first child is process 1 of its world, the second is the command
        child = os.fork()
        if child:
            os._exit(wait_for(child))
        die_with_parent()
    become(order)


if __name__ == "__main__":
    main()
