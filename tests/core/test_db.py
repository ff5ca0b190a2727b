"""The unit of work: rows without the ORM, the gate on every statement, and a server that was restarted."""

import psycopg
import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from lms.channels.models import Member
from lms.core import db
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories import people


def test_rows__sees_what_the_session_has_not_sent_yet_and_only_this_channel(work: Session) -> None:
    sam = people.sam()
    member = work.get_one(Member, sam.user_id)
    member.name = "Samira"
    found = db.rows("SELECT name FROM channels.members WHERE channel_id = %(channel)s AND id = %(id)s", id=sam.user_id)
    assert [row.name for row in found] == ["Samira"]
    with db.unit_of_work(OTHER_CHANNEL):
        assert db.rows("SELECT name FROM channels.members WHERE %(channel)s IS NOT NULL AND id = %(id)s", id=sam.user_id) == []


def test_rows__raises_what_the_session_raises(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="nowhere"), db.unit_of_work(CHANNEL):
        db.rows("SELECT %(channel)s FROM nowhere")


def test_rows__refuses_a_statement_that_does_not_name_its_channel(work: Session) -> None:
    with pytest.raises(RuntimeError, match="without its channel"):
        db.rows("SELECT name FROM channels.members")


def test_unit_of_work__gates_one_statement_by_whatever_channel_runs(work: Session) -> None:
    sam = people.sam()
    statement = select(Member.name).where(Member.id == sam.user_id)
    assert work.scalars(statement).all() == [sam.name]
    with db.unit_of_work(OTHER_CHANNEL) as other:
        assert other.scalars(statement).all() == []
    assert work.scalars(statement).all() == [sam.name]


def test_unit_of_work__commits_and_rolls_back_with_and_without_a_session(real_database: object) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
    rename = "UPDATE channels.members SET name = %(name)s WHERE channel_id = %(channel)s AND id = %(id)s RETURNING name"
    with db.running(CHANNEL):
        db.rows(rename, name="Samira", id=sam.user_id)
    with pytest.raises(ZeroDivisionError), db.running(CHANNEL):
        db.rows(rename, name="Nobody", id=sam.user_id)
        raise ZeroDivisionError
    with db.unit_of_work(CHANNEL):  # its session is there, and is never asked
        db.rows(rename, name="Samantha", id=sam.user_id)
    with db.unit_of_work(CHANNEL, read_only=True) as session:
        assert session.get_one(Member, sam.user_id).name == "Samantha"
        with pytest.raises(Exception, match="read-only"):
            db.rows(rename, name="Nobody", id=sam.user_id)
        session.rollback()


def test_unit_of_work__outlives_connections_that_the_server_closed(real_database: str) -> None:
    for platform in (False, True):
        mine = _backend(platform)
        with psycopg.connect(real_database, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", (mine,))
        assert _backend(platform) != mine


def _backend(platform: bool) -> int:
    with db.unit_of_work(None if platform else CHANNEL, platform=platform) as session:
        return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
