"""The stage of the benchmarks: a durable PostgreSQL and Valkey in a home of its own, a big academy, and the servers of production."""

import json
import os
import pickle
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from lms.app import connect, create_app
from lms.auth import operations as accounts
from lms.auth import queries as account_queries
from lms.channels import operations as channels
from lms.config import Config
from lms.core import db, embedded, schema
from lms.core.decisions import Actor
from lms.core.ids import token
from lms.core.money import Money
from lms.courses import operations as courses
from lms.enrollments import operations as enrollments
from lms.wallet import operations as wallet
from lms.web.sessions import digest_of
from tests.factories import people
from tests.load.client import Load
from tests.servers import remove_home, throwaway_home

ROOT = Path(__file__).resolve().parents[2]
SECRET = "bench-secret-bench-secret-bench-secret"
PORT = int(os.environ.get("BENCH_PORT", "8461"))
FLOOR_PORT = PORT + 10
FACTS = "CREATE TABLE IF NOT EXISTS public.bench_facts (name text PRIMARY KEY, fact jsonb)"
SKIPPED = ("SELECT set_config", "BEGIN", "COMMIT")


@dataclass(slots=True)
class Stage:
    """What is set up: the settings, the people's cookies, the pages to load."""

    config: Config
    environ: dict[str, str]
    postgres: embedded.PostgresServer
    valkey: embedded.ValkeyServer
    channel_id: Any = None
    cookies: dict[str, str] = field(default_factory=dict)
    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def postgres_pid(self) -> int:
        """The process of PostgreSQL, whose work is measured."""
        return self.postgres.process.pid

    def remember(self, name: str, fact: Any) -> None:
        """Note a fact in the database itself, so that another run on the same home knows what it holds."""
        with psycopg.connect(self.config.database_url) as owner:
            note_fact(owner, name, fact)

    def remembered(self, name: str) -> Any:
        """What an earlier run on the same home noted, or nothing."""
        with psycopg.connect(self.config.database_url) as owner:
            owner.execute(FACTS)
            found = owner.execute("SELECT fact FROM public.bench_facts WHERE name = %s", (name,)).fetchone()
            return found[0] if found else None


def note_fact(owner: psycopg.Connection[Any], name: str, fact: Any) -> None:
    """Note a fact together with what the transaction does, or not at all."""
    owner.execute(FACTS)
    owner.execute(
        "INSERT INTO public.bench_facts VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET fact = excluded.fact", (name, json.dumps(fact))
    )


@contextmanager
def a_stage(people_count: int = 100_000, keep: Path | None = None) -> Iterator[Stage]:
    """Everything up, filled and signed in; taken down afterwards. A home to `keep` stays, and the next run finds it filled."""
    home = keep.resolve() if keep is not None else throwaway_home()
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    started: list[Stage] = []
    postgres, valkey = embedded.start_postgres(home), embedded.start_valkey(home)
    try:
        environ = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "SECRET_KEY": SECRET,
            "LMS_HOME": str(home),
            "LMS_PORT": str(PORT),
        }
        config = Config.load(environ)
        schema.migrate(config.database_url, config.secret_key)
        connect(config)
        stage = Stage(config, environ, postgres, valkey)
        started.append(stage)
        _fill(stage, people_count)
        yield stage
    finally:
        for stage in started:  # a storm may have put others in their place
            postgres, valkey = stage.postgres, stage.valkey
        if keep is not None and postgres.process.poll() is None:
            with psycopg.connect(postgres.url, autocommit=True) as owner:
                owner.execute("CHECKPOINT")  # a server that has much to write is not given the time for it when it is stopped
        valkey.stop()
        postgres.stop()
        if keep is None:
            remove_home(home)


def _fill(stage: Stage, people_count: int) -> None:
    """Open the academy with its people and courses, or find the one that an earlier run left on this home."""
    known = stage.remembered("academy")
    if known is None:
        _open_academy(stage, people_count)
        stage.remember(
            "academy", {"channel": str(stage.channel_id), "pages": stage.pages, "courses": list(map(str, stage.facts["course_ids"]))}
        )
    else:
        stage.channel_id = UUID(known["channel"])
        stage.pages = {name: (path, who) for name, (path, who) in known["pages"].items()}
        stage.facts = {"course_ids": [UUID(one) for one in known["courses"]]}
    with db.unit_of_work(stage.channel_id):
        for name, person in (("root", people.root()), ("sam", people.sam())):
            stage.cookies[name] = _sign_in(person)


