"""What the platform counts: requests, queries, jobs, sockets; read at /metrics in the Prometheus text format."""

from typing import Any

from flask import Flask, Response, g, has_request_context, request
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


@event.listens_for(Engine, "before_cursor_execute")
def _count_query(*_: Any) -> None:
    if has_request_context():
        g.query_count = g.get("query_count", 0) + 1


def _note_queries(response: Response) -> Response:
    queries.labels(request.endpoint or "none").observe(g.get("query_count", 0))
    return response
