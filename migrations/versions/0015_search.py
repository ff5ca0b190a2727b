"""What can be found: one table of documents with their words (GIN) and their titles' trigrams, behind the channel's wall."""

from migrations.kit import drop_schema, schema, sql, tenant_table

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    schema("search")
    sql(
        "CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public",
    )
    tenant_table(
        "search.documents",
        """kind text NOT NULL, ref_id uuid NOT NULL, parent_id uuid, title text NOT NULL, note text NOT NULL DEFAULT '',
        body text NOT NULL DEFAULT '', slug text NOT NULL DEFAULT '', audience text NOT NULL, owner_id uuid,
        indexed_at timestamptz NOT NULL DEFAULT now(),
        folded_title text NOT NULL GENERATED ALWAYS AS (courses.folded(title)) STORED,
        tsv tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', courses.folded(title)) || to_tsvector('english', courses.folded(title)), 'A')
            || setweight(to_tsvector('simple', courses.folded(note)), 'B')
            || setweight(to_tsvector('english', courses.folded(left(body, 100000))), 'C')
        ) STORED,
        CONSTRAINT uq_documents_channel_id_kind_ref_id UNIQUE (channel_id, kind, ref_id),
        CONSTRAINT ck_documents_kind CHECK (kind IN ('course', 'lesson', 'instructor', 'person', 'batch')),
        CONSTRAINT ck_documents_audience CHECK (audience IN ('public', 'staff', 'admin'))""",
    )
    # `@@` and the trigram operators are not leakproof, so under row-level security only an index that begins with the channel helps.
    sql(
        "CREATE INDEX ix_documents_tsv ON search.documents USING gin (channel_id, tsv)",
        "CREATE INDEX ix_documents_title ON search.documents USING gin (channel_id, folded_title public.gin_trgm_ops)",
        "CREATE INDEX ix_documents_parent ON search.documents (channel_id, parent_id)",
    )


def downgrade() -> None:
    drop_schema("search")
