"""Schedules: when a saved view goes out, to whom, and which runs are due."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from lms.channels.models import Member
from lms.core import audit, bin, db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.errors import Forbidden, Invalid, Unauthenticated
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel
from lms.reporting import policies, queries
from lms.reporting.events import ScheduleStopped
from lms.reporting.models import CADENCES, FORMATS, MONDAY, Run, SavedView, Schedule

MOST_RECIPIENTS = 20

BIN = "schedule"


@dataclass(frozen=True, slots=True)
class Timetable:
    """When and how a view goes out; `hour` is the wall clock's in `zone`. With `above` it is an alert, once for each time it comes true."""

    cadence: str = "weekly"
    weekday: int = MONDAY
    month_day: int = 1
    hour: int = 8
    zone: str = "UTC"
    format: str = "csv"
    only_if_rows: bool = False
    days: tuple[int, ...] = ()
    every: int = 1
    only_if_changed: bool = False
    above: int | None = None

    def values(self) -> dict[str, Any]:
        """As columns of a schedule."""
        return {**asdict(self), "days": list(self.days)}


def add_schedule(view: SavedView, when: Timetable, recipients: Sequence[str], *, by: Actor) -> Schedule:
    """Send a view by mail from now on; it is sent with this person's rights."""
    if by.user_id is None:
        raise Unauthenticated(_("Sign in first."))
    _check(when)
    addresses = read_recipients(recipients, by=by)
    made = Schedule(view_id=view.id, user_id=by.user_id, recipients=addresses, next_run_at=now(), anchor_on=_today(when), **when.values())
    made.next_run_at = made.run_after(now())
    db.session().add(made)
    db.session().flush()
    audit.record("reporting.add_schedule", made, by=by, name=view.title, after={**when.values(), "recipients": addresses})
    return queries.get_schedule(made.id)


def edit_schedule(schedule: Schedule, when: Timetable, recipients: Sequence[str], *, by: Actor) -> bool:
    """Change when and to whom a view goes; the next run is computed anew. False when nothing changed."""
    _check(when)
    addresses = read_recipients(recipients, by=by, known=schedule.recipients)
    changed = audit.update(schedule, "reporting.edit_schedule", by=by, recipients=addresses, **when.values())
    if changed:
        schedule.is_true, schedule.last_checksum = False, ""
        schedule.next_run_at = schedule.run_after(now())
        db.session().flush()
    return changed


def set_schedule_on(schedule: Schedule, is_on: bool, *, by: Actor) -> None:
    """Pause a schedule or let it go on; what was missed meanwhile is not sent."""
    if audit.update(schedule, "reporting.resume_schedule" if is_on else "reporting.pause_schedule", by=by, is_on=is_on) and is_on:
        schedule.stopped_because, schedule.next_run_at = "", schedule.run_after(now())
        db.session().flush()


def delete_schedule(schedule: Schedule, *, by: Actor) -> None:
    """Put a schedule into the bin: it sends nothing, and links to its files rest. Deleting twice changes nothing."""
    if schedule.deleted_at is None:
        audit.update(schedule, "reporting.delete_schedule", by=by, deleted_at=now())
        bin.put(BIN, schedule.id, schedule.view.title, by=by)


def restore_schedule(schedule: Schedule, *, by: Actor) -> None:
    """Have the list sent by mail again, from its next time on; twice changes nothing."""
    if schedule.deleted_at is None:
        return
    bin.expect_kept(BIN, schedule.id)
    audit.update(schedule, "reporting.restore_schedule", by=by, deleted_at=None)
    bin.take_out(BIN, [schedule.id], by=by)
    schedule.next_run_at = schedule.run_after(now())  # what was missed meanwhile is not sent


