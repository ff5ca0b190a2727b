"""Schedules send what the screen shows, once; downloads are made by workers; days counted again come out the same."""

import zipfile
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lms.channels import operations as channels
from lms.channels import queries as members
from lms.channels.reports import People
from lms.content.jobs import process
from lms.core import db
from lms.core import jobs as core_jobs
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Invalid
from lms.core.mail import message_of, newest
from lms.core.models import Mail
from lms.core.reports import plain
from lms.core.storage import storage
from lms.enrollments.reports import Enrollments
from lms.notifications import queries as notices
from lms.notifications.models import Notice
from lms.reporting import jobs, operations, queries
from lms.reporting.errors import CalledOff, TooManyDownloads
from lms.reporting.models import Daily, Run, Schedule
from lms.reporting.operations import Timetable, counting, making, sending
from lms.reporting.queries import courses as course_queries
from lms.reporting.reports import Completion, Engagement, Retention, Revenue, Usage
from lms.vouchers.jobs import make_sheet
from tests.conftest import CHANNEL, OTHER_CHANNEL, outbox_errors, run_jobs
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, ada, an_instructor, root
from tests.reporting.readers import checksum_of_rows, rows_of_csv
from tests.reporting.world import busy

ZONE = "America/New_York"


def a_schedule(by: Actor, *to: str, query: str = "role=student", when: Timetable | None = None) -> Schedule:
    """The students, by mail, every Monday at eight in New York."""
    view = operations.save_view(People(), query, "Students", by=by)
    return operations.add_schedule(view, when or Timetable(zone=ZONE), to or ("root@example.org",), by=by)


def make_due(schedule_id: UUID) -> None:
    with db.unit_of_work(CHANNEL) as session:
        session.execute(
            text("UPDATE reporting.schedules SET next_run_at = clock_timestamp() - interval '1 minute' WHERE id = :id"), {"id": schedule_id}
        )


def report_mails(address: str = "") -> list[Mail]:
    with db.unit_of_work(CHANNEL, read_only=True):
        return [mail for mail in newest(50, address) if mail.template == "reporting/mail/report"]


def tick() -> None:
    """The scheduler's tick, and all that follows."""
    with db.unit_of_work(CHANNEL):
        jobs.start_due_runs()
    run_jobs()


def runs(schedule_id: UUID) -> list[Run]:
    with db.unit_of_work(CHANNEL, read_only=True):
        return list(queries.runs_of(schedule_id))


