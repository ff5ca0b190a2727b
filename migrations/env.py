"""Alembic's environment: migrations run as the owner, one transaction each, with a lock time-out of one second."""

from alembic import context
from sqlalchemy import create_engine, pool

from lms.core.db import Base

config = context.config
target_metadata = Base.metadata


def _include(name: str | None, kind: str, parents: object) -> bool:
    return kind != "schema" or name not in ("pg_catalog", "information_schema", "public", None)


def run() -> None:
    """Apply the migrations over the connection or address the caller put into the configuration."""
    connection = config.attributes.get("connection")
    if connection is not None:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            include_schemas=True,
            include_name=_include,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = create_engine(config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        run()


run()
