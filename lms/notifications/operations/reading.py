"""What people have seen of what they were told."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update

from lms.core import db
from lms.core.clock import now
from lms.notifications.models import Notice
from lms.notifications.operations.telling import forget_counts

KEPT = timedelta(days=180)


def mark_seen(notice: Notice) -> None:
    """Note that the person saw a notice; the first time counts."""
    if notice.seen_at is None:
        notice.seen_at = now()
        db.session().flush()
        forget_counts([notice.user_id])


def mark_all_seen(user_id: UUID) -> None:
    """Note that the person saw everything there is."""
    statement = update(Notice).where(Notice.user_id == user_id, Notice.seen_at.is_(None)).values(seen_at=now())
    db.session().execute(statement.execution_options(synchronize_session=False))
    forget_counts([user_id])


def forget_old() -> None:
    """Take away notices older than half a year, seen or not: they are news, not records."""
    statement = delete(Notice).where(Notice.created_at < now() - KEPT)
    db.session().execute(statement.execution_options(synchronize_session=False))
