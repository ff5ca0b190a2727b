"""What the frame asks the database."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from lms.core import db
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow, AuditSeal, Mail, Outbox


def get_audit_row(row_id: UUID) -> tuple[AuditRow, AuditSeal | None]:
    """One audit row with its link of the chain, when it has one by now."""
    found = db.session().get(AuditRow, row_id)
    if found is None:
        raise NotFound(_("There is no such entry in the audit log."))
    return found, db.session().scalar(select(AuditSeal).where(AuditSeal.audit_id == row_id))


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
    """A month in figures, with the month before it, and each day of the last 30."""

    learners: int
    learners_before: int
    enrolled: int
    enrolled_before: int
    revenue: int
    revenue_before: int
    completed: int
    finished_of: int
    days: list[date]
    learners_by_day: list[int]
    enrolled_by_day: list[int]
    revenue_by_day: list[int]

    @property
    def completion(self) -> int:
        """Of the enrolments ever made, how many in a hundred are completed."""
        return round(100 * self.completed / self.finished_of) if self.finished_of else 0


TOTALS = """
    SELECT count(DISTINCT e.user_id) FILTER (WHERE e.last_seen_at >= :month) AS learners,
        count(DISTINCT e.user_id) FILTER (WHERE e.last_seen_at >= :month_before AND e.last_seen_at < :month) AS learners_before,
        count(*) FILTER (WHERE e.enrolled_at >= :month) AS enrolled,
        count(*) FILTER (WHERE e.enrolled_at >= :month_before AND e.enrolled_at < :month) AS enrolled_before,
        count(*) FILTER (WHERE e.completed_at IS NOT NULL) AS completed, count(*) AS finished_of
    FROM enrollments.enrollments e JOIN courses.courses c ON c.channel_id = e.channel_id AND c.id = e.course_id
    WHERE CAST(:instructor AS uuid) IS NULL OR c.instructor_id = CAST(:instructor AS uuid)
"""
REVENUE = """
    SELECT coalesce(sum(o.amount_minor - o.refunded_minor) FILTER (WHERE o.created_at >= :month), 0) AS revenue,
        coalesce(sum(o.amount_minor - o.refunded_minor) FILTER (WHERE o.created_at < :month), 0) AS revenue_before
    FROM payments.orders o JOIN courses.courses c ON c.channel_id = o.channel_id AND c.id = o.course_id
    WHERE o.status = 'paid' AND o.currency = :currency AND o.created_at >= :month_before
      AND (CAST(:instructor AS uuid) IS NULL OR c.instructor_id = CAST(:instructor AS uuid))
"""
BY_DAY = """
    SELECT d.day::date AS day, coalesce(e.enrolled, 0) AS enrolled, coalesce(o.revenue, 0) AS revenue, coalesce(l.learners, 0) AS learners
    FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') d(day)
    LEFT JOIN (SELECT (e.enrolled_at AT TIME ZONE :zone)::date AS day, count(*) AS enrolled FROM enrollments.enrollments e
        JOIN courses.courses c ON c.channel_id = e.channel_id AND c.id = e.course_id WHERE e.enrolled_at >= :month
        AND (CAST(:instructor AS uuid) IS NULL OR c.instructor_id = CAST(:instructor AS uuid)) GROUP BY 1) e ON e.day = d.day::date
    LEFT JOIN (SELECT (o.created_at AT TIME ZONE :zone)::date AS day, sum(o.amount_minor - o.refunded_minor) AS revenue
        FROM payments.orders o
        JOIN courses.courses c ON c.channel_id = o.channel_id AND c.id = o.course_id WHERE o.created_at >= :month AND o.status = 'paid'
        AND o.currency = :currency AND (CAST(:instructor AS uuid) IS NULL OR c.instructor_id = CAST(:instructor AS uuid))
        GROUP BY 1) o ON o.day = d.day::date
    LEFT JOIN (SELECT (p.seen_at AT TIME ZONE :zone)::date AS day, count(DISTINCT p.user_id) AS learners FROM enrollments.lesson_progress p
        JOIN courses.lessons le ON le.channel_id = p.channel_id AND le.id = p.lesson_id
        JOIN courses.courses c ON c.channel_id = le.channel_id AND c.id = le.course_id WHERE p.seen_at >= :month
        AND (CAST(:instructor AS uuid) IS NULL OR c.instructor_id = CAST(:instructor AS uuid)) GROUP BY 1) l ON l.day = d.day::date
    ORDER BY d.day
