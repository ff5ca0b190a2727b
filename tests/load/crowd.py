"""A very big academy, filled by SQL as the owner: what is measured are the lists, not how their rows came to be."""

from typing import Any

import psycopg

from tests.load.stage import Stage, note_fact

DAYS = 300
TABLES = ["channels.members", "enrollments.enrollments", "payments.orders"]
INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = ANY (%s::text[]::regclass[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
NAMES = [
    "Amal",
    "Amina",
    "Andrea",
    "Anna",
    "Ben",
    "Carla",
    "Chidi",
    "Dalia",
    "Diego",
    "Elena",
    "Fatima",
    "Felix",
    "Hana",
    "Hugo",
    "Ibrahim",
    "Ida",
    "Jamal",
    "Jonas",
    "Karim",
    "Lena",
    "Leila",
    "Lucas",
    "Maha",
    "Marta",
    "Mina",
    "Mona",
    "Nadia",
    "Noah",
    "Nour",
    "Omar",
    "Paula",
    "Rania",
    "Samir",
    "Sara",
    "Tarek",
    "Vera",
    "Yara",
    "Youssef",
    "Zeinab",
    "Zoe",
]
FAMILIES = [
    "Abadi",
    "Adler",
    "Aziz",
    "Bauer",
    "Berg",
    "Chen",
    "Costa",
    "Diaz",
    "Farouk",
    "Fischer",
    "Garcia",
    "Haddad",
    "Hassan",
    "Ito",
    "Jansen",
    "Kamal",
    "Khoury",
    "Klein",
    "Lopez",
    "Mansour",
    "Meyer",
    "Moreau",
    "Mousa",
    "Nasser",
    "Okafor",
    "Pereira",
    "Rossi",
    "Saad",
    "Salem",
    "Schmidt",
    "Silva",
    "Tanaka",
    "Wagner",
    "Weber",
    "Yilmaz",
    "Zaki",
]


def fill_crowd(stage: Stage, people: int, enrolments: int) -> None:
    """Give the channel that many students with names and days of their own, and that many enrolments, two in five bought.

    All of it is one transaction with the note that it is there: a run that is broken off leaves nothing, a finished one is found again.
    """
    courses = [str(course_id) for course_id in stage.facts["course_ids"]]
    channel = str(stage.channel_id)
    with psycopg.connect(stage.config.database_url) as owner:
        owner.execute("SET LOCAL synchronous_commit = off")
        owner.execute("SET LOCAL maintenance_work_mem = '512MB'")
        owner.execute("SET LOCAL work_mem = '64MB'")
        owner.execute("SET LOCAL session_replication_role = replica")  # keys and triggers hold for what is made one by one
        indexes = owner.execute(INDEXES, (TABLES,)).fetchall()
        for name, _definition in indexes:
            owner.execute(f"DROP INDEX {name}")
        owner.execute(
            "CREATE TEMPORARY TABLE crowd ON COMMIT DROP AS SELECT n, uuidv7() AS id, (%s::text[])[1 + mod(n, %s)] || ' ' ||"
            " (%s::text[])[1 + mod(n * 31, %s)] || ' ' || to_hex(n) AS name, 'crowd' || n || '@example.org' AS email,"
            " now() - random() * make_interval(days => %s) AS joined_at FROM generate_series(1, %s) n",
            (NAMES, len(NAMES), FAMILIES, len(FAMILIES), DAYS, people),
        )
        owner.execute("INSERT INTO auth.users (id, email, email_key, name) SELECT id, email, email, name FROM crowd")
        owner.execute(
            "INSERT INTO channels.members (channel_id, id, name, email, role, joined_at, seen_at)"
            " SELECT %s, id, name, email, 'student', joined_at, joined_at + random() * (now() - joined_at) FROM crowd",
            (channel,),
        )
        for turn in range(max(1, -(-enrolments // people))):
            _enrol(owner, channel, courses, turn, min(people, enrolments - turn * people))
        owner.execute(
            "UPDATE channels.members m SET seen_at = e.at FROM (SELECT user_id, max(last_seen_at) AS at FROM enrollments.enrollments"
            " WHERE channel_id = %s GROUP BY user_id) e WHERE m.channel_id = %s AND m.id = e.user_id AND m.seen_at < e.at",
            (channel, channel),
        )
        for _name, definition in indexes:
            owner.execute(definition)
        note_fact(owner, "crowd", [people, enrolments])
    with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")


def _enrol(owner: psycopg.Connection[Any], channel: str, courses: list[str], turn: int, count: int) -> None:
    """One enrolment for each of the first people, in a course of their own of this turn; two in five of them were bought."""
    owner.execute(
        "CREATE TEMPORARY TABLE wave AS SELECT id AS user_id, (%(courses)s::uuid[])[1 + mod(n + %(turn)s * 5, %(many)s)] AS course_id,"
        " CASE WHEN mod(n + %(turn)s, 5) < 2 THEN uuidv7() END AS order_id, at, mod(n * 31 + %(turn)s, 101) AS progress,"
        " at + random() * (now() - at) AS seen_at FROM (SELECT n, id, least(now(), joined_at + random() * interval '20 days') AS at FROM crowd"
        " WHERE n <= %(count)s) c",
        {"courses": courses, "turn": turn, "many": len(courses), "count": count},
    )
    owner.execute(
        "INSERT INTO payments.orders (channel_id, id, user_id, course_id, title, amount_minor, currency, status, method, created_at, paid_at)"
        " SELECT %s, order_id, user_id, course_id, 'Course', 1000, 'EUR', 'paid', 'wallet', at, at FROM wave WHERE order_id IS NOT NULL",
        (channel,),
    )
    owner.execute(
        "INSERT INTO enrollments.enrollments (channel_id, id, user_id, course_id, status, source, order_id, enrolled_at, progress, last_seen_at,"
        " completed_at) SELECT %s, uuidv7(), user_id, course_id, CASE WHEN progress = 100 THEN 'completed' ELSE 'active' END,"
        " CASE WHEN order_id IS NULL THEN 'free' ELSE 'wallet' END, order_id, at, progress, seen_at, CASE WHEN progress = 100 THEN seen_at END"
        " FROM wave",
        (channel,),
    )
    owner.execute("DROP TABLE wave")
