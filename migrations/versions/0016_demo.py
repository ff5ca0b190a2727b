"""Removing a demo: the one way in which rows of append-only tables ever go, and only those of a channel that was born a demo."""

from migrations.kit import APP, GOING, THIS_CHANNEL, sql

revision = "0016"
down_revision = "0015"

# A real academy never becomes a demo, whoever asks; so no mistake can make it removable.
STAY_REAL = """
CREATE FUNCTION channels.stay_real() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.is_demo AND NOT OLD.is_demo THEN
        RAISE EXCEPTION 'a real channel does not become a demo' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""
MAY_GO = """
CREATE FUNCTION channels.may_go(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(current_setting('app.removing_demo', true), '') = wanted::text
        AND EXISTS (SELECT 1 FROM channels.channels c WHERE c.id = wanted AND c.is_demo)
$$
"""
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION core.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN
        IF channels.may_go(OLD.channel_id) THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARD_ACCOUNT = """
CREATE OR REPLACE FUNCTION wallet.guard_account() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF channels.may_go(OLD.channel_id) THEN RETURN OLD; END IF;
    ELSIF pg_trigger_depth() > 1 AND (NEW.channel_id, NEW.id, NEW.kind, NEW.currency) = (OLD.channel_id, OLD.id, OLD.kind, OLD.currency)
        AND NEW.user_id IS NOT DISTINCT FROM OLD.user_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a balance is written by entries alone' USING ERRCODE = 'insufficient_privilege';
END $$
"""
# Tables are emptied from the leaves of the references up, so that nothing ever points into a gap.
REMOVE = """
CREATE FUNCTION channels.remove_demo(wanted uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    people uuid[];
    person uuid;
    leaf record;
    gone bigint;
    total bigint := 0;
BEGIN
    IF coalesce(current_setting('app.channel_id', true), '') <> wanted::text THEN
        RAISE EXCEPTION 'a demo is removed from inside its channel' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM 1 FROM channels.channels c WHERE c.id = wanted AND c.is_demo FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this channel is no demo' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('app.removing_demo', wanted::text, true);
    SELECT coalesce(array_agg(m.id), '{}') INTO people FROM channels.members m WHERE m.channel_id = wanted;
    FOR leaf IN
        WITH RECURSIVE tables AS (
            SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attname = 'channel_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%'),
        up AS (
            SELECT oid, 0 AS height FROM tables
            UNION
            SELECT k.confrelid, up.height + 1 FROM up JOIN pg_constraint k ON k.conrelid = up.oid AND k.contype = 'f' AND k.confrelid <> k.conrelid
            WHERE k.confrelid IN (SELECT oid FROM tables) AND up.height < 40)
        SELECT up.oid::regclass::text AS name FROM up GROUP BY up.oid ORDER BY max(up.height), 1
    LOOP
        EXECUTE format('DELETE FROM %s WHERE channel_id = $1', leaf.name) USING wanted;
        GET DIAGNOSTICS gone = ROW_COUNT;
        total := total + gone;
    END LOOP;
    FOREACH person IN ARRAY people LOOP
        BEGIN
            DELETE FROM auth.users WHERE id = person;
        EXCEPTION WHEN foreign_key_violation THEN
            NULL;  -- somebody of another channel, too
        END;
    END LOOP;
    DELETE FROM channels.channels WHERE id = wanted;
    PERFORM set_config('app.removing_demo', '', true);
    RETURN total;
END $$
"""
OPEN_TABLES = f"""
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT p.schemaname, p.tablename FROM pg_policies p WHERE p.policyname = 'channel' AND p.tablename <> 'channels'
        AND NOT EXISTS (SELECT 1 FROM pg_policies d WHERE (d.schemaname, d.tablename, d.policyname) = (p.schemaname, p.tablename, 'demo')) LOOP
        EXECUTE format('CREATE POLICY demo ON %I.%I TO CURRENT_USER USING ({GOING.replace("'", "''")})', one.schemaname, one.tablename);
    END LOOP;
END $$
"""


def upgrade() -> None:
    sql(
        STAY_REAL,
        "CREATE TRIGGER channels_stay_real BEFORE UPDATE ON channels.channels FOR EACH ROW EXECUTE FUNCTION channels.stay_real()",
        MAY_GO,
        REFUSE_CHANGE,
        GUARD_ACCOUNT,
        OPEN_TABLES,
        f"CREATE POLICY demo ON channels.channels TO CURRENT_USER USING (id = {THIS_CHANNEL})",
        "CREATE POLICY demo ON auth.users TO CURRENT_USER USING (coalesce(current_setting('app.removing_demo', true), '') <> '')",
        REMOVE,
        "REVOKE ALL ON FUNCTION channels.remove_demo(uuid) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION channels.remove_demo(uuid) TO {APP}",
    )


def downgrade() -> None:
    sql(
        "DROP FUNCTION channels.remove_demo(uuid)",
        "DROP TRIGGER channels_stay_real ON channels.channels",
        "DROP FUNCTION channels.stay_real()",
    )
