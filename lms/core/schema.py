"""Roles and migrations: makes a database the platform's own, and asserts that the application cannot do too much."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, pool, text

from lms.config import ROOT, role_password
from lms.core import db

ROLES = ("lms_app", "lms_platform", "lms_backup")
MIGRATION_LOCK = 5417000


def make_roles(owner_url: str, secret: bytes) -> None:
    """Make the application, platform and backup roles and give them this install's passwords; safe to repeat."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        may_bypass = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)
        for role in ROLES:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(sql.Identifier(role)))
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(role_password(secret, role))))
        if may_bypass:
            connection.execute("ALTER ROLE lms_backup BYPASSRLS")
            connection.execute("ALTER ROLE lms_backup SET default_transaction_read_only = on")


def alembic_config() -> AlembicConfig:
    """The configuration of the migrations in this checkout."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("prepend_sys_path", str(ROOT))
    return config


def migrate(owner_url: str, secret: bytes) -> None:
    """Bring a database to the newest schema: roles first, then each missing migration; one process at a time."""
    make_roles(owner_url, secret)
    url = owner_url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1)
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection, engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.execute(text("SET lock_timeout = '1s'"))
        connection.commit()
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(text("GRANT SELECT ON alembic_version TO lms_app, lms_platform, lms_backup"))
        connection.commit()
    engine.dispose()


def newest_revision() -> str | None:
    """The revision the code wants."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def current_revision() -> str | None:
    """The revision the database has; runs as the platform role in the running unit of work."""
    connection = db.session().connection()
    return MigrationContext.configure(connection).get_current_revision()


def role_faults() -> list[str]:
    """What is too much about the role this unit of work runs as: one sentence each; none is as it should be."""
    row = (
        db.session()
        .execute(
            text(
                "SELECT current_user AS name, r.rolsuper, r.rolbypassrls, r.rolcreaterole,"
                " EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relowner = r.oid"
                " AND c.relkind IN ('r', 'p')) AS owns FROM pg_roles r WHERE r.rolname = current_user"
            )
        )
        .one()
    )
    faults = {
        "is a superuser": row.rolsuper,
        "bypasses row-level security": row.rolbypassrls,
        "may make roles": row.rolcreaterole,
        "owns tables": row.owns,
    }
    return [f"The database role {row.name} {fault}." for fault, found in faults.items() if found]


def migration_files() -> list[Path]:
    """The migrations, in order."""
    return sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py"))
