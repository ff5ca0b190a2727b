"""gunicorn's settings for the page server; the address comes by --bind."""

import os
import sys
from typing import Any

from prometheus_client import multiprocess

workers = 2
worker_class = "gthread"
threads = 8
# Each process listens for itself and the kernel shares the connections out; from one socket, the process that wakes first takes them all.
reuse_port = sys.platform == "linux"
keepalive = 75
timeout = 60
graceful_timeout = 25
# gunicorn 25.1 and later would open a socket in the home folder that can stop or reload the server.
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "warning"
# Whoever this process is by now: gunicorn notes its defaults when it is imported, which may have been as root.
user = os.geteuid()
group = os.getegid()


def child_exit(server: object, worker: Any) -> None:
    """Take the live figures of a worker that has ended out of /metrics."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)
