"""What the frame asks the database."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.channels.queries import people_last_here
from lms.core import db, deeds
from lms.core.clock import now
from lms.core.decisions import Actor, Decision, no
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import AuditCheck, AuditRow, AuditSeal, Mail, Outbox
from lms.core.redis import keep_number, kept_number
from lms.core.references import counts_on
from lms.core.tenancy import current_channel
from lms.enrollments.reports import Enrollments
from lms.reporting import queries as reporting
from lms.reporting.queries import Series

MONTH = 30
SAID_SECONDS = 30
METRICS = ("enrolments", "revenue", "refunds", "active")


def get_audit_row(row_id: UUID) -> tuple[AuditRow, AuditSeal | None]:
    """One audit row with its link of the chain, when it has one by now."""
    found = db.session().get(AuditRow, row_id)
    if found is None:
        raise NotFound(_("There is no such entry in the audit log."))
    return found, db.session().scalar(select(AuditSeal).where(AuditSeal.audit_id == row_id))


def may_revert(row: AuditRow, *, by: Actor) -> Decision:
    """Whether one click takes the act back: its rule, and that what it changed is still as it left it."""
    known = deeds.revert_of(row)
    if known is None or row.target_id is None:
        return no(_("This cannot be taken back by one click. Open what it was done to, and change it there."), rule="revert")
    try:
        target = known.get(row.target_id)
    except NotFound:
        return no(_("What it was done to is not there any more."), rule="gone")
    if not deeds.stands(row, target):
        return no(_("It was changed again since, so this is not the way back any more."), rule="changed_since")
    return known.may(by, target)


HANGING = {
    "courses.lessons": _l("Lessons"),
    "courses.sections": _l("Sections"),
    "courses.courses": _l("Courses"),
    "enrollments.enrollments": _l("Enrolments"),
    "enrollments.lesson_progress": _l("What students did"),
    "enrollments.link_courses": _l("Links and keys"),
    "enrollments.missed_places": _l("Missed places"),
    "enrollments.requests": _l("Requests"),
    "enrollments.hires": _l("Who works here by links"),
    "enrollments.link_uses": _l("Who came by links and keys"),
    "payments.orders": _l("Orders"),
    "payments.refunds": _l("Refunds"),
    "vouchers.batch_courses": _l("Batches of vouchers"),
    "vouchers.batches": _l("Batches of vouchers"),
    "vouchers.redemptions": _l("Redeemed codes"),
    "community.reviews": _l("Reviews"),
    "streaming.sessions": _l("Live classes"),
    "chat.rooms": _l("Chat rooms"),
    "chat.messages": _l("Messages"),
    "wallet.accounts": _l("Wallets"),
    "wallet.adjustments": _l("Adjustments of wallets"),
    "reporting.schedules": _l("Lists by mail"),
    "content.assets": _l("Files"),
}


def hanging_on(table: str, row_id: UUID) -> list[tuple[str, int]]:
    """What hangs on a row, in words; what has no name of its own is counted together."""
    found: dict[str, int] = {}
    for name, times in counts_on(table, row_id):
        words = str(HANGING.get(name, _("Other records")))
        found[words] = found.get(words, 0) + times
    return sorted(found.items(), key=lambda pair: (pair[0] == _("Other records"), -pair[1]))


def same_breath(row: AuditRow) -> list[AuditRow]:
    """The acts of the same request on the same thing that one click takes back, the last first."""
    wanted = select(AuditRow).where(
        AuditRow.target_kind == row.target_kind, AuditRow.target_id == row.target_id, AuditRow.request_id == row.request_id
    )
    rows = db.session().scalars(wanted.order_by(AuditRow.at.desc(), AuditRow.id.desc())).all()
    return [one for one in rows if one.id == row.id or deeds.revert_of(one) is not None]


def waiting_check() -> AuditCheck | None:
    """The check of the audit log that somebody asked for and that is not done; one that was never done is forgotten after a while."""
    wanted = select(AuditCheck).where(AuditCheck.done_at.is_(None), AuditCheck.asked_at > now() - timedelta(minutes=10))
    return db.session().scalars(wanted.order_by(AuditCheck.asked_at.desc()).limit(1)).one_or_none()


def last_check() -> AuditCheck | None:
    """The newest check of the audit log that is done."""
    wanted = select(AuditCheck).where(AuditCheck.done_at.is_not(None))
    return db.session().scalars(wanted.order_by(AuditCheck.asked_at.desc()).limit(1)).one_or_none()


def get_job(row_id: UUID) -> Outbox:
    """One outbox row."""
    found = db.session().get(Outbox, row_id)
    if found is None:
        raise NotFound(_("There is no such job."))
    return found


def get_mail(mail_id: UUID) -> Mail:
    """One mail."""
    found = db.session().get(Mail, mail_id)
    if found is None:
        raise NotFound(_("There is no such mail."))
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """A month of the channel's days in figures, with the month before it; `period` names its days for the lists of its rows.

    `uncounted` is the first day that is not in them yet because too much happened to look it up; None when all is.
    """

    here: int
    month: dict[str, Series]
    before: dict[str, Series]
    completed: int
    ever: int
    period: str
    ever_period: str
    uncounted: date | None = None

    @staticmethod
    def net(series: dict[str, Series]) -> list[int]:
        """What was paid on each day, less what was given back on it."""
        return [paid - back for paid, back in zip(series["revenue"].values, series["refunds"].values, strict=True)]

    @property
    def completion(self) -> int:
        """Of the enrolments ever made, how many in a hundred are completed."""
        return round(100 * self.completed / self.ever) if self.ever else 0


def month_figures(by: Actor, *, currency: str) -> Figures:
    """The last 30 days in figures: the whole channel for admins, their own courses for instructors. Five queries at most.

    Each figure counts the rows of a list, and of that list's own filter, so that opening it shows as many.
    """
    figures, uncounted = reporting.as_far_as_counted(reporting.standing(), lambda known: _month(known, by, currency))
    return replace(figures, uncounted=uncounted)


def _month(known: reporting.Standing, by: Actor, currency: str) -> Figures:
    first, instructor = known.today - timedelta(days=MONTH - 1), None if by.is_admin else by.user_id
    series = reporting.day_series(
        first - timedelta(days=MONTH), known.today, currency=currency, metrics=METRICS, instructor=instructor, known=known
    )
    ever = reporting.sums_ever(("enrolments", "courses_completed"), instructor=instructor, known=known)
    period = f"{first}..{known.today}@{known.zone}"
    if by.is_admin:
        here = people_last_here(known.begins(first), known.begins(known.today + timedelta(days=1)))
    else:
        here = Enrollments().count(Enrollments().read_view({"seen": [period]}), by)
    return Figures(
        here=here,
        month={name: line.part(MONTH, 2 * MONTH) for name, line in series.items()},
        before={name: line.part(0, MONTH) for name, line in series.items()},
        completed=ever["courses_completed"],
        ever=ever["enrolments"],
        period=period,
        ever_period=f"..{known.today}@{known.zone}",
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a human: what it is, since when, and the page of its next step."""

    kind: str
    title: str
    detail: str
    since: datetime
    href: str


