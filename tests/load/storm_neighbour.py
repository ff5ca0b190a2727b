"""A noisy neighbour (T122): one academy at ten times its share of everything, beside twenty others that open pages, wait for codes and for files."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from lms.auth import operations as accounts
from lms.auth import queries as account_queries
from lms.channels import operations as channels
from lms.channels.operations import machines
from lms.channels.queries import face_of, this_channel
from lms.channels.reports import People
from lms.core import db, mail
from lms.core.decisions import Actor
from lms.core.serving import QUICK_QUEUES
from lms.enrollments import operations as enrollments
from lms.reporting import jobs, operations
from tests.factories import people
from tests.load.client import Load, request_of
from tests.load.figure import Figure, Wish
from tests.load.stage import PORT, ROOT, Stage, _course, _sign_in, a_stage, load, served
from tests.load.storm_jobs import Crew, nothing_waits

OTHERS = 20
RATE = 12.0  # pages a second of all the others together
ADMINS = 10
# How long what the others wait for took from written to done, by what it is; what is not done yet counts as long as it waits.
WAITED = """
    SELECT queue, count(*), percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM coalesce(done_at, clock_timestamp()) - created_at))
    FROM core.outbox WHERE channel_id = ANY (%s) AND id = ANY (%s) GROUP BY queue
