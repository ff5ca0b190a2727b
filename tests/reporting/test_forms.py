"""Every declared list in every form: screen, CSV, XLSX, mail, API have the same rows and the same checksum.

One busy channel serves the whole file, since nothing here changes it.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa

from lms.app import MODULES, part, wire
from lms.channels import queries as channel_queries
from lms.config import Config
from lms.core import db, mail, signing, storage
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.redis import redis, use_redis
from lms.core.reports import Report, every_report, plain
from lms.core.reports.files import csv_lines, xlsx_file
from lms.reporting import operations, queries
from tests import servers
from tests.conftest import CHANNEL, OTHER_CHANNEL, SECRET, run_jobs
from tests.reporting.readers import Rows, checksum_of_rows, rows_of_csv, rows_of_xlsx
from tests.reporting.world import full

ZONE = "Europe/Paris"
for module in MODULES:
    part(module, "reports")
    part(module, "plans")
NAMES = [name for name, report in every_report().items() if type(report).__module__.startswith("lms.")]


@pytest.fixture(scope="module")
def world(engine: sa.Engine, addresses: servers.TestServers, test_config: Config) -> Iterator[Actor]:
    """A busy channel, read by its admin in every test of this file."""
    wire()
    use_redis(addresses.redis_url)
    signing.use_secret(SECRET)
    storage.use_storage(storage.make_storage(test_config))
    mail.use_config(test_config)
    redis().flushdb()
    with engine.connect() as made:
        outer = made.begin()
        db.use_engines(db.Engines(app=made, platform=made))
        channel_queries.forget_faces()
        with db.unit_of_work(CHANNEL):
            by = full()
        run_jobs()
        yield by
        outer.rollback()


@pytest.fixture
def by(world: Actor) -> Iterator[Actor]:
    """The admin, in an open unit of work."""
    with db.unit_of_work(CHANNEL, read_only=True):
        yield world


def screen_rows(report: Report, by: Actor) -> Rows:
    """What somebody sees who turns every page, small ones, forwards."""
    view, rows, after = report.read_view({}, zone_name=ZONE), [], ""
    while True:
        page = report.page(view, by, after=after, size=3)
        rows += [[plain(column, row) for column in report.shown(view)] for row in page.rows]
        after = page.after
        if not after:
            return rows


def api_rows(report: Report, by: Actor) -> Rows:
    """What a machine gets that follows `next`."""
    view, rows, after = report.read_view({}, zone_name=ZONE), [], ""
    while True:
        answer = queries.table_json(report, view, by, after=after, size=4)
        rows += [[row[column["key"]] for column in answer["columns"]] for row in answer["rows"]]
        after = answer["next"] or ""
        if not after:
            assert answer["count"] == len(rows)
            return rows


def emptied(rows: Rows) -> Rows:
    return [[None if cell == "" else cell for cell in row] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_every_report__is_the_same_on_screen_in_files_by_mail_and_for_machines(name: str, by: Actor) -> None:
    report = every_report()[name]
    view = report.read_view({}, zone_name=ZONE)
    columns = report.shown(view)
    count, checksum = report.checksum(view, by)
    screen = screen_rows(report, by)
    assert len(screen) == count == report.count(view, by)
    assert checksum_of_rows(screen) == checksum
    assert not [cell for row in screen for cell in row if str(cell).startswith(("b'", 'b"'))], "bytes are no words"
    assert emptied(rows_of_csv("".join(csv_lines(report, view, by)), columns, ZONE)) == emptied(screen)
    with xlsx_file(report, view, by) as file:
        assert emptied(rows_of_xlsx(file.read(), columns, ZONE)) == emptied(screen)
    assert api_rows(report, by) == screen
    readers = {"csv": lambda data: rows_of_csv(data.decode(), columns, ZONE), "xlsx": lambda data: rows_of_xlsx(data, columns, ZONE)}
    for ending, read in readers.items():
        made = operations.make_file(report, view, by, ending, keep=20)
        assert (made.count, made.checksum) == (count, checksum)
        assert [[plain(column, row) for column in columns] for row in made.first] == screen[:20]
        rows = read(made.file.read())
        assert checksum_of_rows(rows) == checksum, "the file alone proves its checksum"
        made.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_report__sorts_by_every_column_without_losing_a_row(name: str, by: Actor) -> None:
    report = every_report()[name]
    whole = sorted(str(row) for row in screen_rows(report, by))
    for column in report.columns:
        for sign in ("", "-") if column.sortable else ():
            view, rows, after = report.read_view({"sort": [sign + column.key]}), [], ""
            while True:
                page = report.page(view, by, after=after, size=4)
                rows += [[plain(one, row) for one in report.shown(view)] for row in page.rows]
                after = page.after
                if not after:
                    break
            assert sorted(str(row) for row in rows) == whole, f"{sign}{column.key}"


PROBES = (
    "' OR 1=1 --",
    "1; SELECT pg_sleep(9)",
    "x') UNION SELECT digest FROM auth.codes --",
    "\\'; DROP TABLE core.audit; --",
    "%' AND pg_sleep(9) --",
    "a:* | !b & (",
    '"; --',
)


@pytest.mark.parametrize("name", NAMES)
def test_every_report__reads_injections_as_words_or_refuses_them(by: Actor, name: str) -> None:
    report = every_report()[name]
    places = ["q", "sort", "columns", "group", "calc", *(one.key for one in report.filters)]
    began = time.monotonic()
    for number, place in enumerate(places):
        for probe in (PROBES[number % len(PROBES)], PROBES[(number + 1) % len(PROBES)]):
            with suppress(Refusal), db.session().begin_nested():
                report.page(report.read_view({place: [probe]}, zone_name=ZONE), by, size=3)
    assert time.monotonic() - began < 9


@pytest.mark.parametrize("name", NAMES)
def test_every_report__shows_strangers_and_students_nothing(name: str, by: Actor) -> None:
    report = every_report()[name]
    assert not report.allowed(Actor(user_id=by.user_id, role="student")) and not report.allowed(Actor())
    assert report.allowed(by)


def test_full__gives_most_lists_rows(by: Actor) -> None:
    empty = [name for name in NAMES if every_report()[name].count(every_report()[name].read_view({}), by) == 0]
    assert len(empty) <= 5, " ".join(empty)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("admin.")])
def test_table_json__of_another_channel_is_empty(name: str, world: Actor) -> None:
    with db.unit_of_work(OTHER_CHANNEL, read_only=True):
        report = every_report()[name]
        assert queries.table_json(report, report.read_view({}), world)["count"] == 0
