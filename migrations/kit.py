"""The words migrations are written in: schemas, tenant tables behind row-level security, append-only tables."""

from alembic import op

APP = "lms_app"
PLATFORM = "lms_platform"
BACKUP = "lms_backup"
THIS_CHANNEL = "(SELECT nullif(current_setting('app.channel_id', true), '')::uuid)"
# While a demo is removed the owner, whom FORCEd row-level security holds too, sees that channel's rows (decisions/0016).
GOING = f"channel_id = {THIS_CHANNEL} AND (SELECT coalesce(current_setting('app.removing_demo', true), '') <> '')"


def sql(*statements: str) -> None:
    """Run statements as they are."""
    for statement in statements:
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))


def schema(name: str) -> None:
    """A module's schema, open to the application, platform and backup roles by the grants of its tables."""
    sql(
        f"CREATE SCHEMA IF NOT EXISTS {name}",
        f"GRANT USAGE ON SCHEMA {name} TO {APP}, {PLATFORM}, {BACKUP}",
    )


def tenant_table(table: str, columns: str, *, app: str = "SELECT, INSERT, UPDATE, DELETE", platform: str = "") -> None:
    """A table whose rows belong to a channel: key (channel_id, id), ENABLE and FORCE RLS, one policy for the application.

    `columns` are the lines after channel_id and id; `platform` are grants for platform-wide work (empty: none).
    """
    sql(
        f"CREATE TABLE {table} (channel_id uuid NOT NULL DEFAULT nullif(current_setting('app.channel_id', true), '')::uuid, id uuid NOT NULL,"
        f" {columns}, CONSTRAINT pk_{table.split('.')[1]} PRIMARY KEY (channel_id, id))",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY channel ON {table} TO {APP} USING (channel_id = {THIS_CHANNEL}) WITH CHECK (channel_id = {THIS_CHANNEL})",
        f"GRANT {app} ON {table} TO {APP}",
        f"GRANT SELECT ON {table} TO {BACKUP}",
        f"CREATE POLICY demo ON {table} TO CURRENT_USER USING ({GOING})",
    )
    if platform:
        sql(
            f"GRANT {platform} ON {table} TO {PLATFORM}",
            f"CREATE POLICY platform ON {table} TO {PLATFORM} USING (true) WITH CHECK (true)",
        )


def platform_table(table: str, columns: str, *, app: str = "", platform: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """A table of the whole install; the application role gets only what is named."""
    sql(f"CREATE TABLE {table} ({columns})", f"GRANT {platform} ON {table} TO {PLATFORM}", f"GRANT SELECT ON {table} TO {BACKUP}")
    if app:
        sql(f"GRANT {app} ON {table} TO {APP}")


def belongs_to(column: str, target: str, *, on_delete: str = "RESTRICT") -> str:
    """The line of a composite foreign key: (channel_id, column) → target (channel_id, id)."""
    return f"CONSTRAINT fk_{column}_{target.replace('.', '_')} FOREIGN KEY (channel_id, {column}) REFERENCES {target} (channel_id, id) ON DELETE {on_delete}"


def append_only(table: str) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE of a table to everybody, by trigger and by grant."""
    name = table.replace(".", "_")
    sql(
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP}",
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION core.refuse_change()",
        f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()",
    )


def drop_schema(name: str) -> None:
    """Take a module's schema away with all it holds."""
    sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
