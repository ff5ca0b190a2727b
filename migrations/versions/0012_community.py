"""Reviews of courses, and their figures."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    schema("community")
    tenant_table(
        "community.reviews",
        f"""course_id uuid NOT NULL, user_id uuid NOT NULL, rating bigint NOT NULL, body text NOT NULL DEFAULT '',
        status text NOT NULL DEFAULT 'visible', hidden_reason text NOT NULL DEFAULT '', hidden_by uuid, hidden_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(), edited_at timestamptz,
        CONSTRAINT uq_reviews_channel_id_user_id_course_id UNIQUE (channel_id, user_id, course_id),
        CONSTRAINT ck_reviews_rating CHECK (rating BETWEEN 1 AND 5),
        CONSTRAINT ck_reviews_status CHECK (status IN ('visible', 'hidden')),
        CONSTRAINT ck_reviews_hidden CHECK ((status = 'hidden') = (hidden_at IS NOT NULL)),
        {belongs_to("course_id", "courses.courses")},
        {belongs_to("user_id", "channels.members")}""",
    )
    tenant_table(
        "community.ratings",
        f"""course_id uuid NOT NULL, review_count bigint NOT NULL DEFAULT 0, rating_sum bigint NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_ratings_channel_id_course_id UNIQUE (channel_id, course_id),
        CONSTRAINT ck_ratings_sum CHECK (rating_sum BETWEEN review_count AND 5 * review_count),
        {belongs_to("course_id", "courses.courses")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE INDEX ix_reviews_course ON community.reviews (channel_id, course_id, created_at)",
        "CREATE INDEX ix_reviews_at ON community.reviews (channel_id, created_at)",
    )


def downgrade() -> None:
    drop_schema("community")
