"""Keys: claimed once, replied alike, scoped, forgotten after a day."""

import pytest
from sqlalchemy import text

from lms.core import db, idempotency
from lms.core.errors import Invalid
from lms.core.idempotency import Reply
from lms.core.ids import uuid7
from tests.conftest import CHANNEL, OTHER_CHANNEL

ME, YOU = uuid7(), uuid7()


def test_claim__gives_the_kept_reply_the_second_time(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        assert idempotency.claim(ME, "redeem", "key-0001", "print") is None
        idempotency.keep(ME, "redeem", "key-0001", Reply(201, '{"codes":["SECRET-CODE"]}', "/there"))
    with db.unit_of_work(CHANNEL) as session:
        assert idempotency.claim(ME, "redeem", "key-0001", "print") == Reply(201, '{"codes":["SECRET-CODE"]}', "/there")
        assert "SECRET" not in session.execute(text("SELECT reply FROM core.idempotency_keys")).scalar_one()
        with pytest.raises(Invalid):
            idempotency.claim(ME, "redeem", "key-0001", "another print")


def test_claim__is_of_one_person_one_route_one_channel(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        assert idempotency.claim(ME, "redeem", "key-0001", "print") is None
        idempotency.keep(ME, "redeem", "key-0001", Reply(200, "mine"))
        assert idempotency.claim(YOU, "redeem", "key-0001", "print") is None
        assert idempotency.claim(ME, "enroll", "key-0001", "print") is None
    with db.unit_of_work(OTHER_CHANNEL):
        assert idempotency.claim(ME, "redeem", "key-0001", "print") is None


def test_claim__goes_with_the_work_that_fails(connection: object) -> None:
    with pytest.raises(ZeroDivisionError), db.unit_of_work(CHANNEL):
        idempotency.claim(ME, "redeem", "key-0001", "print")
        raise ZeroDivisionError
    with db.unit_of_work(CHANNEL):
        assert idempotency.claim(ME, "redeem", "key-0001", "print") is None


def test_forget_replies__after_a_day(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        for key in ("key-0001", "key-0002"):
            idempotency.claim(ME, "redeem", key, "print")
            idempotency.keep(ME, "redeem", key, Reply(200, "old"))
        session.execute(text("UPDATE core.idempotency_keys SET created_at = now() - interval '25 hours'"))
        assert idempotency.claim(ME, "redeem", "key-0001", "another print") is None
        idempotency.forget_replies()
        assert session.execute(text("SELECT array_agg(key) FROM core.idempotency_keys")).scalar_one() == ["key-0001"]
