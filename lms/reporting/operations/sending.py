"""One run of a schedule: the file, the mail with the first rows in it, and the links in that mail."""

from collections.abc import Callable
from urllib.parse import parse_qs
from uuid import UUID

from babel.dates import format_datetime, get_timezone_name

from lms.channels import queries as channels
from lms.core import audit, mail, signing
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Refusal
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.i18n import in_locale, locale
from lms.core.reports import Report, View
from lms.core.reports.words import cell_words, view_words
from lms.core.tenancy import current_channel
from lms.reporting import queries
from lms.reporting.events import AlertRaised
from lms.reporting.models import Run, Schedule
from lms.reporting.operations.downloading import RUNS_KEPT
from lms.reporting.operations.making import Made, make_file
from lms.reporting.operations.scheduling import members_among, stop_schedule

FIRST_ROWS = 20
ATTACHED_UP_TO = 2_000_000
STOP, FILE = "reporting:stop", "reporting:file"
TEMPLATE = "reporting/mail/report"
LASTS = 10 * 365 * 86_400


def make_run(run_id: UUID, *, told: Callable[[int], None] | None = None) -> Made | None:
    """The file of a run, made with its owner's rights of this moment; None when there is nothing to send. `told` hears of its rows.

    A schedule that cannot go on (its owner left, the list is gone or refuses) is stopped and says so; the run fails with the reason.
    """
    run = queries.get_run(run_id)
    if run.state != "waiting":
        return None
    schedule = queries.get_schedule(run.schedule_id, deleted=True)
    if _was_deleted(schedule, run):
        return None
    try:
        report, view, by = _what(schedule)
    except Refusal as refusal:
        run.state, run.failure, run.made_at = "failed", refusal.sentence, now()
        stop_schedule(schedule, schedule.view.title, refusal.sentence)
        return None
    if schedule.above is not None and not _comes_true(schedule, run, report, view, by):
        return None
    with in_locale(by.locale):
        made = make_file(report, view, by, schedule.format, keep=FIRST_ROWS, told=told)
    if schedule.above is not None:
        schedule.is_true = True  # not before: nothing is locked while the file is made and urgent work passes
    reason = "empty" if schedule.only_if_rows and made.count == 0 else ""
    reason = reason or ("unchanged" if schedule.only_if_changed and made.checksum == schedule.last_checksum else "")
    if reason:
        run.state, run.made_at, run.row_count, run.checksum = reason, now(), made.count, made.checksum
        made.close()
        return None
    return made


def _comes_true(schedule: Schedule, run: Run, report: Report, view: View, by: Actor) -> bool:
    """Whether an alert has to speak now: more rows than its number, and not so the last time it looked."""
    count = report.count(view, by)
    is_true = count > (schedule.above or 0)
    if is_true and not schedule.is_true:
        return True
    schedule.is_true = is_true
    run.state, run.made_at, run.row_count = "quiet", now(), count
    return False


def _was_deleted(schedule: Schedule, run: Run) -> bool:
    """Whether the schedule lies in the bin by now; its run sends nothing then."""
    if schedule.deleted_at is None:
        return False
    run.state, run.failure, run.made_at = "failed", _("The schedule was deleted."), now()
    return True


def finish_run(run_id: UUID, made: Made, key: str) -> None:
    """Write the mails of a run and note what was sent; a run finished already stays as it is."""
    run = queries.get_run(run_id, lock=True)
    if run.state != "waiting":
        return
    schedule = queries.get_schedule(run.schedule_id, deleted=True)
    if _was_deleted(schedule, run):
        return
    report, view, by = _what(schedule)
    run.state, run.made_at, run.row_count, run.checksum = "sent", now(), made.count, made.checksum
    run.key, run.filename, run.size = key, made.filename, made.size
    schedule.last_checksum = made.checksum
    inside = members_among(schedule.recipients)
    for address in schedule.recipients:
        _write(schedule, run, report, view, made, address, by, is_inside=address.lower() in inside)
    run.mail_count = len(schedule.recipients)
    if schedule.above is not None:
        emit(
            AlertRaised(
                schedule_id=schedule.id,
                run_id=run.id,
                user_id=schedule.user_id,
                title=schedule.view.title,
                row_count=made.count,
                above=schedule.above,
                href=schedule.view.href,
            )
        )