"""


def month_figures(by: Actor, *, currency: str, zone_name: str) -> Figures:
    """The last 30 days of the reader's zone in figures: the whole channel for admins, their own courses for instructors. Three queries."""
    place = zone(zone_name)
    today = now().astimezone(place).date()
    month = datetime.combine(today - timedelta(days=29), time(), place)
    given = {
        "month": month,
        "month_before": month - timedelta(days=30),
        "first": month.date(),
        "last": today,
        "zone": zone_name,
        "currency": currency,
        "instructor": None if by.is_admin else by.user_id,
    }
    totals = db.session().execute(text(TOTALS), given).one()
    revenue = db.session().execute(text(REVENUE), given).one()
    days = db.session().execute(text(BY_DAY), given).all()
    return Figures(
        **totals._mapping,
        revenue=int(revenue.revenue),
        revenue_before=int(revenue.revenue_before),
        days=[row.day for row in days],
        learners_by_day=[int(row.learners) for row in days],
        enrolled_by_day=[int(row.enrolled) for row in days],
        revenue_by_day=[int(row.revenue) for row in days],
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
        FROM courses.courses c WHERE c.status = 'submitted'
        UNION ALL SELECT 'file', a.filename, coalesce(a.failure, ''), a.updated_at, '/admin/content/assets/' || a.id
        FROM content.assets a WHERE a.state = 'failed'
        UNION ALL SELECT 'job', replace(substring(o.task FROM '[^.]+$'), '_', ' '), coalesce(left(o.error, 160), ''), o.dead_at,
          '/admin/system/jobs/' || o.id
        FROM core.outbox o WHERE o.dead_at IS NOT NULL AND o.done_at IS NULL
        UNION ALL SELECT 'mail', m.subject || ' → ' || m.to_address, coalesce(m.error, ''), m.created_at, '/admin/system/mail/' || m.id
        FROM core.mails m WHERE m.state = 'failed'
        UNION ALL SELECT CASE l.cause WHEN 'expiring' THEN 'vouchers' WHEN 'low' THEN 'vouchers_low' ELSE 'guessing' END,
          coalesce(b.label, ''), l.detail, l.raised_at, '/admin/vouchers/alerts/' || l.id
        FROM vouchers.alerts l LEFT JOIN vouchers.batches b ON b.channel_id = l.channel_id AND b.id = l.batch_id
        WHERE l.settled_at IS NULL AND l.ended_at IS NULL
        UNION ALL SELECT 'report', coalesce(nullif(left(m.text, 120), ''), '…'), k.reason, k.opened_at, '/admin/community/cases/' || k.id
        FROM community.cases k JOIN chat.messages m ON m.channel_id = k.channel_id AND m.id = k.target_id WHERE k.settled_at IS NULL
        UNION ALL SELECT 'adjustment', m.name, j.reason, j.requested_at, '/admin/wallet/adjustments/' || j.id
        FROM wallet.adjustments j JOIN channels.members m ON m.channel_id = j.channel_id AND m.id = j.user_id WHERE j.state = 'waiting'
        UNION ALL (SELECT 'books', d.subject, left(d.sentence, 160), d.found_at, '/admin/wallet/books'
        FROM wallet.differences d WHERE d.gone_at IS NULL ORDER BY d.found_at LIMIT 20)
    ) w ORDER BY since DESC LIMIT :most
"""


def waiting(most: int = 100) -> list[Waiting]:
    """Everything that waits for an admin, newest first. One query."""
    return [Waiting(**row._mapping) for row in db.session().execute(text(WAITING), {"most": most})]


def coming_sessions(by: Actor, most: int = 5) -> list[Any]:
    """The next live sessions with their course, soonest first: all for admins, their own for instructors. One query."""
    rows = db.session().execute(
        text(
            "SELECT s.id, s.title, s.starts_at, s.state, c.title AS course FROM streaming.sessions s"
            " JOIN courses.courses c ON c.channel_id = s.channel_id AND c.id = s.course_id"
            " WHERE s.state IN ('scheduled', 'open', 'live') AND (CAST(:host AS uuid) IS NULL OR s.host_id = CAST(:host AS uuid))"
            " ORDER BY s.starts_at, s.id LIMIT :most"
        ),
        {"host": None if by.is_admin else by.user_id, "most": most},
    )
    return list(rows.all())