WAITING = """
    SELECT * FROM (
        SELECT 'approval' AS kind, c.title AS title, '' AS detail, c.updated_at AS since, '/admin/courses/' || c.id AS href
        FROM courses.courses c WHERE c.channel_id = %(channel)s AND c.status = 'submitted'
        UNION ALL SELECT 'file', a.filename, coalesce(a.failure, ''), a.updated_at, '/admin/content/assets/' || a.id
        FROM content.assets a WHERE a.channel_id = %(channel)s AND a.state = 'failed'
        UNION ALL SELECT 'job',
          upper(left(substring(o.task FROM '[^.]+$'), 1)) || substr(replace(substring(o.task FROM '[^.]+$'), '_', ' '), 2),
          CASE WHEN o.error ~ '^[A-Z][A-Za-z]+: ' THEN '' ELSE coalesce(left(o.error, 160), '') END, o.dead_at,
          '/admin/system/jobs/' || o.id
        FROM core.outbox o WHERE o.channel_id = %(channel)s AND o.dead_at IS NOT NULL AND o.done_at IS NULL
        UNION ALL SELECT 'mail', m.subject || ' → ' || m.to_address, coalesce(m.error, ''), m.created_at, '/admin/system/mail/' || m.id
        FROM core.mails m WHERE m.channel_id = %(channel)s AND m.state = 'failed'
        UNION ALL SELECT 'bounce', b.address, left(b.reason, 160), b.at, '/admin/notifications/bounces/' || b.id
        FROM notifications.bounces b WHERE b.channel_id = %(channel)s AND b.cleared_at IS NULL
        UNION ALL SELECT CASE l.cause WHEN 'expiring' THEN 'vouchers' WHEN 'low' THEN 'vouchers_low' ELSE 'guessing' END,
          coalesce(b.label, ''), l.detail, l.raised_at, '/admin/vouchers/alerts/' || l.id
        FROM vouchers.alerts l LEFT JOIN vouchers.batches b ON b.channel_id = l.channel_id AND b.id = l.batch_id
        WHERE l.channel_id = %(channel)s AND l.settled_at IS NULL AND l.ended_at IS NULL
        UNION ALL SELECT 'report', coalesce(nullif(left(m.text, 120), ''), '…'), k.reason, k.opened_at, '/admin/community/cases/' || k.id
        FROM community.cases k JOIN chat.messages m ON m.channel_id = k.channel_id AND m.id = k.target_id
        WHERE k.channel_id = %(channel)s AND k.settled_at IS NULL
        UNION ALL SELECT 'adjustment', m.name, j.reason, j.requested_at, '/admin/wallet/adjustments/' || j.id
        FROM wallet.adjustments j JOIN channels.members m ON m.channel_id = j.channel_id AND m.id = j.user_id
        WHERE j.channel_id = %(channel)s AND j.state = 'waiting'
        UNION ALL SELECT 'date', c.title, '', c.publish_at, '/admin/courses/' || c.id
        FROM courses.courses c WHERE c.publish_at < now() - interval '5 minutes' AND c.status NOT IN ('published', 'deleted')
        UNION ALL SELECT 'request', c.title, CASE WHEN count(*) > 1 THEN count(*)::text ELSE min(left(r.reason, 120)) END, min(r.asked_at),
          CASE WHEN count(*) > 1 THEN '/admin/enrollments/requests?state=waiting&course=' || c.id
            ELSE '/admin/enrollments/requests/' || min(r.id::text) END
        FROM enrollments.requests r JOIN courses.courses c ON c.channel_id = r.channel_id AND c.id = r.course_id
        WHERE r.channel_id = %(channel)s AND r.state = 'waiting' GROUP BY c.channel_id, c.id, c.title
        UNION ALL SELECT 'place', m.name, b.name, p.noted_at, '/admin/enrollments/places/' || p.id
        FROM enrollments.missed_places p JOIN enrollments.course_batches b ON b.channel_id = p.channel_id AND b.id = p.batch_id
        JOIN enrollments.enrollments e ON e.channel_id = p.channel_id AND e.id = p.enrollment_id
        JOIN channels.members m ON m.channel_id = e.channel_id AND m.id = e.user_id
        WHERE p.channel_id = %(channel)s AND p.settled_at IS NULL AND e.status <> 'ended' AND e.batch_id IS NULL
        UNION ALL (SELECT 'trail', coalesce(a.faults ->> 0, ''), '', a.done_at, '/admin/audit'
        FROM (SELECT * FROM core.audit_checks WHERE channel_id = %(channel)s AND done_at IS NOT NULL ORDER BY asked_at DESC LIMIT 1) a
        WHERE jsonb_array_length(a.faults) > 0)
        UNION ALL (SELECT 'books', d.subject, left(d.sentence, 160), d.found_at, '/admin/wallet/books'
        FROM wallet.differences d WHERE d.channel_id = %(channel)s AND d.gone_at IS NULL ORDER BY d.found_at LIMIT 20)
    ) w ORDER BY since DESC LIMIT %(most)s
"""


