"""The database is what the models say, and every tenant table is behind both walls."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lms.core import db
from lms.core.db import Base, Tenant
from lms.core.schema import migration_files
from tests.conftest import CHANNEL, OTHER_CHANNEL

TENANT_TABLES = "SELECT n.nspname || '.' || c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attname = 'channel_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg_%'"


@pytest.fixture
def owner(engine: sa.Engine) -> sa.Connection:
    with engine.connect() as connection:
        connection.execute(sa.text("RESET ROLE"))
        yield connection
        connection.rollback()


def test_models__and_migrations_agree(owner: sa.Connection) -> None:
    def include(thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return not (kind == "table" and name == "alembic_version") and kind not in ("index", "unique_constraint", "foreign_key_constraint")

    context = MigrationContext.configure(
        owner, opts={"include_schemas": True, "compare_type": True, "include_object": include, "target_metadata": Base.metadata}
    )
    differences = [item for item in compare_metadata(context, Base.metadata)]
    assert not differences, "\n".join(map(str, differences))


def test_migrations__form_one_line() -> None:
    numbers = [path.name[:4] for path in migration_files()]
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


def test_tenant_tables__are_behind_forced_row_level_security(owner: sa.Connection) -> None:
    gaps = owner.execute(
        sa.text(
            f"SELECT t.name, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole::text AS owner,"
            f" (SELECT count(*) FROM pg_policies p WHERE p.schemaname || '.' || p.tablename = t.name AND 'lms_app' = ANY (p.roles)) AS policies,"
            f" (SELECT bool_or(p.with_check IS NULL AND p.cmd IN ('ALL', 'INSERT', 'UPDATE') AND p.qual NOT LIKE '%channel_id%') FROM pg_policies p"
            f"   WHERE p.schemaname || '.' || p.tablename = t.name AND 'lms_app' = ANY (p.roles)) AS weak"
            f" FROM ({TENANT_TABLES}) t(name) JOIN pg_class c ON c.oid = t.name::regclass"
        )
    ).all()
    assert len(gaps) > 8
    wrong = [
        row
        for row in gaps
        if not (row.relrowsecurity and row.relforcerowsecurity and row.policies) or row.weak or row.owner.startswith("lms_app")
    ]
    assert not wrong


def test_tenant_tables__lead_their_keys_and_references_with_the_channel(owner: sa.Connection) -> None:
    wrong = owner.execute(
        sa.text(
            f"SELECT con.conrelid::regclass::text, con.conname FROM pg_constraint con JOIN ({TENANT_TABLES}) t(name) ON con.conrelid = t.name::regclass"
            f" WHERE con.contype = 'p' AND con.conrelid::regclass::text <> 'channels.domains' AND (SELECT attname FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = con.conkey[1]) <> 'channel_id'"
            f" UNION ALL SELECT con.conrelid::regclass::text, con.conname FROM pg_constraint con JOIN ({TENANT_TABLES}) t(name) ON con.conrelid = t.name::regclass"
            f" JOIN ({TENANT_TABLES}) p(name) ON con.confrelid = p.name::regclass WHERE con.contype = 'f' AND array_length(con.conkey, 1) < 2"
        )
    ).all()
    assert not wrong


def test_tenant_models__are_tenant_tables() -> None:
    for mapper in Base.registry.mappers:
        if "channel_id" in mapper.columns and mapper.class_.__name__ not in ("Domain",):
            assert issubclass(mapper.class_, Tenant), mapper.class_


def test_no_channel__means_no_rows_and_no_writes(connection: sa.Connection) -> None:
    tables = connection.execute(sa.text(TENANT_TABLES)).scalars().all()
    for table in tables:
        with db.unit_of_work() as session:
            if session.execute(sa.text(f"SELECT has_table_privilege(current_user, '{table}', 'SELECT')")).scalar_one():
                assert session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table


def test_references__cannot_leave_their_channel(real_database: str) -> None:
    """For each reference between tenant tables, a row pointing at the other channel's parent is refused."""
    engine = sa.create_engine(real_database.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as owner:
        composite = owner.execute(
            sa.text(
                f"SELECT count(*) FROM pg_constraint con JOIN ({TENANT_TABLES}) t(name) ON con.conrelid = t.name::regclass"
                f" JOIN ({TENANT_TABLES}) p(name) ON con.confrelid = p.name::regclass WHERE con.contype = 'f'"
                " AND (SELECT attname FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = con.conkey[1]) = 'channel_id'"
                " AND (SELECT attname FROM pg_attribute WHERE attrelid = con.confrelid AND attnum = con.confkey[1]) = 'channel_id'"
            )
        ).scalar_one()
        every = owner.execute(
            sa.text(
                f"SELECT count(*) FROM pg_constraint con JOIN ({TENANT_TABLES}) t(name) ON con.conrelid = t.name::regclass"
                f" JOIN ({TENANT_TABLES}) p(name) ON con.confrelid = p.name::regclass WHERE con.contype = 'f'"
            )
        ).scalar_one()
    engine.dispose()
    assert composite == every > 0
    with db.unit_of_work(CHANNEL) as session:
        session.execute(
            sa.text(
                "INSERT INTO core.audit (channel_id, id, actor_kind, actor_name, action, target_kind, target_name) VALUES (:c, :i, '', '', '', '', '')"
            ),
            {"c": CHANNEL, "i": CHANNEL},
        )
    with pytest.raises(sa.exc.DBAPIError), db.unit_of_work(OTHER_CHANNEL) as session:
        session.execute(
            sa.text("INSERT INTO channels.preferences (channel_id, id, user_id, name, value) VALUES (:c, :i, :i, 'x', '{}')"),
            {"c": OTHER_CHANNEL, "i": CHANNEL},
        )


def test_definer_functions__are_few_and_pinned(owner: sa.Connection) -> None:
    rows = owner.execute(
        sa.text(
            "SELECT n.nspname || '.' || p.proname AS name, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE p.prosecdef AND n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema'"
        )
    ).all()
    assert all(any(setting.startswith("search_path=") for setting in row.proconfig or ()) for row in rows), rows


def test_roles__of_the_application_own_and_bypass_nothing(owner: sa.Connection) -> None:
    rows = owner.execute(
        sa.text(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname IN ('lms_app', 'lms_platform')"
        )
    ).all()
    assert len(rows) == 2
    assert not any(row.rolsuper or row.rolbypassrls or row.rolcreaterole or row.rolcreatedb for row in rows)
