"""Rules of a room and of the channel's chat, questions with votes, reactions, replies, raised hands."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0056"
down_revision = "0055"

PERSON = belongs_to("user_id", "channels.members")
ROOM = belongs_to("room_id", "chat.rooms")


def upgrade() -> None:
    sql(
        "ALTER TABLE chat.rooms ADD is_paused boolean NOT NULL DEFAULT false, ADD links_blocked boolean NOT NULL DEFAULT false,"
        " ADD pinned_seq bigint",
        "ALTER TABLE chat.messages ADD reply_seq bigint, ADD is_question boolean NOT NULL DEFAULT false,"
        " ADD CONSTRAINT ck_messages_reply CHECK (reply_seq BETWEEN 1 AND seq - 1)",
    )
    tenant_table(
        "chat.bans",
        f"""user_id uuid NOT NULL, room_id uuid, banned_by uuid, created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_bans_channel_id_user_id_room_id UNIQUE NULLS NOT DISTINCT (channel_id, user_id, room_id), {PERSON}, {ROOM}""",
        app="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "chat.words",
        """word text NOT NULL, added_by uuid, created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_words_channel_id_word UNIQUE (channel_id, word),
        CONSTRAINT ck_words_word CHECK (char_length(word) BETWEEN 1 AND 60)""",
        app="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "chat.questions",
        f"""room_id uuid NOT NULL, votes bigint NOT NULL DEFAULT 0, answer text NOT NULL DEFAULT '', answered_at timestamptz,
        answered_by uuid, CONSTRAINT ck_questions_votes CHECK (votes >= 0),
        CONSTRAINT ck_questions_answer CHECK (char_length(answer) <= 4000), {belongs_to("id", "chat.messages")}, {ROOM}""",
        app="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "chat.votes",
        f"""question_id uuid NOT NULL, user_id uuid NOT NULL,
        CONSTRAINT uq_votes_channel_id_question_id_user_id UNIQUE (channel_id, question_id, user_id),
        {belongs_to("question_id", "chat.questions")}, {PERSON}""",
        app="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "chat.reactions",
        f"""message_id uuid NOT NULL, user_id uuid NOT NULL, sign text NOT NULL,
        CONSTRAINT uq_reactions_channel_id_message_id_user_id_sign UNIQUE (channel_id, message_id, user_id, sign),
        {belongs_to("message_id", "chat.messages")}, {PERSON}""",
        app="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "chat.hands",
        f"""room_id uuid NOT NULL, user_id uuid NOT NULL, raised_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_hands_channel_id_room_id_user_id UNIQUE (channel_id, room_id, user_id), {ROOM}, {PERSON}""",
        app="SELECT, INSERT, DELETE",
    )
    sql("CREATE INDEX ix_questions_room ON chat.questions (channel_id, room_id)")


def downgrade() -> None:
    sql(*(f"DROP TABLE chat.{table}" for table in ("hands", "reactions", "votes", "questions", "words", "bans")))
    sql(
        "ALTER TABLE chat.messages DROP CONSTRAINT ck_messages_reply, DROP reply_seq, DROP is_question",
        "ALTER TABLE chat.rooms DROP is_paused, DROP links_blocked, DROP pinned_seq",
    )
