"""Passkeys: the public halves, each its person's alone, and the one way from a credential to its owner."""

from migrations.kit import APP, BACKUP, PLATFORM, sql

revision = "0048"
down_revision = "0047"

ME = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
MEMBER = "EXISTS (SELECT 1 FROM channels.members m WHERE m.id = passkeys.user_id)"


def upgrade() -> None:
    sql(
        """
        CREATE TABLE auth.passkeys (
            id uuid NOT NULL CONSTRAINT pk_passkeys PRIMARY KEY,
            user_id uuid NOT NULL CONSTRAINT fk_passkeys_user_id REFERENCES auth.users (id) ON DELETE CASCADE,
            credential bytea NOT NULL CONSTRAINT uq_passkeys_credential UNIQUE, public_key bytea NOT NULL,
            uses bigint NOT NULL DEFAULT 0, host text NOT NULL, name text NOT NULL, is_synced boolean NOT NULL DEFAULT false,
            transports jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL DEFAULT now(), used_at timestamptz)
        """,
        "CREATE INDEX ix_passkeys_user ON auth.passkeys (user_id)",
        "ALTER TABLE auth.passkeys ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE auth.passkeys FORCE ROW LEVEL SECURITY",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON auth.passkeys TO {APP}, {PLATFORM}",
        f"GRANT SELECT ON auth.passkeys TO {BACKUP}",
        f"CREATE POLICY platform ON auth.passkeys TO {PLATFORM} USING (true) WITH CHECK (true)",
        f"CREATE POLICY myself ON auth.passkeys TO {APP} USING (user_id = {ME}) WITH CHECK (user_id = {ME})",
        # An admin sees that members of the channel have passkeys.
        f"CREATE POLICY member ON auth.passkeys FOR SELECT TO {APP} USING ({MEMBER})",
        """
        CREATE FUNCTION auth.owner_of_passkey(wanted bytea) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS $$ SELECT user_id FROM auth.passkeys WHERE credential = wanted $$
        """,
        "REVOKE ALL ON FUNCTION auth.owner_of_passkey(bytea) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION auth.owner_of_passkey(bytea) TO {APP}, {PLATFORM}",
    )


def downgrade() -> None:
    sql("DROP FUNCTION auth.owner_of_passkey(bytea)", "DROP TABLE auth.passkeys")
