"""Accounts of people (one for the whole install), their sessions, one-time codes and refresh tokens (per channel)."""

from migrations.kit import APP, BACKUP, PLATFORM, drop_schema, schema, sql, tenant_table

revision = "0002"
down_revision = "0001"

ME = "(SELECT nullif(current_setting('app.user_id', true), '')::uuid)"


def upgrade() -> None:
    schema("auth")
    sql(
        """
        CREATE TABLE auth.users (
            id uuid NOT NULL CONSTRAINT pk_users PRIMARY KEY,
            email text NOT NULL, email_key text NOT NULL CONSTRAINT uq_users_email_key UNIQUE,
            name text NOT NULL, password_hash text, email_verified_at timestamptz,
            locale text NOT NULL DEFAULT 'en', zone text NOT NULL DEFAULT 'UTC',
            status text NOT NULL DEFAULT 'active' CONSTRAINT ck_users_status CHECK (status IN ('active', 'suspended', 'erased')),
            created_at timestamptz NOT NULL DEFAULT now(), last_sign_in_at timestamptz)
        """,
        "ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE auth.users FORCE ROW LEVEL SECURITY",
        f"GRANT SELECT, INSERT, UPDATE ON auth.users TO {APP}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON auth.users TO {PLATFORM}",
        f"GRANT SELECT ON auth.users TO {BACKUP}",
        f"CREATE POLICY platform ON auth.users TO {PLATFORM} USING (true) WITH CHECK (true)",
        f"CREATE POLICY myself ON auth.users TO {APP} USING (id = {ME}) WITH CHECK (id = {ME})",
        # The one way from an address to an account without knowing the person: the id, or null.
        """
        CREATE FUNCTION auth.user_id_of(wanted text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS $$ SELECT id FROM auth.users WHERE email_key = wanted $$
        """,
        "REVOKE ALL ON FUNCTION auth.user_id_of(text) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION auth.user_id_of(text) TO {APP}, {PLATFORM}",
    )
    tenant_table(
        "auth.sessions",
        """user_id uuid NOT NULL CONSTRAINT fk_sessions_user_id REFERENCES auth.users (id), digest bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
        proved_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz, address text NOT NULL DEFAULT '', device text NOT NULL DEFAULT '',
        CONSTRAINT uq_sessions_channel_id_digest UNIQUE (channel_id, digest)""",
    )
    sql("CREATE INDEX ix_sessions_user ON auth.sessions (channel_id, user_id)")
    tenant_table(
        "auth.codes",
        """email_key text NOT NULL, purpose text NOT NULL, digest bytea NOT NULL, flow bytea NOT NULL, tries bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL, used_at timestamptz,
        CONSTRAINT ck_codes_purpose CHECK (purpose IN ('register', 'sign_in', 'reset', 'api'))""",
    )
    sql("CREATE INDEX ix_codes_email ON auth.codes (channel_id, email_key, purpose, created_at)")
    tenant_table(
        "auth.invitations",
        """user_id uuid NOT NULL CONSTRAINT fk_invitations_user_id REFERENCES auth.users (id), digest bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL, used_at timestamptz,
        CONSTRAINT uq_invitations_channel_id_digest UNIQUE (channel_id, digest)""",
    )
    tenant_table(
        "auth.refresh_tokens",
        """family uuid NOT NULL, user_id uuid NOT NULL CONSTRAINT fk_refresh_tokens_user_id REFERENCES auth.users (id),
        digest bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
        used_at timestamptz, revoked_at timestamptz, CONSTRAINT uq_refresh_tokens_channel_id_digest UNIQUE (channel_id, digest)""",
    )
    sql("CREATE INDEX ix_refresh_tokens_family ON auth.refresh_tokens (channel_id, family)")


def downgrade() -> None:
    drop_schema("auth")