def _what(schedule: Schedule) -> tuple[Report, View, Actor]:
    """The list, the view and the person of a schedule, as they are now; raises a Refusal when it cannot go on."""
    by = channels.actor_of_user(schedule.user_id)
    report = queries.get_report(schedule.view.report)
    decision = report.allowed(by)
    if not decision:
        raise Forbidden(_("%(name)s may not see this list any more.", name=schedule.owner.name), rule=decision.rule)
    if schedule.view.deleted_at is not None:
        raise Forbidden(_("The view was deleted."), rule="view")
    return report, report.read_view(parse_qs(schedule.view.query), zone_name=schedule.zone), by


def _write(schedule: Schedule, run: Run, report: Report, view: View, made: Made, address: str, by: Actor, *, is_inside: bool) -> None:
    channel = channels.this_channel()
    face = channels.face_of(channel, channels.origin_of(channel.id))
    stop = f"{face.origin}/reporting/unsubscribe/{_stop_token(schedule, address)}"
    attached = is_inside and made.size <= ATTACHED_UP_TO  # whoever is outside gets a link that ends
    link = "" if attached else f"{face.origin}/reporting/files/{file_token(run)}"
    columns = report.shown(view)
    with in_locale(by.locale):
        context = {
            "channel": face,
            "title": schedule.view.title,
            "above": schedule.above,
            "list_title": str(report.title),
            "heads": [(str(column.label), column.kind) for column in columns],
            "rows": [[cell_words(column, row, view.zone) for column in columns] for row in made.first],
            "count": made.count,
            "checksum": made.checksum,
            "filters": view_words(report, view),
            "zone": view.zone,
            "made_at": _moment(view.zone),
            "link": link,
            "link_days": RUNS_KEPT.days,
            "filename": made.filename,
            "list_href": face.origin + schedule.view.href,
            "owner": schedule.owner.name,
            "stop": stop,
        }
    mail.send(
        address,
        TEMPLATE,
        context,
        language=by.locale,
        attachments=[{"filename": made.filename, "content_type": made.content_type, "key": run.key}] if attached else (),
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


def _moment(zone_name: str) -> str:
    moment = now().astimezone(zone(zone_name))
    return f"{format_datetime(moment, 'd MMM y, HH:mm', locale=locale())} {get_timezone_name(moment, 'short', locale=locale())}"


def file_token(run: Run) -> str:
    """The part of an address that gives a run's file to whoever holds it, while the file is kept."""
    claims = {"r": str(run.id), "c": str(current_channel())}
    return signing.sign(FILE, claims, seconds=int(RUNS_KEPT.total_seconds()))


def run_of_token(token: str) -> Run:
    """The run a file link stands for; raises Forbidden when the link or the file is past its time."""
    claims = signing.unsign(FILE, token)
    run = queries.get_run(UUID(claims["r"]))
    if claims["c"] != str(current_channel()) or not run.key:
        raise Forbidden(_("This file is not kept any more. Ask for the next one."), rule="expired")
    queries.get_schedule(run.schedule_id)  # raises NoView while it lies in the bin
    return run


def _stop_token(schedule: Schedule, address: str) -> str:
    return signing.sign(STOP, {"s": str(schedule.id), "a": address, "c": str(current_channel())}, seconds=LASTS)


def who_stops(token: str) -> tuple[Schedule, str]:
    """The schedule and the address a stop link stands for; raises Forbidden for any other."""
    claims = signing.unsign(STOP, token)
    if claims["c"] != str(current_channel()):
        raise Forbidden(_("This link is not valid here any more."), rule="signature")
    return queries.get_schedule(UUID(claims["s"]), deleted=True), str(claims["a"])


def drop_recipient(schedule: Schedule, address: str) -> None:
    """Send a schedule's mails to this address no more; with nobody left it is switched off. Twice changes nothing."""
    left = [one for one in schedule.recipients if one.lower() != address.lower()]
    if len(left) == len(schedule.recipients):
        return
    by = Actor(name=address, email=address, channel_id=current_channel())
    audit.update(schedule, "reporting.unsubscribe", by=by, recipients=left)
    if not left:
        stop_schedule(schedule, schedule.view.title, _("Everybody who got it has unsubscribed."))
