"""Door 1 without a module: home, the channel's stylesheet, health, metrics."""

from flask import Blueprint, Response, current_app, redirect, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest, multiprocess
from prometheus_client import REGISTRY as registry
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from lms.channels import queries as channel_queries
from lms.config import Config
from lms.core import db
from lms.core.decisions import anyone
from lms.core.redis import redis
from lms.pages import queries
from lms.web.access import actor, allow
from lms.web.theme import Theme, stylesheet

bp = Blueprint("pages", __name__)


@bp.route("/")
def index() -> ResponseReturnValue:
    """The channel's front door: staff go to the back office, everyone else to what there is to learn."""
    allow(anyone())
    if actor().is_staff:
        return redirect("/admin/", 302)
    return redirect("/enrollments/" if actor().is_known else "/courses/", 302)


@bp.route("/theme/<int:version>.css")
def theme_show(version: int) -> ResponseReturnValue:
    """The channel's own colours; the version in the address changes with them, so it may be kept for ever."""
    allow(anyone())
    channel = None if version == 0 else channel_queries.this_channel()
    response = Response(stylesheet(Theme(**channel.theme) if channel else Theme()), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if channel and channel.version == version else "no-cache"
    return response


@bp.route("/healthz")
def healthz() -> ResponseReturnValue:
    """This process answers."""
    allow(anyone())
    return Response("ok\n", mimetype="text/plain")


@bp.route("/readyz")
def readyz() -> ResponseReturnValue:
    """Database, schema and Redis are as this version needs them; 503 with the reason otherwise."""
    allow(anyone())
    try:
        with db.unit_of_work(platform=True, read_only=True):
            migrated = queries.is_migrated()
        redis().ping()
    except DBAPIError:
        return Response("database does not answer\n", 503, mimetype="text/plain")
    except RedisError:
        return Response("redis does not answer\n", 503, mimetype="text/plain")
    if not migrated:
        return Response("the database waits for: lms migrate\n", 503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


@bp.route("/metrics")
def metrics() -> ResponseReturnValue:
    """The figures of this install in the Prometheus text format; to this machine and its own networks only."""
    allow(anyone())
    config: Config = current_app.config["LMS"]
    if not _is_near(request.remote_addr or "") and not config.trusted_proxies:
        return Response("", 404)
    waiting = CollectorRegistry()
    depth = Gauge("lectern_queue_depth", "Rows that wait", ["queue"], registry=waiting)
    age = Gauge("lectern_queue_age_seconds", "Age of the oldest row that waits", ["queue"], registry=waiting)
    with db.unit_of_work(platform=True, read_only=True):
        for name, count, seconds in queries.queue_figures():
            depth.labels(name).set(count)
            age.labels(name).set(seconds)
    return Response(generate_latest(_collected()) + generate_latest(waiting), mimetype=CONTENT_TYPE_LATEST)


def _collected() -> CollectorRegistry:
    """What every process of this server counted, when they share a folder; else this process's own."""
    config: Config = current_app.config["LMS"]
    folder = config.metrics_dir
    if folder is None:
        return registry
    made = CollectorRegistry()
    multiprocess.MultiProcessCollector(made, path=str(folder))
    return made


def _is_near(address: str) -> bool:
    return address.startswith(("127.", "10.", "192.168.")) or address in ("::1", "localhost")
