"""An academy's own words for its mails, one wording for each language; those there are were written in the academy's language."""

from migrations.kit import sql

revision = "0067"
down_revision = "0066"


def upgrade() -> None:
    sql(
        "ALTER TABLE notifications.templates ADD COLUMN language text",
        "ALTER TABLE notifications.templates NO FORCE ROW LEVEL SECURITY",
        "UPDATE notifications.templates t SET language = c.locale FROM channels.channels c WHERE c.id = t.channel_id",
        "ALTER TABLE notifications.templates FORCE ROW LEVEL SECURITY",
        "ALTER TABLE notifications.templates ALTER COLUMN language SET NOT NULL",
        "ALTER TABLE notifications.templates DROP CONSTRAINT uq_templates_channel_id_message",
        "ALTER TABLE notifications.templates ADD CONSTRAINT uq_templates_language UNIQUE (channel_id, message, language)",
    )


def downgrade() -> None:
    sql(
        "ALTER TABLE notifications.templates DROP CONSTRAINT uq_templates_language",
        "ALTER TABLE notifications.templates NO FORCE ROW LEVEL SECURITY",
        """DELETE FROM notifications.templates t USING channels.channels c WHERE c.id = t.channel_id AND t.language <> c.locale""",
        "ALTER TABLE notifications.templates FORCE ROW LEVEL SECURITY",
        "ALTER TABLE notifications.templates DROP COLUMN language",
        "ALTER TABLE notifications.templates ADD CONSTRAINT uq_templates_channel_id_message UNIQUE (channel_id, message)",
    )
