"""Rooms of live sessions, their messages, reports and mutes."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    schema("chat")
    tenant_table(
        "chat.rooms",
        f"""last_seq bigint NOT NULL DEFAULT 0, announced_seq bigint NOT NULL DEFAULT 0, slow_seconds bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_rooms_announced CHECK (last_seq >= announced_seq), CONSTRAINT ck_rooms_slow CHECK (slow_seconds BETWEEN 0 AND 300),
        {belongs_to("id", "streaming.sessions")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql("CREATE INDEX ix_rooms_unannounced ON chat.rooms (channel_id) WHERE last_seq > announced_seq")
    tenant_table(
        "chat.messages",
        f"""room_id uuid NOT NULL, seq bigint NOT NULL, author_id uuid NOT NULL, client_id uuid NOT NULL, text text NOT NULL,
        posted_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz, deleted_by uuid,
        CONSTRAINT uq_messages_channel_id_room_id_seq UNIQUE (channel_id, room_id, seq),
        CONSTRAINT uq_messages_channel_id_author_id_client_id UNIQUE (channel_id, author_id, client_id),
        CONSTRAINT ck_messages_text CHECK (char_length(text) BETWEEN 1 AND 2000),
        CONSTRAINT ck_messages_deleted CHECK ((deleted_at IS NULL) = (deleted_by IS NULL)),
        {belongs_to("room_id", "chat.rooms")}, {belongs_to("author_id", "channels.members")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql("CREATE INDEX ix_messages_author ON chat.messages (channel_id, author_id, posted_at)")
    tenant_table(
        "chat.flags",
        f"""message_id uuid NOT NULL, user_id uuid NOT NULL, reason text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_flags_channel_id_message_id_user_id UNIQUE (channel_id, message_id, user_id),
        {belongs_to("message_id", "chat.messages")}, {belongs_to("user_id", "channels.members")}""",
        app="SELECT, INSERT",
    )
    tenant_table(
        "chat.mutes",
        f"""room_id uuid NOT NULL, user_id uuid NOT NULL, until_at timestamptz NOT NULL, muted_by uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_mutes_channel_id_room_id_user_id UNIQUE (channel_id, room_id, user_id),
        {belongs_to("room_id", "chat.rooms")}, {belongs_to("user_id", "channels.members")}""",
    )


def downgrade() -> None:
    drop_schema("chat")