"""


@dataclass(slots=True)
class Other:
    """One of the quiet academies, with somebody who runs it."""

    channel_id: UUID
    host: str
    root: Actor
    requests: list[str]


def neighbour(wish: Wish) -> list[Figure]:
    """The pages of twenty academies alone, beside the noise, and alone again; codes and files of theirs meanwhile."""
    seconds, crowd = (15.0, 2_000) if wish.quick else (90.0, 20_000)
    with a_stage(crowd) as stage:
        others = [_open(number) for number in range(OTHERS)]
        nothing_waits(stage)
        requests = [one for other in others for one in other.requests]
        with served(stage, apart=True), _crew(stage):
            _pages(requests, 5)
            calm = _pages(requests, seconds)
            with _noise(stage), _wishes(others, seconds + 6) as wishes:
                time.sleep(6)
                beside = _pages(requests, seconds)
            waited = _waited(stage, others, wishes)
            nothing_waits(stage)
            time.sleep(3)
            after = _pages(requests, seconds)
    figures = [_ratio(calm, beside, after, crowd)]
    for name, queue, bound in (("a sign-in code", "codes", 10), ("a file of a short list", "files", 20)):
        count, p95 = waited.get(queue, (0, 0.0))
        figures.append(
            Figure(
                "neighbour",
                f"{name} of the others, from wish to there, {count} of them",
                f"p95 {p95:.1f} s",
                "",
                f"≤ {bound} s",
                p95 <= bound,
            )
        )
    return figures


def _ratio(calm: Load, beside: Load, after: Load, crowd: int) -> Figure:
    """The pages beside the noise against the mean of those before and after it; where these two differ, others were on the machine."""
    alone = (calm.p95 + after.p95) / 2
    ratio = beside.p95 / alone
    errors = calm.errors + beside.errors + after.errors
    what = f"pages of {OTHERS} academies, {RATE:.0f}/s, beside one of {crowd:,} people at 10 × its share"
    value = (
        f"p50 {calm.p50:.0f} → {beside.p50:.0f} → {after.p50:.0f} ms, p95 {calm.p95:.0f} → {beside.p95:.0f} → {after.p95:.0f} ms,"
        f" ratio {ratio:.2f}, {errors} errors of {calm.count + beside.count + after.count}"
    )
    is_calm = max(calm.p95, after.p95) <= 1.5 * min(calm.p95, after.p95)
    value += "" if is_calm else "; NOT MEASURED: the machine was not left alone"
    return Figure("neighbour", what, value, "", "p95 ≤ 1.2 ×, no error", ratio <= 1.2 and not errors and is_calm)


def _pages(requests: list[str], seconds: float) -> Load:
    return load({"kind": "open", "host": "127.0.0.1", "port": PORT, "requests": requests, "rate": RATE, "seconds": seconds})


def _open(number: int) -> Other:
    """An academy with a course, somebody who learns it, and the requests of a usual day."""
    host = f"q{number}.example"
    with db.unit_of_work(platform=True):
        channel = channels.open_channel(f"Quiet {number}", f"quiet{number}", currency="EUR")
        channels.add_host(channel.id, host, verified=True)
    with db.unit_of_work(channel.id):
        root = people.a_person("Root Quiet", "admin", f"root{number}@example.org")
        ada = people.a_person("Ada Quiet", "instructor", f"ada{number}@example.org")
        sam = people.a_person("Sam Quiet", "student", f"sam{number}@example.org")
        course, lesson = _course(f"Quiet course {number}", ada, root)
        assert sam.user_id is not None
        enrollments.enroll_by_hand(sam.user_id, course, note="storm", by=root)
        desk, seat = _sign_in(root), _sign_in(sam)
    asked = [
        ("/admin/", desk),
        ("/admin/channels/people", desk),
        ("/courses/", ""),
        (f"/courses/{course.slug}", ""),
        (f"/enrollments/courses/{course.id}/lessons/{lesson.id}", seat),
        (f"/enrollments/courses/{course.id}/lessons/{lesson.id}", seat),
    ]
    return Other(channel.id, host, root, [request_of(path, host=host, cookie=cookie).decode("latin-1") for path, cookie in asked])


@contextmanager
def _crew(stage: Stage) -> Iterator[None]:
    """The workers of an install as it is started: one that keeps off slow jobs, one that does everything; and the scheduler."""
    first = Crew(stage, "-m", "lms", "worker", "--queues", QUICK_QUEUES, count=1)
    second = Crew(stage, "-m", "lms", "worker", count=1)
    try:
        yield
    finally:
        first.end()
        second.end()


@contextmanager
def _noise(stage: Stage) -> Iterator[None]:
    """The noisy academy at it, in a process of its own."""
    with db.unit_of_work(stage.channel_id):
        admins = [people.a_person(f"Admin {number}", "admin", f"noisy{number}@example.org") for number in range(ADMINS)]
        users = [account_queries.get_user(one.user_id) for one in admins[:2] if one.user_id is not None]
        given = [accounts.start_api_session(user, device="storm").access_token for user in users]
    rate = 10 * machines.SHARE / machines.SECONDS
    plan: dict[str, Any] = {"host": "localhost", "port": PORT, "rate": rate, "channel": str(stage.channel_id), "tokens": given}
    plan["admins"] = [str(one.user_id) for one in admins]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.load.storm_noise"],
        cwd=ROOT,
        env={**os.environ, **stage.environ},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(plan).encode())
    process.stdin.close()
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _wishes(others: list[Other], seconds: float) -> Iterator[list[UUID]]:
    """Somebody of the others wants a code every second and a file every three; the rows of both."""
    rows: list[UUID] = []
    over = threading.Event()

    def wish() -> None:
        for turn in range(int(seconds)):
            if over.wait(1.0):
                return
            other = others[turn % len(others)]
            with db.unit_of_work(other.channel_id):
                before = _newest()
                context = {"channel": face_of(this_channel(), f"http://{other.host}"), "code": "123456", "purpose": "sign_in"}
                mail.send("somebody@example.org", "auth/mail/code", context, secret=True)
                if turn % 3 == 0:
                    made = operations.begin_download(People(), "", "csv", by=other.root)
                    made.job_id = jobs.make_download.put({"download_id": made.id})
                db.session().flush()
                rows.extend(_newest() - before)

    thread = threading.Thread(target=wish)
    thread.start()
    try:
        yield rows
    finally:
        over.set()
        thread.join()


def _newest() -> set[UUID]:
    return set(db.session().execute(text("SELECT id FROM core.outbox WHERE created_at > now() - interval '1 minute'")).scalars())


def _waited(stage: Stage, others: list[Other], rows: list[UUID]) -> dict[str, tuple[int, float]]:
    with psycopg.connect(stage.config.database_url) as owner:
        found = owner.execute(WAITED, ([one.channel_id for one in others], rows)).fetchall()
    return {queue: (count, float(p95)) for queue, count, p95 in found}
