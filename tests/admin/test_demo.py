"""The demo: made whole, believable and fast, and removed without a trace; nothing real can be removed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lms.admin import commands, operations
from lms.core import clock, db, storage
from lms.core import commands as kernel
from lms.core.clock import now
from lms.core.errors import Conflict
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people


@pytest.fixture
def empty(real_database: str) -> Iterator[str]:
    """A real database without any academy."""
    engine = sa.create_engine(real_database.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as owner:
        owner.execute(sa.text("DELETE FROM channels.domains"))
        owner.execute(sa.text("DELETE FROM channels.channels"))
    engine.dispose()
    yield real_database


@pytest.fixture
def lms(test_config, monkeypatch: pytest.MonkeyPatch, empty: str):  # type: ignore[no-untyped-def]
    """The command line, on the real database of the test."""
    monkeypatch.setattr("lms.config.Config.load", classmethod(lambda _cls, _environ=None: test_config))
    monkeypatch.setattr(kernel, "_connect", [lambda _config: None])

    def run(*words: str) -> str:
        result = CliRunner().invoke(commands.demo, list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.output + (str(result.exception) if result.exception else "")

    return run


def owner_sees(url: str, sql: str) -> list[sa.Row]:  # type: ignore[type-arg]
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as owner:
        rows = list(owner.execute(sa.text(sql)))
    engine.dispose()
    return rows


def test_demo_seed__is_whole_and_removed_without_a_trace(lms, empty: str, test_config) -> None:  # type: ignore[no-untyped-def]
    assert "The demo is open" in lms("seed", "--if-empty")
    assert "already" in lms("seed", "--if-empty") and "Remove it first" in lms("seed")

    signs = json.loads((test_config.home / "demo.json").read_text())
    assert [one["role"] for one in signs] == ["admin", "instructor", "student"]
    assert (test_config.home / "demo.json").stat().st_mode & 0o77 == 0
    [(channel_id, status, shown)] = owner_sees(empty, "SELECT id, status, settings -> 'demo_sign_ins' FROM channels.channels")
    assert status == "open" and shown == signs

    counts = dict(owner_sees(empty, "SELECT status, count(*) FROM courses.courses GROUP BY 1"))
    assert counts == {"published": 8, "submitted": 2, "draft": 1, "archived": 1}
    [(students,)] = owner_sees(empty, "SELECT count(*) FROM channels.members WHERE role = 'student'")
    [(lessons,)] = owner_sees(empty, "SELECT count(*) FROM courses.lessons")
    assert students >= 60 and 36 <= lessons <= 44
    [(used, every)] = owner_sees(
        empty, "SELECT count(*) FILTER (WHERE state = 'redeemed'), count(*) FROM vouchers.codes WHERE state <> 'expired'"
    )
    assert 0.4 < used / every < 0.65
    [(first, last)] = owner_sees(empty, "SELECT min(happened_at), max(happened_at) FROM core.events")
    assert now() - first > timedelta(days=89) and now() - last < timedelta(days=2)
    [(late,)] = owner_sees(empty, "SELECT count(*) FROM wallet.entries WHERE at > now() - interval '1 hour'")
    [(entries,)] = owner_sees(empty, "SELECT count(*) FROM wallet.entries")
    assert entries > 200 and late < entries / 10, "the ledger tells of ninety days"
    states = dict(owner_sees(empty, "SELECT state, count(*) FROM streaming.sessions GROUP BY 1"))
    assert states == {"ended": 1, "scheduled": 1}
    assert owner_sees(empty, "SELECT cadence FROM reporting.schedules") == [("weekly",)]
    [(days,)] = owner_sees(empty, "SELECT count(DISTINCT day) FROM reporting.daily")
    assert days > 60
    [(here, most)] = owner_sees(
        empty,
        "SELECT (SELECT count(*) FROM channels.members WHERE seen_at > now() - interval '30 days'), max(value)"
        " FROM reporting.daily WHERE metric = 'active' AND day > current_date - 30",
    )
    assert here >= most > 5, "the people of the month are at least those of its fullest day"
    assert storage.storage().root.joinpath(str(channel_id)).exists()  # type: ignore[attr-defined]

    assert "The demo is gone" in lms("remove")
    tables = owner_sees(
        empty,
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'channel_id' AND c.relkind = 'r' AND n.nspname NOT LIKE 'pg_%'",
    )
    left = [name for (name,) in tables if owner_sees(empty, f"SELECT count(*) FROM {name}")[0][0]]
    assert not left and not owner_sees(empty, "SELECT id FROM channels.channels") and not owner_sees(empty, "SELECT id FROM auth.users")
    assert not storage.storage().root.joinpath(str(channel_id)).exists()  # type: ignore[attr-defined]
    assert not (test_config.home / "demo.json").exists()
    assert "There is no demo" in lms("remove")


def test_begin_demo__what_stopped_half_way_is_removed_first(lms, empty: str) -> None:  # type: ignore[no-untyped-def]
    with db.unit_of_work(platform=True):
        assert operations.begin_demo(if_empty=True) is not None
    [(status,)] = owner_sees(empty, "SELECT status FROM channels.channels")
    assert status == "closed", "no visitor comes in while it is made"
    assert "There is no academy" not in lms("remove")
    assert not owner_sees(empty, "SELECT id FROM channels.channels")


def test_remove_demo__never_touches_a_real_academy(real_database: str, tmp_path: Path) -> None:
    with pytest.raises(Conflict), db.unit_of_work(CHANNEL):
        operations.remove_demo(CHANNEL, home=tmp_path)
    for sql in ("SELECT channels.remove_demo(:id)", "UPDATE channels.channels SET is_demo = true WHERE id = :id"):
        with pytest.raises(sa.exc.ProgrammingError, match="demo"), db.unit_of_work(CHANNEL) as session:
            session.execute(sa.text(sql), {"id": CHANNEL})
    with pytest.raises(sa.exc.ProgrammingError, match="does not become a demo"), db.unit_of_work(platform=True) as session:
        session.execute(sa.text("UPDATE channels.channels SET is_demo = true WHERE id = :id"), {"id": CHANNEL})


def test_remove_demo__books_stay_closed_to_everybody_else(real_database: str) -> None:
    """Pretending that a demo is being removed opens nothing, not even to the owner of the tables."""
    with db.unit_of_work(CHANNEL):
        people.ada()
    engine = sa.create_engine(real_database.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as owner, pytest.raises(sa.exc.ProgrammingError, match="append-only"):
        owner.execute(
            sa.text("SELECT set_config('app.removing_demo', :id, false), set_config('app.channel_id', :id, false)"), {"id": str(CHANNEL)}
        )
        owner.execute(sa.text("DELETE FROM core.audit WHERE channel_id = :id"), {"id": CHANNEL})
    engine.dispose()
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), db.unit_of_work(CHANNEL) as session:
        session.execute(sa.text("SELECT set_config('app.removing_demo', :id, true)"), {"id": str(CHANNEL)})
        session.execute(sa.text("DELETE FROM core.audit"))


def test_system_demo_remove__is_for_admins_of_a_demo(as_root: Browser, as_ada: Browser) -> None:
    assert "Remove the demo" not in as_root.get("/admin/system", status=200).words
    as_root.post("/admin/system/demo/remove", status=403)
    as_ada.post("/admin/system/demo/remove", status=403)


def test_at__the_clock_tells_another_time_inside_alone() -> None:
    then = now() - timedelta(days=30)
    with clock.at(then):
        assert now() == then
    assert now() - then > timedelta(days=29)
    with pytest.raises(ValueError, match="future"), clock.at(now() + timedelta(hours=1)):
        pass
