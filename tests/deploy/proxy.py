"""A real nginx with the settings `lms nginx` renders, before whatever answers at an address."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lms.streaming.commands import render_nginx
from lms.streaming.gateways import rtmp_door
from lms.web import passes

NGINX = shutil.which("nginx")
MODULES = Path("/etc/nginx/modules-enabled")
HAS_RTMP = NGINX is not None and any(MODULES.glob("*rtmp*"))


def free_port() -> int:
    """A port nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def settings(home: Path, pages: str, listen: int, rtmp: int = 0) -> str:
    """The settings of an install in this folder."""
    words = {
        "MODULES": f"include {MODULES}/*.conf;" if rtmp else "",
        "LISTEN": f"127.0.0.1:{listen}",
        "PAGES": pages,
        "SOCKETS": pages,
        "HOME": str(home),
        "RUN": str(home / "nginx"),
        "SECRET": passes.secret(),
        "DOOR": rtmp_door(),
        "RTMP_LISTEN": f"127.0.0.1:{rtmp}",
    }
    return render_nginx(words, with_rtmp=bool(rtmp))


@contextmanager
def nginx(home: Path, pages: str, rtmp: int = 0, more: str = "") -> Iterator[str]:
    """nginx on a free port, with `more` places; its address. It stops when the block ends."""
    assert NGINX is not None
    listen, run = free_port(), home / "nginx"
    run.mkdir(parents=True)
    (run / "nginx.conf").write_text(settings(home, pages, listen, rtmp).replace("location / {", f"{more} location / {{", 1))
    whoever = ["-g", "user root;"] if os.getuid() == 0 else []  # the folders of tests are their owner's
    process = subprocess.Popen([NGINX, "-e", "stderr", "-c", str(run / "nginx.conf"), *whoever])
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            assert process.poll() is None, "nginx did not start"
            try:
                socket.create_connection(("127.0.0.1", listen), timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
        yield f"http://127.0.0.1:{listen}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def is_whole(text: str) -> bool:
    """Whether settings are shaped as nginx reads them: every block closed, every line a directive, no word left to fill in."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE))
    depth = 0
    for line in filter(None, map(str.strip, plain.splitlines())):
        if not line.endswith(("{", "}", ";")):
            return False
        depth += line.count("{") - line.count("}")
        if depth < 0:
            return False
    return depth == 0 and "@HOME@" not in text and not re.search(r"@[A-Z_]+@", text)
