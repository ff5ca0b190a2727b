"""How many people were last here in each quarter of an hour, counted by the database as they come and go, so that nobody counts them all."""

from migrations.kit import sql, tenant_table

revision = "0072"
down_revision = "0071"

SLOT = "date_bin('15 minutes', {0}.seen_at, '2000-01-01 00:00:00+00')"
COUNTS = "{0}.seen_at IS NOT NULL AND {0}.status <> 'deleted'"
OLD, NEW = COUNTS.format("OLD"), COUNTS.format("NEW")
COUNT_SIGHTING = f"""
CREATE FUNCTION channels.count_sighting() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('app.removing_demo', true), '') <> '' THEN
        RETURN NULL; -- the counts go with all the rest
    END IF;
    IF TG_OP <> 'INSERT' THEN
        IF {OLD} THEN
            INSERT INTO channels.sightings (channel_id, id, slot, people) VALUES (OLD.channel_id, uuidv7(), {SLOT.format("OLD")}, -1);
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        IF {NEW} THEN
            INSERT INTO channels.sightings (channel_id, id, slot, people) VALUES (NEW.channel_id, uuidv7(), {SLOT.format("NEW")}, 1);
        END IF;
    END IF;
    RETURN NULL;
END $$
"""
# The owner sees the rows of one channel at a time (decisions/0016), and counts them by the lock that making the triggers takes.
COUNT_ALL = f"""
DO $$
DECLARE
    one uuid;
BEGIN
    FOR one IN SELECT id FROM channels.channels LOOP
        PERFORM set_config('app.channel_id', one::text, true), set_config('app.removing_demo', 'no', true);
        INSERT INTO channels.sightings (channel_id, id, slot, people)
            SELECT one, uuidv7(), slot, people FROM (
                SELECT {SLOT.format("m")} AS slot, count(*) AS people FROM channels.members m
                WHERE m.channel_id = one AND {COUNTS.format("m")} GROUP BY 1) counted;
    END LOOP;
    PERFORM set_config('app.channel_id', '', true), set_config('app.removing_demo', '', true);
END $$
"""


def upgrade() -> None:
    tenant_table("channels.sightings", "slot timestamptz NOT NULL, people bigint NOT NULL", app="SELECT, INSERT, DELETE")
    made = "CREATE TRIGGER members_sighting_{0} AFTER {1} ON channels.members FOR EACH ROW WHEN ({2}) EXECUTE FUNCTION channels.count_sighting()"
    moved = f"({OLD}) <> ({NEW}) OR {SLOT.format('OLD')} IS DISTINCT FROM {SLOT.format('NEW')}"
    sql(
        "CREATE INDEX ix_sightings_slot ON channels.sightings (channel_id, slot) INCLUDE (people)",
        COUNT_SIGHTING,
        made.format("came", "INSERT", NEW),
        made.format("moved", "UPDATE OF seen_at, status", moved),
        made.format("went", "DELETE", OLD),
        COUNT_ALL,
    )


def downgrade() -> None:
    sql(
        *(f"DROP TRIGGER members_sighting_{one} ON channels.members" for one in ("came", "moved", "went")),
        "DROP FUNCTION channels.count_sighting()",
        "DROP TABLE channels.sightings",
    )
