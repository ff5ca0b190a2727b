"""gunicorn's settings for the socket server: one gevent process; the address comes by --bind."""

import sys

workers = 1
worker_class = "gevent"  # patches the standard library in the worker, before the application and psycopg are imported
worker_connections = 4000
keepalive = 75
timeout = 60
graceful_timeout = 25
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "warning"


def post_worker_init(worker: object) -> None:
    """Refuse to serve when psycopg would wait in C, where one query stops every socket."""
    waiting = sys.modules.get("psycopg.waiting")
    if waiting is not None and waiting.wait is not waiting.wait_poll:
        raise RuntimeError(f"psycopg was imported before gevent patched the standard library: it waits by {waiting.wait.__name__}")
