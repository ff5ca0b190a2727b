"""Links that give a role, and who took work here through one."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0066"
down_revision = "0065"


def upgrade() -> None:
    sql(
        "ALTER TABLE enrollments.links ADD COLUMN role text NOT NULL DEFAULT ''",
        """ALTER TABLE enrollments.links ADD CONSTRAINT ck_links_role CHECK
        (role = '' OR (role = 'instructor' AND kind = 'link' AND seats IS NOT NULL AND ends_at IS NOT NULL))""",
    )
    tenant_table(
        "enrollments.hires",
        f"""link_id uuid NOT NULL, user_id uuid NOT NULL, role_before text NOT NULL,
        taken_at timestamptz NOT NULL DEFAULT now(), confirmed_at timestamptz, withdrawn_at timestamptz,
        CONSTRAINT uq_hires_person UNIQUE (channel_id, link_id, user_id),
        CONSTRAINT ck_hires_one_end CHECK (confirmed_at IS NULL OR withdrawn_at IS NULL),
        {belongs_to("link_id", "enrollments.links")}, {belongs_to("user_id", "channels.members")}""",
    )
    sql("CREATE INDEX ix_hires_user ON enrollments.hires (channel_id, user_id)")


def downgrade() -> None:
    sql(
        "DROP TABLE enrollments.hires",
        "DELETE FROM enrollments.links WHERE role <> ''",
        "ALTER TABLE enrollments.links DROP COLUMN role",
    )
