"""Thirteen months in one run: what ends by itself is there until its day, and gone by the night after it.

What is judged by the database's own clock (codes, money with a date) is not in it: no process can turn that one.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from lms.admin import jobs as frame_jobs
from lms.auth import jobs as auth_jobs
from lms.auth import operations as accounts
from lms.auth.queries import find_user
from lms.channels.queries import face_of, this_channel
from lms.channels.reports import People
from lms.content import jobs as content_jobs
from lms.content import operations as content
from lms.content import queries as content_queries
from lms.core import clock, db, idempotency, jobs, mail, plans
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.plans import running
from lms.core.storage import storage
from lms.courses import operations as courses
from lms.courses.operations import Entry
from lms.courses.queries import lessons_of
from lms.enrollments import jobs as enrollment_jobs
from lms.enrollments import operations as enrollments
from lms.notifications import jobs as notification_jobs
from lms.reporting import jobs as reporting_jobs
from lms.reporting import operations as reporting
from lms.reporting.operations import Timetable
from lms.vouchers import jobs as voucher_jobs
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories import people
from tests.factories.courses import a_course
from tests.factories.vouchers import a_batch

MONTHS = 400  # days
NIGHT = timedelta(hours=15)  # after the day's noon, when the sweeps run
SWEEPS: list[Callable[[], None]] = [
    idempotency.forget_replies,
    jobs.forget_done,
    mail.forget_secrets,
    running.forget_rows,
    frame_jobs.purge_bin,
    auth_jobs.forget_tokens,
    content_jobs.forget_abandoned,
    enrollment_jobs.expire_requests,
    notification_jobs.forget_old_notices,
    reporting_jobs.expire_files,
    voucher_jobs.sweep_codes,
]
# What each thing is asked by (how many there are), and how many days it is promised to last.
CLASSES = {
    "the reply kept under a key": ("SELECT count(*) FROM core.idempotency_keys", 1),
    "the words of a secret mail": (f"SELECT count(*) FROM core.mails WHERE is_secret AND body_text <> '{mail.REMOVED}'", 1),
    "codes nobody fetched": ("SELECT count(*) FROM vouchers.envelopes", 0),
    "a file that was asked for": ("SELECT count(*) FROM reporting.downloads WHERE key <> ''", 7),
    "an upload nobody went on with": ("SELECT count(*) FROM content.uploads WHERE state = 'open'", 7),
    "the file of a list by mail": ("SELECT count(*) FROM reporting.runs WHERE key <> ''", 14),
    "a yes nobody used": ("SELECT count(*) FROM enrollments.requests WHERE state = 'approved'", 14),
    "a question nobody answered": ("SELECT count(*) FROM enrollments.requests WHERE state = 'waiting'", 30),
    "what lies in the bin": ("SELECT count(*) FROM core.bin WHERE ended_at IS NULL", 30),
    "a note thrown away": ("SELECT count(*) FROM enrollments.notes", 30),
    "a machine's sign-in": ("SELECT count(*) FROM auth.refresh_tokens", 37),
    "what a worker did": ("SELECT count(*) FROM core.outbox WHERE done_at IS NOT NULL", 30),
    "the rows of a bulk act": ("SELECT count(*) FROM core.plan_rows", 60),
    "a notice": ("SELECT count(*) FROM notifications.notices", 180),
    "a device given up": ("SELECT count(*) FROM content.devices", 365),
}


def test_thirteen_months__take_each_thing_on_its_day(connection: object) -> None:
    begin = datetime.now(UTC).replace(hour=12) - timedelta(days=MONTHS + 1)
    with clock.at(begin):
        keys = _one_of_each()
    there = _counts()
    assert all(there.values()), there
    gone: dict[str, int] = {}
    for day in range(MONTHS):
        if not any(abs(day - due) < 2 for _asked, due in CLASSES.values()) and day % 50:
            continue  # nothing may change between, which the next day looked at shows
        with clock.at(begin + timedelta(days=day) + NIGHT), db.unit_of_work(CHANNEL):
            for sweep in SWEEPS:
                sweep()
            enrollments.forget_notes(clock.now() - timedelta(days=30))
        gone |= {name: day for name, count in _counts().items() if not count and name not in gone}
    late = {name: (gone.get(name), due) for name, (_asked, due) in CLASSES.items() if not due <= gone.get(name, -1) <= due + 1}
    assert not late
    assert not [key for key in keys if storage().exists(key)] and not outbox_errors()


def _counts() -> dict[str, int]:
    asked = " UNION ALL ".join(f"SELECT '{name.replace(chr(39), chr(39) * 2)}', ({query})" for name, (query, _due) in CLASSES.items())
    with db.unit_of_work(CHANNEL) as session:
        return {name: count for name, count in session.execute(text(asked))}


def _one_of_each() -> list[str]:
    """One thing of each class, made on the first day; the keys of the files in the store."""
    with db.unit_of_work(CHANNEL):
        root, sam, course = people.root(), people.sam(), a_course(lessons=1, published=True)
        for name in ("Granted", "Unanswered"):
            asking = a_course(name, published=True, price=Money(500, "EUR"))
            courses.set_entry(asking, Entry(entry="request"), by=root)
            asked = enrollments.ask_to_enroll(asking, "Please", by=sam)
            if name == "Granted":
                enrollments.approve_request(asked, answer="Yes", by=root)
        assert sam.user_id is not None
        download = reporting.begin_download(People(), "", "csv", by=root)
        reporting_jobs.make_download.later(download_id=download.id)
        schedule = reporting.add_schedule(reporting.save_view(People(), "", "All", by=root), Timetable(), ("root@example.org",), by=root)
        reporting_jobs.send_run.later(run_id=reporting.start_run(schedule, by=root))
        idempotency.claim(uuid7(), "redeem", "key-0001", "print")
        a_batch(2, by=root, seal="form-1")
        enrollments.delete_note(enrollments.write_note(lessons_of(course.id)[0], "Hm", at=None, by=sam), by=sam)
        courses.delete_course(a_course("Gone"), by=root)
        user = find_user(root.email)
        assert user is not None
        accounts.start_api_session(user, device="a machine")
        accounts.send_code(root.email, "sign_in", "flow", channel=face_of(this_channel(), ""), language="en")
        content.start_upload("film.mp4", 20, "video", by=root)
        content.remember_device(sam, "a" * 32, "Firefox", content_queries.devices_of(uuid7(), 2))
        content.clear_devices(sam.user_id, by=sam)
        plans.apply(plans.make_from_table("channels.import_people", b"email\nnew@example.org\n", by=root), by=root)
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        return list(session.scalars(text("SELECT key FROM reporting.downloads UNION ALL SELECT key FROM reporting.runs")))
