"""Categories, courses, sections and lessons, with the words of a course indexed for the catalogue's search."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    schema("courses")
    sql(
        "CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public",
        # unaccent() is only STABLE because its dictionary could change; ours never does, and an index needs IMMUTABLE
        """
        CREATE FUNCTION courses.folded(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog
        AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, words)) $$
        """,
    )
    _categories_and_courses()
    _sections_and_lessons()


def _categories_and_courses() -> None:
    tenant_table(
        "courses.categories",
        """name text NOT NULL, slug text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_categories_channel_id_slug UNIQUE (channel_id, slug),
        CONSTRAINT uq_categories_channel_id_name UNIQUE (channel_id, name)""",
    )
    tenant_table(
        "courses.courses",
        f"""slug text NOT NULL, title text NOT NULL, summary text NOT NULL DEFAULT '', description text NOT NULL DEFAULT '',
        level text NOT NULL DEFAULT 'any', category_id uuid, instructor_id uuid NOT NULL,
        price_minor bigint NOT NULL DEFAULT 0, currency text NOT NULL, status text NOT NULL DEFAULT 'draft', status_before text,
        cover_asset_id uuid, submitted_at timestamptz, sent_back_reason text, published_at timestamptz, version bigint NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
        tsv tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', courses.folded(title)) || to_tsvector('english', courses.folded(title)), 'A')
            || setweight(to_tsvector('simple', courses.folded(summary)) || to_tsvector('english', courses.folded(summary)), 'B')
            || setweight(to_tsvector('english', courses.folded(left(description, 100000))), 'C')
        ) STORED,
        CONSTRAINT uq_courses_channel_id_slug UNIQUE (channel_id, slug),
        CONSTRAINT ck_courses_status CHECK (status IN ('draft', 'submitted', 'published', 'archived', 'deleted')),
        CONSTRAINT ck_courses_level CHECK (level IN ('any', 'beginner', 'intermediate', 'advanced')),
        CONSTRAINT ck_courses_price CHECK (price_minor >= 0),
        {belongs_to("category_id", "courses.categories")},
        {belongs_to("instructor_id", "channels.members")},
        {belongs_to("cover_asset_id", "content.assets")}""",
    )
    sql(
        "CREATE INDEX ix_courses_tsv ON courses.courses USING gin (channel_id, tsv)",
        "CREATE INDEX ix_courses_title ON courses.courses USING gin (channel_id, courses.folded(title) public.gin_trgm_ops)",
        "CREATE INDEX ix_courses_published ON courses.courses (channel_id, published_at) WHERE status = 'published'",
        "CREATE INDEX ix_courses_instructor ON courses.courses (channel_id, instructor_id)",
        "CREATE INDEX ix_courses_status ON courses.courses (channel_id, status, updated_at)",
    )


def _sections_and_lessons() -> None:
    tenant_table(
        "courses.sections",
        f"""course_id uuid NOT NULL, title text NOT NULL, position bigint NOT NULL, deleted_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(), {belongs_to("course_id", "courses.courses")}""",
    )
    sql("CREATE INDEX ix_sections_course ON courses.sections (channel_id, course_id, position)")
    tenant_table(
        "courses.lessons",
        f"""course_id uuid NOT NULL, section_id uuid NOT NULL, title text NOT NULL, kind text NOT NULL DEFAULT 'text',
        body text NOT NULL DEFAULT '', asset_id uuid, position bigint NOT NULL, status text NOT NULL DEFAULT 'draft', status_before text,
        is_preview boolean NOT NULL DEFAULT false, is_due boolean NOT NULL DEFAULT false, duration_seconds bigint,
        version bigint NOT NULL DEFAULT 1, published_at timestamptz, deleted_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_lessons_kind CHECK (kind IN ('text', 'video')),
        CONSTRAINT ck_lessons_status CHECK (status IN ('draft', 'published', 'deleted')),
        {belongs_to("course_id", "courses.courses")},
        {belongs_to("section_id", "courses.sections")},
        {belongs_to("asset_id", "content.assets")}""",
    )
    sql(
        "CREATE INDEX ix_lessons_section ON courses.lessons (channel_id, section_id, position)",
        "CREATE INDEX ix_lessons_course ON courses.lessons (channel_id, course_id)",
        "CREATE INDEX ix_lessons_asset ON courses.lessons (channel_id, asset_id) WHERE asset_id IS NOT NULL",
    )


def downgrade() -> None:
    drop_schema("courses")
