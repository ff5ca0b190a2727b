"""What the platform counts: requests, queries, jobs, sockets; read at /metrics in the Prometheus text format."""

from contextvars import ContextVar
from typing import Any

from flask import Flask, Response, request
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import event
from sqlalchemy.engine import Engine

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)
requests = Histogram("lectern_request_seconds", "Time to answer", ["endpoint", "method", "status"], buckets=BUCKETS)
queries = Histogram("lectern_request_queries", "Queries of one request", ["endpoint"], buckets=(1, 2, 4, 8, 12, 20, 50))
refusals = Counter("lectern_refusals_total", "Requests a rule refused", ["code"])
sockets = Gauge("lectern_sockets", "Open sockets", multiprocess_mode="livesum")


def count_request(endpoint: str | None, method: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    requests.labels(endpoint or "none", method, str(status)).observe(seconds)


def install(app: Flask) -> None:
    """Count the queries of every request of the app."""
    app.after_request(_note_queries)


_counted: ContextVar[list[int] | None] = ContextVar("counted", default=None)


def begin_counting() -> None:
    """Count the queries from here on as those of a new request."""
    _counted.set([0])


@event.listens_for(Engine, "before_cursor_execute")
def _count_query(*_: Any) -> None:
    counted = _counted.get()
    if counted is not None:
        counted[0] += 1


def _note_queries(response: Response) -> Response:
    counted = _counted.get()
    queries.labels(request.endpoint or "none").observe(counted[0] if counted else 0)
    return response