def test_start_due_runs__mails_the_rows_and_checksum_of_the_screen(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        by = busy()
        a_student('Zoë, "the" =First')
        schedule = a_schedule(by, "root@example.org", "board@elsewhere.example")
        view = People().read_view({"role": ["student"]}, zone_name=ZONE)
        count, checksum = People().checksum(view, by)
        screen = [[plain(column, row) for column in People().shown(view)] for row in People().page(view, by).rows]
    make_due(schedule.id)
    tick()
    assert not outbox_errors()
    (run,) = runs(schedule.id)
    assert (run.state, run.row_count, run.checksum, run.mail_count) == ("sent", count, checksum, 2)
    assert {mail.to_address for mail in report_mails()} == {"root@example.org", "board@elsewhere.example"}
    (mail,) = report_mails("board@elsewhere.example")
    for words in (checksum, f"Rows: {count}", f"Time zone: {ZONE}", "Role: Student", "You get this because Root Admin"):
        assert words in mail.body_text, words
    assert checksum in mail.body_html and mail.body_html.count("<tr>") == count + 1
    message = message_of(mail)
    (attached,) = list(message_of(report_mails("root@example.org")[0]).iter_attachments())
    rows = rows_of_csv(attached.get_payload(decode=True).decode(), People().shown(view), ZONE)
    assert rows == screen and checksum_of_rows(rows) == checksum
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_start_due_runs__twice_or_late_sends_once_and_goes_on_with_the_next(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        schedule = a_schedule(root(), query="")
    make_due(schedule.id)
    tick()
    tick()
    assert len(runs(schedule.id)) == 1 == len(report_mails())
    with db.unit_of_work(CHANNEL) as session:
        after = queries.get_schedule(schedule.id)
        assert after.next_run_at > now() and after.next_run_at - now() <= timedelta(days=7, hours=1)
        session.execute(text("UPDATE reporting.schedules SET next_run_at = now() - interval '30 days'"))
    tick()
    assert len(runs(schedule.id)) == 2


def test_send_run__again_after_it_was_sent_sends_nothing(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        schedule = a_schedule(root(), query="")
    make_due(schedule.id)
    tick()
    with db.unit_of_work(CHANNEL):
        jobs.send_run.later(run_id=runs(schedule.id)[0].id)
    run_jobs()
    assert len(report_mails()) == 1 and not outbox_errors()


def test_make_run__says_nothing_when_there_are_no_rows_and_that_was_wished(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        schedule = a_schedule(root(), query="status=suspended", when=Timetable(zone=ZONE, only_if_rows=True))
    make_due(schedule.id)
    tick()
    assert runs(schedule.id)[0].state == "empty" and not report_mails()


@pytest.mark.parametrize("why", ["suspended", "demoted"])
def test_make_run__stops_when_its_owner_may_not_see_the_list_any_more(connection: object, why: str) -> None:
    with db.unit_of_work(CHANNEL):
        other = root()
        by = an_instructor("Ida Instructor")
        assert by.user_id is not None
        channels.change_role(members.get_member(by.user_id), "admin", by=other)
        by = members.actor_of_user(by.user_id)
        schedule = a_schedule(by, "root@example.org")
        member = members.get_member(by.user_id)
        if why == "suspended":
            channels.suspend(member, by=other)
        else:
            channels.change_role(member, "instructor", by=other)
    make_due(schedule.id)
    tick()
    assert runs(schedule.id)[0].state == "failed" and not report_mails()
    with db.unit_of_work(CHANNEL):
        after = queries.get_schedule(schedule.id)
        assert not after.is_on and after.stopped_because
        told = [notice.title for notice in notices.notices_of(by.user_id)]
        assert ("A scheduled report stopped: Students" in told) == (why == "demoted")


def test_finish_run__links_to_a_file_too_large_for_a_mail(connection: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTACHED_UP_TO", 10)
    with db.unit_of_work(CHANNEL):
        schedule = a_schedule(root(), query="")
    make_due(schedule.id)
    tick()
    (mail,) = report_mails()
    assert mail.attachments == [] and "/reporting/files/" in mail.body_text
    run = runs(schedule.id)[0]
    with storage().open(run.key) as file:
        assert len(file.read()) == run.size


def test_expire_files__takes_files_past_their_time_and_keeps_others(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        by = root()
        schedule = a_schedule(by, query="")
        download = operations.begin_download(People(), "", "csv", by=by)
        download.job_id = jobs.make_download.put({"download_id": download.id})
    make_due(schedule.id)
    tick()
    run = runs(schedule.id)[0]
    with db.unit_of_work(CHANNEL) as session:
        jobs.expire_files()
        assert storage().exists(run.key) and queries.get_download(download.id).state == "ready"
        session.execute(text("UPDATE reporting.runs SET made_at = now() - interval '15 days'"))
        session.execute(text("UPDATE reporting.downloads SET expires_at = now() - interval '1 day'"))
    with db.unit_of_work(CHANNEL):
        jobs.expire_files()
    with db.unit_of_work(CHANNEL):
        assert not storage().exists(run.key) and queries.get_download(download.id).state == "expired"
        with pytest.raises(Forbidden):
            operations.run_of_token(operations.file_token(queries.get_run(run.id)))


def test_add_schedule__refuses_what_is_no_address_zone_or_hour_and_outsiders_from_instructors(work: Session) -> None:
    by, teacher = root(), ada()
    view = operations.save_view(Enrollments(), "", "All", is_shared=True, by=by)
    for addresses in (["nobody"], [], [f"p{number}@example.org" for number in range(21)]):
        with pytest.raises(Invalid):
            operations.add_schedule(view, Timetable(), addresses, by=by)
    for wrong in (Timetable(zone="Mars/Base"), Timetable(hour=24), Timetable(cadence="yearly"), Timetable(format="pdf")):
        with pytest.raises(Invalid):
            operations.add_schedule(view, wrong, ["root@example.org"], by=by)
    with pytest.raises(Forbidden):
        operations.add_schedule(view, Timetable(), ["somebody@elsewhere.example"], by=teacher)
    made = operations.add_schedule(view, Timetable(), ["ROOT@example.org", "root@example.org "], by=teacher)
    assert [address.lower() for address in made.recipients] == ["root@example.org"]


def test_edit_schedule__computes_the_next_run_anew(work: Session) -> None:
    by = root()
    schedule = a_schedule(by)
    before = schedule.next_run_at
    assert not operations.edit_schedule(schedule, Timetable(zone=ZONE), schedule.recipients, by=by)
    assert operations.edit_schedule(
        schedule, Timetable(cadence="daily", hour=(before.hour + 5) % 24, zone="UTC"), ["root@example.org"], by=by
    )
    assert schedule.next_run_at != before and schedule.next_run_at > now()


def test_set_schedule_on__sends_nothing_that_was_missed(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        by = root()
        schedule = a_schedule(by, query="")
        operations.set_schedule_on(schedule, False, by=by)
    make_due(schedule.id)
    tick()
    assert not runs(schedule.id)
    with db.unit_of_work(CHANNEL):
        operations.set_schedule_on(queries.get_schedule(schedule.id), True, by=by)
    tick()
    assert not runs(schedule.id)


def test_delete_view__lets_its_schedules_rest_until_it_is_back(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        by = root()
        schedule = a_schedule(by, query="")
        operations.delete_view(queries.get_view(schedule.view_id), by=by)
    make_due(schedule.id)
    tick()
    assert not runs(schedule.id)
    with db.unit_of_work(CHANNEL):
        operations.restore_view(queries.get_view(schedule.view_id, deleted=True), by=by)
    tick()
    assert len(runs(schedule.id)) == 1


def test_save_view__is_canonical_and_one_of_a_name(work: Session) -> None:
    by = root()
    first = operations.save_view(People(), "?sort=name&role=student&nonsense=1&q= ada ", "  Students  here ", by=by)
    assert (first.title, first.query) == ("Students here", "q=ada&role=student&sort=name")
    again = operations.save_view(People(), "role=admin", "Students here", is_default=True, by=by)
    assert again.id == first.id and queries.default_query("channels.people", by.user_id) == "role=admin"
    other = operations.save_view(People(), "role=owner", "Owners", is_default=True, by=by)
    assert queries.default_query("channels.people", by.user_id) == "role=owner" and not first.is_default and other.is_default
    with pytest.raises(Invalid):
        operations.save_view(People(), "role=emperor", "x", by=by)
    with pytest.raises(Invalid):
        operations.save_view(People(), "", " ", by=by)
    with pytest.raises(Invalid):
        operations.edit_view(other, title="Students here", is_shared=False, is_default=False, by=by)


def test_make_download__gives_the_rows_of_the_screen_with_checksum_and_tells(connection: object, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[str] = []
    monkeypatch.setattr(making, "TOLD_EACH", 4)
    monkeypatch.setattr(core_jobs, "_urgent", [lambda: passed.append(queries.get_download(download.id).state)])
    with db.unit_of_work(CHANNEL):
        by = busy()
        download = operations.begin_download(People(), "role=student", "xlsx", by=by)
        download.job_id = jobs.make_download.put({"download_id": download.id})
        expected = People().checksum(People().read_view({"role": ["student"]}), by)
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL, read_only=True):
        ready = queries.get_download(download.id)
        assert (ready.state, ready.row_count, ready.checksum) == ("ready", *expected)
        assert storage().size(ready.key) == ready.size and ready.key.startswith(str(CHANNEL))
        with storage().open(ready.key) as file, zipfile.ZipFile(file) as book:
            about = book.read("xl/worksheets/sheet2.xml").decode()
        assert f"SHA-256 {ready.checksum}" in about and "Role: Student" in about
        assert by.user_id is not None
        assert "Your download is ready: People" in [notice.title for notice in notices.notices_of(by.user_id)]
    assert passed and set(passed) == {"waiting"}, "a sign-in code passes while the file is made"


def test_files__are_before_what_nobody_waits_for() -> None:
    assert {one.queue for one in (jobs.make_download, jobs.send_run, make_sheet, process)} == {"files"}
    assert core_jobs.QUEUES.index("files") < core_jobs.QUEUES.index("bulk")


def test_make_download__is_refused_to_those_who_lost_the_right(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        other, by = root(), an_instructor("Ida Instructor")
        assert by.user_id is not None
        channels.change_role(members.get_member(by.user_id), "admin", by=other)
        download = operations.begin_download(People(), "", "csv", by=members.actor_of_user(by.user_id))
        jobs.make_download.later(download_id=download.id)
        channels.change_role(members.get_member(by.user_id), "instructor", by=other)
    run_jobs()
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.get_download(download.id).state == "failed" and "admin" in queries.get_download(download.id).failure


def test_check_wanted__refuses_what_was_called_off(work: Session) -> None:
    by = root()
    download = operations.begin_download(People(), "", "csv", by=by)
    operations.check_wanted(download.id)
    assert operations.cancel_download(download, by=by) and not operations.cancel_download(download, by=by)
    with pytest.raises(CalledOff):
        operations.check_wanted(download.id)


def test_begin_download__five_at_a_time(work: Session) -> None:
    by = root()
    for _ in range(5):
        operations.begin_download(People(), "", "csv", by=by)
    with pytest.raises(TooManyDownloads):
        operations.begin_download(People(), "", "csv", by=by)


# --- days ---------------------------------------------------------------------------------------------------------------


def figures(session: Session) -> list[tuple[UUID, date, str, str, str, int]]:
    rows = session.execute(select(Daily.id, Daily.day, Daily.metric, Daily.dimension, Daily.currency, Daily.value).order_by(Daily.id)).all()
    return [tuple(row) for row in rows]


def history(session: Session, days: int = 40) -> None:
    """Let what just happened have happened over some weeks."""
    for table, column in (
        ("enrollments.enrollments", "enrolled_at"), ("payments.orders", "paid_at"), ("auth.sessions", "created_at"),
        ("enrollments.lesson_progress", "seen_at"),
    ):  # fmt: skip
        session.execute(
            text(f"UPDATE {table} SET {column} = {column} - (abs(hashtext(id::text)) % :days) * interval '1 day'"), {"days": days}
        )


def test_recount__gives_the_same_figures_with_the_same_ids_however_often(work: Session) -> None:
    busy()
    history(work)
    today = queries.channel_today()
    for first, last in operations.unfinished_stretches():
        operations.recount(first, last)
    before = figures(work)
    assert len({row[2] for row in before}) >= 5
    work.execute(text("UPDATE auth.sessions SET seen_at = now()"))
    work.execute(text("UPDATE enrollments.lesson_progress SET seen_at = now()"))
    operations.recount(today - timedelta(days=41), today - timedelta(days=1))
    operations.recount(today - timedelta(days=10), today - timedelta(days=5))
    assert [row for row in figures(work) if row[2] != "counted"] == [row for row in before if row[2] != "counted"]


def test_recount__counted_days_read_as_live_ones_did(work: Session) -> None:
    by = busy()
    history(work)
    report = Usage()
    view = report.read_view({})
    live = report.checksum(view, by), Revenue().checksum(Revenue().read_view({}), by)
    assert live[0][0] > 5
    for first, last in operations.unfinished_stretches():
        operations.recount(first, last)
    assert queries.counted_days() is not None
    assert (report.checksum(view, by), Revenue().checksum(Revenue().read_view({}), by)) == live


def test_unfinished_stretches__cover_every_day_to_yesterday_and_start_again_for_older_facts(work: Session) -> None:
    busy()
    history(work, 90)
    stretches = operations.unfinished_stretches()
    assert stretches[-1][1] == queries.channel_today() - timedelta(days=1)
    assert all(one[0] == other[1] + timedelta(days=1) for one, other in zip(stretches[1:], stretches, strict=False))
    for first, last in stretches:
        operations.recount(first, last)
    assert operations.unfinished_stretches() == []
    work.execute(text("UPDATE enrollments.enrollments SET enrolled_at = enrolled_at - interval '200 days'"))
    assert operations.unfinished_stretches()[0][0] < stretches[0][0]


def test_count_days__as_a_job_counts_what_is_over(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        busy()
        history(session)
        jobs.count_days.later()
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL, read_only=True):
        counted = queries.counted_days()
        assert counted is not None and counted[1] == queries.channel_today() - timedelta(days=1)
    with db.unit_of_work(OTHER_CHANNEL, read_only=True):
        assert queries.counted_days() is None


def test_note_people__keeps_who_was_here_when_last_seen_moves_on(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as session:
        busy()
        history(session, 3)
        jobs.note_people()
        before = session.execute(text("SELECT count(*) FROM reporting.presences")).scalar_one()
        session.execute(text("UPDATE enrollments.lesson_progress SET seen_at = now()"))
        jobs.note_people()
        after = session.execute(text("SELECT count(*) FROM reporting.presences")).scalar_one()
        [(late,)] = session.execute(
            text(
                "SELECT count(*) FROM reporting.presences p JOIN channels.members m ON m.id = p.user_id"
                " WHERE m.seen_at IS NULL OR m.seen_at::date < p.day"
            )
        )
    assert after >= before > 0 and late == 0, "the list of people counts at least those whom a day counts"


def test_count_today__and_what_comes_after_it_are_together_what_a_recount_finds(work: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    busy()
    today = queries.channel_today()
    assert operations.count_today() is None, "yesterday waits to be counted"
    operations.recount(today - timedelta(days=1), today - timedelta(days=1))
    live = queries.day_series(today, today, currency="EUR")
    jobs.note_people()
    monkeypatch.setattr(counting, "LEFT_LIVE", timedelta(0))
    assert Usage().page(Usage().read_view({}), root()).rows[0]["active"] == live["active"].total
    assert operations.count_today() is not None
    known = queries.standing()
    assert known.marked == today and known.live > known.begins(today)
    assert queries.day_series(today, today, currency="EUR") == live
    late = a_student("Late Lea")
    an_enrollment(late, a_course("Late", lessons=2, published=True), progress=100)
    after = queries.day_series(today, today, currency="EUR")
    assert (
        after["enrolments"].total == live["enrolments"].total + 1
        and after["lessons_completed"].total == live["lessons_completed"].total + 2
    )
    assert after["active"].total == live["active"].total + 1
    assert Usage().page(Usage().read_view({}), root()).rows[0]["active"] == after["active"].total
    operations.recount(today, today)
    assert queries.day_series(today, today, currency="EUR") == after


def test_recount_week__counts_who_came_back_by_the_week_they_joined(work: Session) -> None:
    by, today = root(), queries.channel_today()
    monday = today - timedelta(days=today.weekday())
    cast = [a_student(f"Student {number}") for number in range(4)]
    work.execute(text("UPDATE channels.members SET joined_at = :at"), {"at": datetime.combine(monday - timedelta(days=12), time(12), UTC)})
    for weeks, people in ((1, cast[:2]), (0, cast[:1])):
        for person in people:
            day = monday - timedelta(weeks=weeks)
            work.execute(
                text("INSERT INTO reporting.presences (id, day, user_id) VALUES (uuidv7(), :day, :user)"),
                {"day": day, "user": person.user_id},
            )
        for _again in range(2):
            operations.recount_week(monday - timedelta(weeks=weeks))
    report = Retention()
    (row,) = report.page(report.read_view({}), by).rows
    assert row["joined"] == 5 and [row[f"week_{week}"] for week in range(4)] == [0, 40, 20, None]
    weeks = {row["week"]: row["people"] for row in Engagement().page(Engagement().read_view({}), by).rows}
    assert weeks.get(monday - timedelta(weeks=2), 0) == 0


def test_recount_courses__gives_what_a_small_channel_counts_at_once(work: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    by, report = busy(), Completion()
    view = report.read_view({"columns": ["title", "enrolled", "started", "completed", "share", "median", "lesson", "stopped"]})
    at_once = report.checksum(view, by)
    assert at_once[0] == 2 and operations.recount_courses() == 0
    row = next(row for row in report.page(view, by).rows if row["enrolled"] == 9)
    assert (row["started"], row["completed"], row["share"], row["median"], row["lesson"], row["stopped"]) == (6, 3, 33, 0, "Lesson 1", 3)
    monkeypatch.setattr(course_queries, "AT_ONCE", 3)
    assert operations.recount_courses() == 2 == operations.recount_courses()
    assert report.checksum(view, by) == at_once


def test_count_courses__is_a_job_for_channels_with_many_enrolments(connection: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.unit_of_work(CHANNEL) as session:
        busy()
        monkeypatch.setattr(course_queries, "AT_ONCE", 3)
        jobs.count_courses()
        assert session.execute(text("SELECT count(*) FROM reporting.course_figures")).scalar_one() == 2


def test_day_series__fills_days_without_figures_and_follows_the_channels_zone(work: Session) -> None:
    busy()
    work.execute(text("UPDATE channels.channels SET zone = 'Pacific/Kiritimati'"))
    today = queries.channel_today()
    series = queries.day_series(today - timedelta(days=29), today, currency="EUR")
    assert len(series["enrolments"].days) == 30 and series["enrolments"].values[-1] == 12 == series["enrolments"].total
    assert series["revenue"].total == 3750 and queries.day_series(today, today, currency="USD")["revenue"].total == 0


def due_again(schedule_id: UUID) -> str:
    """One more time it is due; the state of that run."""
    make_due(schedule_id)
    tick()
    return runs(schedule_id)[0].state


def test_make_run__of_an_alert_speaks_when_it_comes_true_and_again_after_it_was_not(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        by = root()
        a_student("One")
        schedule = a_schedule(by, when=Timetable(cadence="hourly", zone=ZONE, above=2))
    assert due_again(schedule.id) == "quiet" and not report_mails()
    with db.unit_of_work(CHANNEL):
        others = [a_student(f"Another {number}") for number in range(2)]
    assert due_again(schedule.id) == "sent" and len(report_mails()) == 1
    assert due_again(schedule.id) == "quiet" and len(report_mails()) == 1
    assert "You wanted to hear when there are more than 2 rows" in report_mails()[0].body_text
    with db.unit_of_work(CHANNEL):
        found = [notice.title for notice in db.session().scalars(select(Notice)) if "rows: Students" in notice.title]
        assert len(found) == 1
        assert others[0].user_id is not None
        channels.change_role(members.get_member(others[0].user_id), "instructor", by=by)
    assert due_again(schedule.id) == "quiet"
    with db.unit_of_work(CHANNEL):
        a_student("One more")
    assert due_again(schedule.id) == "sent" and len(report_mails()) == 2 and not outbox_errors()


def test_make_run__only_when_the_rows_changed(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        by = root()
        a_student("One")
        schedule = a_schedule(by, when=Timetable(zone=ZONE, only_if_changed=True))
    assert [due_again(schedule.id), due_again(schedule.id)] == ["sent", "unchanged"]
    with db.unit_of_work(CHANNEL):
        a_student("Two")
    assert [due_again(schedule.id), due_again(schedule.id)] == ["sent", "unchanged"]
    assert len(report_mails()) == 2


def test_finish_run__gives_outsiders_a_link_that_ends_and_members_the_file(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        schedule = a_schedule(root(), "root@example.org", "board@elsewhere.example")
    assert due_again(schedule.id) == "sent"
    (inside,), (outside,) = report_mails("root@example.org"), report_mails("board@elsewhere.example")
    assert len(list(message_of(inside).iter_attachments())) == 1 and "/reporting/files/" not in inside.body_text
    assert not list(message_of(outside).iter_attachments()) and "/reporting/files/" in outside.body_text


def test_members_among__knows_members_whatever_the_case(work: Session) -> None:
    root()
    assert operations.scheduling.members_among(["ROOT@example.org", "board@elsewhere.example"]) == {"root@example.org"}
