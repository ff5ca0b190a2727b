"""Two walls at their sizes: a small pool shared by two academies (T007), and a purchase killed at every statement (T091)."""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import FrameType
from uuid import UUID

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoTurn

from lms.channels import operations as channels
from lms.channels.queries import actor_of_user
from lms.config import url_for_role
from lms.core import db
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import queries as courses
from lms.enrollments import operations as enrollments
from lms.wallet import operations as wallet
from tests.factories import people
from tests.load.figure import Figure, Wish
from tests.load.stage import ROOT, SECRET, Stage, a_stage

SEEN = text("SELECT channel_id, count(*) FROM channels.members GROUP BY 1")
KINDS = (*("plain", "raises", "savepoint", "none") * 8, "too slow", "broken", "cancelled", "cut off")


ENDS = {
    "broken": "SELECT 1 / 0",
    "cancelled": "SELECT pg_cancel_backend(pg_backend_pid())",
    "cut off": "SELECT pg_terminate_backend(pg_backend_pid())",
}


OURS = f"{ROOT}/lms/"
CALLS = 60


class Walker(threading.Thread):
    """Goes to and fro between two academies over a pool others use too, in every way a transaction can end."""

    def __init__(self, academies: list[UUID], ended: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.academies, self.ended, self.dice = academies, ended, random.Random(seed)
        self.done: Counter[str] = Counter()
        self.foreign = 0

    def run(self) -> None:
        """Walk until told to stop."""
        turn = self.dice.randrange(2)
        while not self.ended.is_set():
            turn = 1 - turn
            kind = self.dice.choice(KINDS)
            try:
                self._once(self.academies[turn], kind)
            except NoTurn:
                kind = "no turn"
            except (SQLAlchemyError, ZeroDivisionError):
                pass
            self.done[kind] += 1

    @property
    def turns(self) -> int:
        """Transactions that saw something."""
        return self.done.total() - self.done["no turn"]

    def _once(self, academy: UUID, kind: str) -> None:
        with db.unit_of_work(academy, read_only=kind == "none") as session:
            self._look(session, academy)
            if kind == "raises":
                raise ZeroDivisionError
            if kind == "too slow":
                session.execute(text("SET LOCAL statement_timeout = 2"))
                session.execute(text("SELECT pg_sleep(1)"))
            if kind in ENDS:
                session.execute(text(ENDS[kind]))
            if kind == "savepoint":
                with session.begin_nested() as point:
                    session.execute(text("SELECT set_config('application_name', 'inside', true)"))
                    point.rollback()
                self._look(session, academy)

    def _look(self, session: db.Session, academy: UUID) -> None:
        rows = session.execute(SEEN).all()
        self.foreign += sum(row.count for row in rows if row.channel_id != academy) + (not rows)


def bleed(wish: Wish) -> list[Figure]:
    """200 threads over a pool of five, 200,000 transactions to and fro between two academies: nobody sees a foreign row."""
    wanted = 4_000 if wish.quick else 200_000
    end = time.monotonic() + wish.minutes * 60 - 30
    with a_stage(20) as stage:
        with db.unit_of_work(platform=True):
            other = channels.open_channel("Beta School", "beta", currency="EUR").id
        with db.unit_of_work(other):
            people.a_person("Otto Other", "admin", "otto@example.org")
        _small_pool(stage)
        ended = threading.Event()
        walkers = [Walker([stage.channel_id, other], ended, seed) for seed in range(200)]
        for one in walkers:
            one.start()
        while sum(one.turns for one in walkers) < wanted and time.monotonic() < end:
            time.sleep(0.1)
        ended.set()
        for one in walkers:
            one.join(30)
    done = sum((one.done for one in walkers), Counter[str]())
    foreign, turns = sum(one.foreign for one in walkers), sum(one.turns for one in walkers)
    what = f"{turns:,} transactions of 200 threads over a pool of five, to and fro between two academies"
    return [Figure("bleed", what, f"{foreign} foreign rows; {dict(done)}", "", "0 of 200,000", not foreign and turns >= wanted)]


def _small_pool(stage: Stage) -> None:
    app = db.make_engine(url_for_role(stage.config.database_url, "lms_app", SECRET.encode()), pool_size=5)
    db.use_engines(db.Engines(app=app, platform=db.engines().platform))


# --- T091 ---------------------------------------------------------------------------------------------------------------------------


def purchase(wish: Wish) -> list[Figure]:
    """A purchase whose process is killed before and after each of its statements, around its commit, and at many of its calls: whole, or not at all."""
    with a_stage(200) as stage:
        course_id = stage.facts["course_ids"][2]
        buyers = iter(_buyers(stage))
        halves: list[str] = []
        outcomes: Counter[str] = Counter()
        counted = _steps(stage, next(buyers), course_id)
        places = list(_places(counted))
        for place, user_id in zip(places, buyers, strict=False):
            _fund(stage, user_id)
            was_killed = _killed_at(stage, user_id, course_id, place)
            outcome = _outcome(stage, user_id, course_id) if was_killed else "lived"
            outcomes[outcome] += 1
            if outcome == "half":
                halves.append(str(place))
    killed = outcomes.total() - outcomes["lived"]
    what = f"a purchase killed at {killed} places: around {counted['before']} statements and its commit, and at {CALLS} of {counted['call']:,} calls"
    value = f"{len(halves)} halves {halves}; {dict(outcomes)}"
    good = not halves and killed >= 50 and outcomes["bought"] > 0 and outcomes["nothing"] > 0 and not outcomes["lived"]
    return [Figure("purchase", what, value, "", "whole at ≥ 50 places", good)]


def _places(counted: Counter[str]) -> Iterator[tuple[str, int]]:
    for name in ("commit", "committed", "before", "after"):
        yield from ((name, number + 1) for number in range(counted[name]))
    yield from (("call", 1 + counted["call"] * number // CALLS) for number in range(CALLS))


def _buyers(stage: Stage) -> list[UUID]:
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        return list(session.execute(text("SELECT id FROM channels.members WHERE role = 'student' ORDER BY id DESC LIMIT 180")).scalars())


def _fund(stage: Stage, user_id: UUID) -> None:
    with db.unit_of_work(stage.channel_id):
        wallet.credit(user_id, Money(1000, "EUR"), source="adjustment", reference_id=uuid7(), by=actor_of_user(user_id))


def _steps(stage: Stage, user_id: UUID, course_id: UUID) -> Counter[str]:
    """How many steps of each kind a purchase that nobody kills has."""
    _fund(stage, user_id)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(_buy(stage, user_id, course_id, ("never", 0))).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        counted = Counter[str](json.loads(told.read()))
    os.waitpid(child, 0)
    return counted


def _killed_at(stage: Stage, user_id: UUID, course_id: UUID, place: tuple[str, int]) -> bool:
    """Buy in a process of its own that kills itself at a place; false when it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            _buy(stage, user_id, course_id, place)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _buy(stage: Stage, user_id: UUID, course_id: UUID, place: tuple[str, int]) -> Counter[str]:
    """Buy, and die at the place; the number of steps of each kind when it is never reached."""
    when, number = place
    seen: Counter[str] = Counter()

    def step(name: str) -> None:
        seen[name] += 1
        if name == when and seen[name] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def called(frame: FrameType, what: str, _argument: object) -> None:
        if what == "call" and OURS in frame.f_code.co_filename:
            step("call")

    for engine in (db.engines().app, db.engines().platform):
        assert isinstance(engine, Engine)
        engine.dispose(close=False)
        event.listen(engine, "before_cursor_execute", lambda *_all: step("before"))
        event.listen(engine, "after_cursor_execute", lambda *_all: step("after"))
        event.listen(engine, "commit", lambda *_all: step("commit"))
    sys.setprofile(called)
    with db.unit_of_work(stage.channel_id):
        enrollments.enroll_by_wallet(courses.get_course(course_id), by=actor_of_user(user_id))
    sys.setprofile(None)
    step("committed")
    return seen


def _outcome(stage: Stage, user_id: UUID, course_id: UUID) -> str:
    query = text(
        """
        SELECT (SELECT count(*) FROM payments.orders WHERE user_id = :user AND course_id = :course AND status = 'paid') AS paid,
               (SELECT count(*) FROM enrollments.enrollments WHERE user_id = :user AND course_id = :course AND status = 'active') AS active
        """
    )
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        row = session.execute(query, {"user": user_id, "course": course_id}).one()
        left = wallet_balance(user_id)
    if (row.paid, row.active) == (0, 0) and left == 1000:
        return "nothing"
    return "bought" if (row.paid, row.active) == (1, 1) and left < 1000 else "half"


def wallet_balance(user_id: UUID) -> int:
    """What a wallet holds, in minor units."""
    query = text("SELECT coalesce(sum(balance_minor), 0) FROM wallet.accounts WHERE user_id = :user")
    return int(db.session().execute(query, {"user": user_id}).scalar_one())
