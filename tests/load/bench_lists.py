"""Lists, the dashboard and the file of a list at the size of a million people and five million enrolments."""

import resource
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from lms.app import create_app
from lms.channels import operations as channels
from lms.channels.reports import People
from lms.config import url_for_role
from lms.core import db
from lms.core.clock import now
from lms.core.reports import Report, Tally, places
from lms.core.reports.files import csv_lines
from lms.enrollments.reports import Enrollments
from lms.reporting import operations
from tests.factories import people
from tests.load.client import request_of
from tests.load.crowd import fill_crowd
from tests.load.figure import Figure
from tests.load.stage import PORT, Stage, cpu_seconds, load, served, work_seconds

QUICK = (20_000, 100_000)
ZONE = "Europe/Paris"
BOUND, COUNTED, DASHBOARD = 150.0, 300.0, 100.0


def crowded(stage: Stage, quick: bool) -> str:
    """Fill the stage once, count its days as the nightly job does, and say how big it is; what an earlier run filled is taken as it is."""
    many, enrolments = QUICK if quick else (stage.facts["people"], stage.facts["enrolments"])
    if "crowd" not in stage.facts:
        known = stage.remembered("crowd")
        if known is None:
            fill_crowd(stage, many, enrolments)
        many, enrolments = known or (many, enrolments)
        with db.unit_of_work(stage.channel_id):
            stretches = operations.unfinished_stretches()
        for first, last in stretches:
            with db.unit_of_work(stage.channel_id) as session:
                session.execute(text("SET LOCAL statement_timeout = '600s'"))
                operations.recount(first, last)
        with db.unit_of_work(stage.channel_id) as session:
            session.execute(text("SET LOCAL statement_timeout = '600s'"))
            channels.recount_sightings(by=people.root())  # the crowd was filled in behind the triggers
            operations.recount_courses()
            operations.count_today()  # as a job does every five minutes
        stage.facts["crowd"] = f"{many:,} people, {enrolments:,} enrolments"
    return str(stage.facts["crowd"])


def lists(stage: Stage, quick: bool) -> list[Figure]:
    """Pages of the two biggest lists in every way they are read, their exact counts, and the dashboard."""
    crowd = crowded(stage, quick)
    course = stage.facts["course_ids"][3]
    everybody, learning = "/admin/channels/people", "/admin/enrollments/"
    pages = {
        "people, first page": (everybody, BOUND),
        "people, deep page": (_deep(People(), everybody, "-name", "Mona"), BOUND),
        "people, filtered": (f"{everybody}?joined=30d&role=student", BOUND),
        "people, sorted": (f"{everybody}?sort=-email", BOUND),
        "people, searched, one": (f"{everybody}?q=crowd7777", BOUND),
        "people, searched, many": (f"{everybody}?q=amal", BOUND),
        "people, searched, none": (f"{everybody}?q=zzqqzz", BOUND),
        "enrolments, first page": (learning, BOUND),
        "enrolments, deep page": (_deep(Enrollments(), learning, "enrolled_at", now() - timedelta(days=99)), BOUND),
        "enrolments, filtered": (f"{learning}?course={course}&status=completed", BOUND),
        "enrolments, sorted": (f"{learning}?sort=-last_seen_at", BOUND),
        "enrolments, searched": (f"{learning}?q=crowd7777", BOUND),
        "dashboard": ("/admin/", DASHBOARD),
    }
    with served(stage) as server:
        return [_page(stage, server.pid, f"{name} ({crowd})", path, bound, quick) for name, (path, bound) in pages.items()] + [
            _count(stage, f"exact count of all {name}, as it arrives", path)
            for name, path in (("people", everybody), ("enrolments", learning))
        ]


def _deep(report: Report, path: str, sort: str, value: Any) -> str:
    """The address of a page in the middle of a list, as the list's own links would lead there."""
    column = report.column(sort.lstrip("-"))
    return f"{path}?sort={sort}&after={places.write(column, {column.key: value, 'id': UUID(int=0)})}&at=2001"  # type: ignore[arg-type]


def _page(stage: Stage, server_pid: int, name: str, path: str, bound: float, quick: bool) -> Figure:
    request = request_of(path, host="localhost", cookie=stage.cookies["root"]).decode("latin-1")
    plan = {"kind": "closed", "host": "127.0.0.1", "port": PORT, "requests": [request], "connections": 1}
    load({**plan, "seconds": 1.0})
    before = cpu_seconds(server_pid, stage.postgres_pid)
    seen = load({**plan, "seconds": 2.0 if quick else 8.0})
    work = 1000 * (cpu_seconds(server_pid, stage.postgres_pid) - before) / max(1, seen.count)
    reached = seen.p95 <= bound and not seen.errors
    value = f"p95 {seen.p95:.0f} ms, p50 {seen.p50:.0f} ms of {seen.count}, {work:.0f} ms CPU each, {seen.errors} errors"
    return Figure("lists", name, value, "", f"p95 ≤ {bound:.0f} ms", reached)


def _count(stage: Stage, name: str, path: str) -> Figure:
    """How long the fragment takes that brings the count; the page itself does not wait for it."""
    client = create_app(stage.config, testing=True).test_client(use_cookies=False)
    headers = {"Cookie": stage.cookies["root"], "HX-Request": "true"}
    times = []
    for _turn in range(5):
        begun = time.perf_counter()
        answer = client.get(f"{path}?format=count", base_url="http://localhost", headers=headers)
        times.append(1000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, answer.status_code
    return Figure("lists", name, f"{sorted(times)[2]:.0f} ms", "", "≤ 300 ms, or as it arrives", True)


def csv(stage: Stage, quick: bool) -> list[Figure]:
    """The file of all people with its checksum, beside COPY TO of the same columns in the same order."""
    crowd = crowded(stage, quick)
    url = url_for_role(stage.config.database_url, "lms_app", stage.config.secret_key)
    begun, work, size = time.perf_counter(), work_seconds(stage), 0
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('app.channel_id', %s, false)", (str(stage.channel_id),))
        with connection.cursor().copy(
            "COPY (SELECT name, email, role, status, joined_at FROM channels.members WHERE status <> 'deleted' ORDER BY name, id)"
            " TO STDOUT (FORMAT csv)"
        ) as copy:
            for block in copy:
                size += len(block)
    floor, least = time.perf_counter() - begun, work_seconds(stage) - work
    report = People()
    view = report.read_view({}, zone_name=ZONE)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    work = work_seconds(stage)
    with db.unit_of_work(stage.channel_id, read_only=True):
        tally = Tally(report.shown(view))
        for _piece in csv_lines(report, view, people.root(), tally=tally):
            pass
    taken, most = time.perf_counter() - begun, work_seconds(stage) - work
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    ratio = floor / taken
    return [
        Figure(
            "csv",
            f"CSV with checksum of {tally.count:,} rows ({crowd})",
            f"{tally.count / taken:,.0f} rows/s, {taken:.1f} s, {most:.1f} s CPU, {grown:.0f} MiB more memory",
            f"{tally.count / floor:,.0f} rows/s, {floor:.1f} s, {least:.1f} s CPU",
            f"ratio {ratio:.2f} (≥ 0.25), ≤ 200 MB",
            ratio >= 0.25 and grown <= 200,
        )
    ]