COUNTED = f"SELECT count(*) FROM ({WAITING}) counted"  # noqa: S608  no values in it


def waiting(most: int = 100) -> list[Waiting]:
    """Everything that waits for an admin, newest first. One query."""
    return [Waiting(*row) for row in db.rows(WAITING, most=most)]


def count_waiting() -> int:
    """How much waits for an admin (100 stands for more), counted now; the menu of every page says it for half a minute."""
    found = int(db.rows(COUNTED, most=100)[0].count)
    keep_number(_counted_key(), found, seconds=SAID_SECONDS)
    return found


def last_counted() -> int:
    """How much waited when it was counted last; 0 when that is long ago: no page waits for the count."""
    return kept_number(_counted_key()) or 0


def _counted_key() -> str:
    return f"inbox:{current_channel()}"


def coming_sessions(by: Actor, most: int = 5) -> list[Any]:
    """The next live sessions with their course, soonest first: all for admins, their own for instructors. One query."""
    return db.rows(
        "SELECT s.id, s.title, s.starts_at, s.state, c.title AS course FROM streaming.sessions s"
        " JOIN courses.courses c ON c.channel_id = s.channel_id AND c.id = s.course_id"
        " WHERE s.channel_id = %(channel)s AND s.state IN ('scheduled', 'open', 'live')"
        " AND (%(host)s::uuid IS NULL OR s.host_id = %(host)s::uuid) ORDER BY s.starts_at, s.id LIMIT %(most)s",
        host=None if by.is_admin else by.user_id,
        most=most,
    )
