"""create_app(): the only file that knows every module. It finds each module's doors by the house's file names."""

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import click
from flask import Flask
from htmx_flask import Htmx
from jinja2 import FileSystemBytecodeCache, StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from lms.channels import forms as channel_forms
from lms.channels import operations as channel_operations
from lms.channels import queries as channel_queries
from lms.config import ROOT, Config
from lms.content import gateways as media
from lms.core import db, jobs, logs, mail, outbound, plans, sandbox, signing, storage, tenancy, workers
from lms.core.commands import connects_by
from lms.core.i18n import translations_in
from lms.core.redis import use_redis
from lms.core.serving import called
from lms.streaming import gateways as live
from lms.web import access, assets, context, csrf, cycle, errors, headers, i18n, idempotency, metrics, newcomers, remembered, words
from lms.web.application import Application
from lms.web.face import faces
from lms.web.sessions import RedisSessions

MODULES = (
    "auth", "channels", "content", "courses", "wallet", "vouchers", "payments", "enrollments", "streaming", "assessments",
    "chat", "community", "certificates", "search", "reporting", "notifications", "assistant", "pages", "admin",
)  # fmt: skip
DOORS = ("views", "admin", "api", "sockets")
LISTENERS = ("models", "handlers", "jobs", "plans", "reports", "deeds")


class Token(BaseConverter):
    """A capability in a URL: 20 to 2,000 URL-safe characters."""

    regex = r"[A-Za-z0-9_.=-]{20,2000}"


@cache
def part(module: str, file: str) -> object | None:
    """A file of a module, imported; None when the module does without."""
    if find_spec(f"lms.{module}") is None or find_spec(f"lms.{module}.{file}") is None:
        return None
    return import_module(f"lms.{module}.{file}")


def connect(config: Config, *, statement_timeout_ms: int = db.STATEMENT_TIMEOUT_MS) -> None:
    """Give this process its database, Redis, keys, storage and mail, and load every module's listeners."""
    db.use_engines(
        db.Engines(
            app=db.make_engine(config.database_app_url, statement_timeout_ms=statement_timeout_ms),
            platform=db.make_engine(config.database_platform_url, pool_size=4, statement_timeout_ms=statement_timeout_ms),
        )
    )
    use_redis(config.redis_url)
    signing.use_secret(config.secret_key)
    storage.use_storage(storage.make_storage(config))
    sandbox.use_scratch(config.home / "scratch")
    media.use_ffmpeg(config.ffmpeg, workers=config.workers)
    live.use_folder(config.home / "live")
    live.use_rtmp(config.rtmp_url)
    mail.use_config(config)
    outbound.use_networks(config.outbound_networks)
    if config.translations:
        translations_in(config.translations)
    jobs.nudges_go_to(workers.send_nudges)
    channel_queries.local_origin(f"http://{called(config.host)}:{config.port}")
    wire()


def wire() -> None:
    """Tell the kernel and the web layer what only modules know, and load the listeners of every module."""
    tenancy.channels_come_from(channel_queries.open_channels)
    plans.actors_come_from(channel_queries.actor_of_user)
    faces.channel_of_host = channel_queries.channel_of_host
    faces.actor_of_session = channel_queries.actor_of_session
    faces.actor_of_token = channel_operations.machine_of
    faces.user_of_session = channel_queries.user_of_session
    faces.touch_session = channel_operations.note_visit
    faces.role_of = channel_queries.role_of
    faces.viewing_of = channel_queries.viewing_of
    faces.count_viewed = channel_operations.count_viewed
    faces.ask_newcomers = channel_forms.ask_newcomers
    faces.lacks_answers = channel_queries.lacks_answers
    faces.keep_answers = channel_operations.keep_answers
    faces.welcome = channel_operations.welcome
    for module in MODULES:
        for file in LISTENERS:
            part(module, file)
    faces.why_shut = getattr(part("enrollments", "operations"), "why_shut", None)
    faces.proved_as_staff = getattr(part("enrollments", "operations"), "confirm_hires", None)
    unread = getattr(part("notifications", "queries"), "unread_count", None)
    faces.unread_of = unread
    faces.count_waiting = getattr(part("admin", "queries"), "count_waiting", None)
    faces.last_counted = getattr(part("admin", "queries"), "last_counted", None)
    faces.default_view_of = getattr(part("reporting", "queries"), "default_query", None)


def use_templates(app: Flask, config: Config) -> None:
    """Set the templates up; compiled they lie in the home, for this account alone, so that the next process need not do it again."""
    folder = config.home / "cache" / f"templates-{os.geteuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")


def create_app(config: Config | None = None, *, testing: bool = False) -> Flask:
    """The application of every process: pages, sockets, workers, commands."""
    app = Application("lms", root_path=str(ROOT), template_folder="templates", static_folder="static")
    config = config or Config.load()
    if not testing:
        logs.configure()
        connect(config)
    app.config.update(
        LMS=config,
        SECRET_KEY=config.derive("flask").hex(),
        TESTING=testing,
        SESSION_COOKIE_SECURE=config.production,
        MAX_CONTENT_LENGTH=16 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        UNDECIDED=(),
    )
    app.session_interface = RedisSessions("__Host-lectern" if config.production else "lectern")
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0)  # type: ignore[method-assign]
    use_templates(app, config)
    app.url_map.converters["token"] = Token
    app.json.sort_keys = False  # type: ignore[attr-defined]
    Htmx(app)
    headers.install(app)
    assets.install(app)
    metrics.install(app)
    cycle.install(app)
    newcomers.install(app)
    access.login_manager.init_app(app)
    csrf.install(app)
    i18n.install(app)
    words.install(app)
    remembered.install(app)
    context.install(app)
    idempotency.install(app)
    errors.install(app)
    register_doors(app)
    return app


def load_doors() -> None:
    """Import the doors of every module, for processes that fork page servers."""
    for module in MODULES:
        for file in DOORS:
            part(module, file)


def register_doors(app: Flask) -> None:
    """Register every blueprint called `bp` in the door files of every module."""
    for module in MODULES:
        for file in DOORS:
            blueprint = getattr(part(module, file), "bp", None)
            if blueprint is not None:
                app.register_blueprint(blueprint)


@click.group()
def main() -> None:
    """Lectern: run, migrate, work, look after the platform."""


def add_commands() -> None:
    """Find the commands of the kernel and of every module: `lms <verb>` and `lms <module> <verb>`."""
    connects_by(connect)
    for name in ("core", *MODULES):
        for command in getattr(part(name, "commands"), "COMMANDS", ()):
            main.add_command(command)


add_commands()
