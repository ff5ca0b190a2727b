"""Background work of reporting: schedules that are due, downloads, the figures of finished days, tidying."""

from datetime import date
from urllib.parse import parse_qs
from uuid import UUID

from lms.channels import queries as channels
from lms.core import i18n
from lms.core.clock import now
from lms.core.errors import Refusal
from lms.core.jobs import Every, give_way, job, report_progress, step
from lms.core.storage import storage
from lms.core.tenancy import current_channel
from lms.reporting import operations, policies, queries
from lms.reporting.operations import Made


@job(queue="mail", every=Every(minutes=5))
def start_due_runs() -> None:
    """Begin the scheduled mails whose time has come."""
    for run_id in operations.start_due_runs(now()):
        send_run.later(run_id=run_id)


@job(queue="files", in_steps=True, lease_seconds=900)
def send_run(run_id: UUID | str) -> None:
    """Make the file of one run and mail it; a try that failed half-way sends nothing twice."""
    which = UUID(str(run_id))
    with step():
        made = operations.make_run(which, told=lambda _done: give_way())
        key = f"{current_channel()}/reports/{which}"
    if made is None:
        return
    key = _store(made, key)
    with step():
        operations.finish_run(which, made, key)
    made.close()


@job(queue="files", in_steps=True, lease_seconds=900, tries=3)
def make_download(download_id: UUID | str) -> None:
    """Make a file somebody asked for, with their rights of this moment."""
    which = UUID(str(download_id))
    with step():
        made = _make(which)
        key = f"{current_channel()}/downloads/{which}"
    if made is None:
        return
    key = _store(made, key)
    with step():
        download = queries.get_download(which, deleted=True)
        with i18n.in_locale(download.locale):
            operations.finish_download(download, queries.get_report(download.report), made, key)
    made.close()


def _make(download_id: UUID) -> Made | None:
    download = queries.get_download(download_id, deleted=True)
    if download.state != "waiting":
        return None
    with i18n.in_locale(download.locale):
        try:
            report, by = queries.get_report(download.report), channels.actor_of_user(download.user_id)
            decision = policies.can_read(by, report)
            if not decision:
                operations.refuse_download(download, str(report.title), decision.sentence)
                return None
            view = report.read_view(parse_qs(download.query), zone_name=download.zone)
            count = max(report.count(view, by), 1)

            def told(done: int) -> None:
                report_progress(done / count)
                operations.check_wanted(download_id)
                give_way()

            return operations.make_file(report, view, by, download.format, told=told)
        except Refusal as refusal:
            operations.refuse_download(download, download.report, refusal.sentence)
            return None


def _store(made: Made, key: str) -> str:
    key = f"{key}.{made.filename.rpartition('.')[2]}"
    storage().put(key, made.file, made.content_type)
    made.file.seek(0)
    return key


@job(queue="default", every=Every(minutes=5))
def note_people() -> None:
    """Keep who is here today, before "last seen" moves on, and count the day and the week so far."""
    today = queries.channel_today()
    operations.note_people(date.fromordinal(today.toordinal() - 1), today)
    operations.count_today()
    operations.recount_week(date.fromordinal(today.toordinal() - today.weekday()))


@job(queue="default", every=Every(minutes=1), lease_seconds=300)
def count_stale_days() -> None:
    """Count anew the days of which something was taken out or brought back; until then the dashboard looks them up."""
    operations.recount_stale_days()


@job(queue="bulk", every=Every(minutes=60))
def count_courses() -> None:
    """Count what the enrolments of each course add up to, where there are many."""
    operations.recount_courses()


@job(queue="bulk", in_steps=True, lease_seconds=900, every=Every(minutes=60))
def count_days() -> None:
    """Count the days that are over in the channel's zone and not counted yet: each midnight's figures within the hour."""
    with step():
        stretches = operations.unfinished_stretches()
    for number, (first, last) in enumerate(stretches, 1):
        with step():
            operations.recount(first, last)
        report_progress(number / len(stretches))


@job(queue="bulk", every=Every(at="03:50"))
def expire_files() -> None:
    """Take away files past their time."""
    operations.expire_files()