def _open_academy(stage: Stage, people_count: int) -> None:
    with db.unit_of_work(platform=True):
        channel = channels.open_channel("Bench Academy", "bench", currency="EUR")
        channels.add_host(channel.id, "localhost", verified=True)
    stage.channel_id = channel.id
    _crowd(stage, people_count)
    with db.unit_of_work(channel.id):
        root, ada, sam = people.root(), people.ada(), people.sam()
        made = [_course(f"Course {number:02d}", ada, root) for number in range(24)]
        wallet.credit(sam.user_id, Money(1_000_000, "EUR"), source="card", reference_id=channel.id, by=root)
        enrollments.enroll_by_wallet(made[0][0], by=sam)
        course, lesson = made[0]
        stage.pages = {
            "dashboard": ("/admin/", "root"),
            "catalogue": ("/courses/", ""),
            "course page": (f"/courses/{course.slug}", ""),
            "lesson page": (f"/enrollments/courses/{course.id}/lessons/{lesson.id}", "sam"),
            "people list of 100,000": ("/admin/channels/people", "root"),
        }
        stage.facts = {"course_ids": [item.id for item, _ in made]}


def _course(title: str, ada: Actor, root: Actor) -> tuple[Any, Any]:
    course = courses.create_course(
        title=title, summary="What it is about, in one sentence.", description="## Why\n\nBecause it is useful.\n\n" * 4, by=ada
    )
    courses.set_price(course, Money(1000, "EUR"), by=ada)
    first = None
    for number in range(3):
        section = courses.add_section(course, f"Part {number + 1}", by=ada)
        for lesson_number in range(4):
            lesson = courses.add_lesson(section, title=f"Lesson {number + 1}.{lesson_number + 1}", kind="text", by=ada)
            courses.edit_lesson(
                lesson,
                version=lesson.version,
                by=ada,
                title=lesson.title,
                kind="text",
                body="Some **words** to read.\n\n" * 20,
                is_preview=False,
            )
            courses.publish_lesson(lesson, by=ada)
            first = first or lesson
    courses.publish_course(course, by=root)
    return course, first


def _crowd(stage: Stage, count: int) -> None:
    """Many people at once, by SQL as the owner: the list is what is measured, not how they came."""
    with psycopg.connect(stage.config.database_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email, email_key, name) SELECT uuidv7(), 'p' || n || '@example.org', 'p' || n || '@example.org',"
            " 'Person ' || n FROM generate_series(1, %s) n",
            (count,),
        )
        connection.execute(
            "INSERT INTO channels.members (channel_id, id, name, email, role, joined_at) SELECT %s, id, name, email, 'student',"
            " now() - random() * interval '300 days' FROM auth.users",
            (stage.channel_id,),
        )
    with psycopg.connect(stage.config.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _sign_in(person: Actor) -> str:
    value = token()
    user = account_queries.get_user(person.user_id)  # type: ignore[arg-type]
    accounts.start_session(user, digest_of(value), staff=person.is_staff, address="127.0.0.1", device="bench")
    return f"lectern={value}"


@contextmanager
def served(
    stage: Stage, application: str = "wsgi:application", port: int = PORT, *, apart: bool = False, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The page server of production (2 processes of 8 threads) on a port; `apart` in a session of its own, as the supervisor has it."""
    argv = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_pages.py", "--bind", f"127.0.0.1:{port}", application]
    process = subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, **stage.environ, **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=apart,
    )
    try:
        _wait(port, "/healthz" if port == PORT else "/")
        yield process
    finally:
        process.terminate()
        process.wait(60)


def work_seconds(stage: Stage) -> float:
    """Seconds of processor time of this process, those it waited for, and the database."""
    return sum(os.times()[:4]) + cpu_seconds(stage.postgres_pid)


def cpu_seconds(*pids: int) -> float:
    """Seconds of processor time that these processes and all below them have taken so far, those that ended among them."""
    total = 0.0
    for pid in pids:
        try:
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            continue
    return total


def _wait(port: int, path: str) -> None:
    deadline = time.monotonic() + 180  # a busy machine takes its time
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}")


def load(plan: dict[str, Any]) -> Load:
    """Run a plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.client"], cwd=ROOT, input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    return Load(**json.loads(done.stdout))


def capture(stage: Stage, file: Path) -> dict[str, int]:
    """Write the statements and bytes of each page for the floor; the number of queries of each."""
    app = create_app(stage.config, testing=True)
    pages: dict[str, Any] = {}
    counts = {}
    for name, (path, who) in stage.pages.items():
        client = app.test_client(use_cookies=False)
        headers = {"Cookie": stage.cookies[who]} if who else {}
        client.get(path, headers=headers, base_url="http://localhost")
        seen: list[tuple[str, Any]] = []

        def note(_c: Any, _k: Any, statement: str, values: Any, *_rest: Any, seen: list[tuple[str, Any]] = seen) -> None:
            if not statement.startswith(SKIPPED):
                seen.append((statement, values))

        event.listen(Engine, "before_cursor_execute", note)
        answer = client.get(path, headers=headers, base_url="http://localhost")
        event.remove(Engine, "before_cursor_execute", note)
        assert answer.status_code == 200, (path, answer.status_code, answer.get_data(as_text=True)[:300])
        settings = ("SELECT set_config('app.channel_id', %(c)s, true)", {"c": str(stage.channel_id)})
        pages[path] = ([settings, *seen], answer.get_data())
        counts[name] = len(seen)
    file.write_bytes(pickle.dumps(pages))
    return counts
