"""Days whose figures were counted, and of which something was taken out or brought back since: the database notes the moment it belonged to."""

from migrations.kit import sql, tenant_table

revision = "0073"
down_revision = "0072"

NOTE = """
CREATE FUNCTION reporting.note_stale_{0}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('app.removing_demo', true), '') <> '' THEN
        RETURN NULL; -- the figures go with all the rest
    END IF;
    {1}
    RETURN NULL;
END $$
"""
INSERT = "INSERT INTO reporting.stale_days (channel_id, id, at)"
SLOT = "date_bin('15 minutes', {0}, '2000-01-01 00:00:00+00')"
ENROLMENTS = f"""{INSERT} SELECT channel_id, uuidv7(), at FROM (
        SELECT channel_id, {SLOT.format("enrolled_at")} AS at FROM gone
        UNION SELECT channel_id, {SLOT.format("completed_at")} FROM gone WHERE completed_at IS NOT NULL) g;"""
PEOPLE = f"""{INSERT} SELECT channel_id, uuidv7(), at FROM (
        SELECT DISTINCT channel_id, {SLOT.format("joined_at")} AS at FROM gone WHERE status <> 'deleted') g;"""
PERSON = f"{INSERT} VALUES (OLD.channel_id, uuidv7(), OLD.joined_at);"


def upgrade() -> None:
    tenant_table("reporting.stale_days", "at timestamptz NOT NULL", app="SELECT, INSERT, DELETE")
    sql(
        NOTE.format("enrolments", ENROLMENTS),
        NOTE.format("people", PEOPLE),
        NOTE.format("person", PERSON),
        "CREATE TRIGGER enrollments_stale AFTER DELETE ON enrollments.enrollments REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION reporting.note_stale_enrolments()",
        "CREATE TRIGGER members_stale_gone AFTER DELETE ON channels.members REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION reporting.note_stale_people()",
        "CREATE TRIGGER members_stale AFTER UPDATE OF status ON channels.members FOR EACH ROW"
        " WHEN ((OLD.status = 'deleted') <> (NEW.status = 'deleted')) EXECUTE FUNCTION reporting.note_stale_person()",
    )


def downgrade() -> None:
    sql(
        "DROP TRIGGER enrollments_stale ON enrollments.enrollments",
        "DROP TRIGGER members_stale_gone ON channels.members",
        "DROP TRIGGER members_stale ON channels.members",
        "DROP FUNCTION reporting.note_stale_enrolments()",
        "DROP FUNCTION reporting.note_stale_people()",
        "DROP FUNCTION reporting.note_stale_person()",
        "DROP TABLE reporting.stale_days",
    )
