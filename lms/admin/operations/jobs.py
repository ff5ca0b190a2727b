"""Jobs and mails that are tried again."""

from lms.core import audit, db, mail, workers
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.core.models import Mail, Outbox


def retry_job(row: Outbox, *, by: Actor) -> None:
    """Take a job out of quarantine and try it once more from the start; refuses one that is done."""
    if row.done_at is not None:
        raise Conflict(_("This job is done already."))
    audit.update(row, "admin.retry_job", by=by, dead_at=None, attempts=0, run_at=now(), error=None)
    row_id, queue = row.id, row.queue
    db.after_commit(lambda: workers.send_nudge(row_id, queue))


def retry_mail(row: Mail, *, by: Actor) -> None:
    """Send a mail once more; refuses one that was sent or still waits."""
    if row.state not in ("failed", "withheld"):
        raise Conflict(_("This mail was sent, or waits to be."))
    audit.record("admin.retry_mail", row, by=by, before={"state": row.state}, after={"state": "queued"}, name=row.subject)
    mail.try_again(row)
