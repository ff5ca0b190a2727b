"""gunicorn's settings for the socket server: one gevent process; the address comes by --bind."""

import os
import sys
from typing import Any

from prometheus_client import multiprocess

workers = 1
worker_class = "gevent"  # patches the standard library in the worker, before the application and psycopg are imported
worker_connections = 10_000
keepalive = 75
timeout = 60
graceful_timeout = 25
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "warning"
# Whoever this process is by now: gunicorn notes its defaults when it is imported, which may have been as root.
user = os.geteuid()
group = os.getegid()


def post_worker_init(worker: object) -> None:
    """Refuse to serve when psycopg would wait in C, where one query stops every socket."""
    waiting = sys.modules.get("psycopg.waiting")
    if waiting is not None and waiting.wait is not waiting.wait_poll:
        raise RuntimeError(f"psycopg was imported before gevent patched the standard library: it waits by {waiting.wait.__name__}")


def child_exit(server: object, worker: Any) -> None:
    """Take the live figures of a worker that has ended out of /metrics."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)