def start_due_runs(moment: datetime) -> list[UUID]:
    """Note a run for each schedule whose time has come, and when each comes next; the ids of the runs.

    What was missed while nothing ran is sent once, late. The unique key (schedule, due time) keeps any run from happening twice.
    """
    started = []
    for schedule in queries.due_schedules(moment):
        run_id = _note_run(schedule.id, schedule.next_run_at)
        if run_id is not None:
            started.append(run_id)
        schedule.last_run_at, schedule.next_run_at = schedule.next_run_at, schedule.run_after(max(moment, schedule.next_run_at))
    db.session().flush()
    return started


def start_run(schedule: Schedule, *, by: Actor) -> UUID | None:
    """Note a run now, beside the timetable; None when one was noted in this very second."""
    audit.record("reporting.send_now", schedule, by=by, name=schedule.view.title)
    return _note_run(schedule.id, now().replace(microsecond=0))


def stop_schedule(schedule: Schedule, title: str, reason: str) -> None:
    """Stop a schedule that cannot go on, and tell its owner why."""
    if schedule.is_on:
        schedule.is_on, schedule.stopped_because = False, reason
        emit(ScheduleStopped(schedule_id=schedule.id, user_id=schedule.user_id, title=title, reason=reason))


def _note_run(schedule_id: UUID, due_at: datetime) -> UUID | None:
    row = {"id": uuid7(), "channel_id": current_channel(), "schedule_id": schedule_id, "due_at": due_at}
    return db.session().scalar(insert(Run).values(row).on_conflict_do_nothing().returning(Run.id))


def _today(when: Timetable) -> date:
    return now().astimezone(zone(when.zone)).date()


def _check(when: Timetable) -> None:
    faults = {}
    if when.cadence not in CADENCES:
        faults["cadence"] = _("Choose how often from the list.")
    if not 1 <= when.every <= 52 or not all(0 <= day <= 6 for day in when.days):
        faults["every"] = _("Choose 1 to 52 weeks, and days of the week.")
    if when.above is not None and not 0 <= when.above <= 1_000_000_000:
        faults["above"] = _("Name a number of rows from 0 on.")
    if not (0 <= when.weekday <= 6 and 1 <= when.month_day <= 31 and 0 <= when.hour <= 23):
        faults["hour"] = _("Choose a day and an hour.")
    if when.zone not in available_timezones():
        faults["zone"] = _("%(zone)s is no time zone. Use a name such as Europe/Paris.", zone=when.zone)
    if when.format not in FORMATS:
        faults["format"] = _("A list comes as csv or xlsx.")
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)


def members_among(addresses: Sequence[str]) -> set[str]:
    """Which of these addresses are a member's, in lower case."""
    wanted = [address.lower() for address in addresses]
    active = select(func.lower(Member.email)).where(func.lower(Member.email).in_(wanted), Member.status.in_(("active", "invited")))
    return set(db.session().scalars(active))


def read_recipients(typed: Sequence[str], *, by: Actor, known: Sequence[str] = ()) -> list[str]:
    """The addresses as they are kept, each once; raises Invalid for what is none, Forbidden for outsiders this person may not write to."""
    addresses: dict[str, str] = {}
    for one in typed:
        if not one.strip():
            continue
        try:
            found = validate_email(one.strip(), check_deliverability=False).normalized
        except EmailNotValidError as error:
            sentence = _("%(address)s is no mail address.", address=one.strip()[:80])
            raise Invalid(sentence, fields={"recipients": sentence}) from error
        addresses.setdefault(found.lower(), found)
    if not 1 <= len(addresses) <= MOST_RECIPIENTS:
        sentence = _("Name 1 to %(most)s mail addresses.", most=MOST_RECIPIENTS)
        raise Invalid(sentence, fields={"recipients": sentence})
    inside = members_among(list(addresses))
    before = {address.lower() for address in known}
    decision = policies.can_write_to(by, bool(addresses.keys() - inside - before))
    if not decision:
        raise Forbidden(decision.sentence, rule=decision.rule)
    return list(addresses.values())
