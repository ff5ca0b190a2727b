"""Lists of the frame: the audit log, jobs, mails."""

from typing import Any

from sqlalchemy import Select, case, func, select

from lms.core.decisions import Actor
from lms.core.i18n import lazy_gettext as _l
from lms.core.jobs import QUEUES
from lms.core.models import AuditRow, Mail, Outbox
from lms.core.reports import Choice, Column, Period, Report

STATES = (("done", _l("Done")), ("waiting", _l("Waiting")), ("running", _l("Running")), ("quarantined", _l("Quarantined")))
ACTOR_KINDS = (("person", _l("Person")), ("api", _l("API")), ("job", _l("Job")), ("command", _l("Command")))
MAIL_TONES = {"sent": "success", "failed": "danger", "queued": "info"}
MAIL_STATES = (("queued", _l("Queued")), ("sent", _l("Sent")), ("failed", _l("Failed")), ("withheld", _l("Not sent")))
JOB_STATE = case(
    (Outbox.done_at.is_not(None), "done"),
    (Outbox.dead_at.is_not(None), "quarantined"),
    (Outbox.lease_until > func.now(), "running"),
    else_="waiting",
)


class Audit(Report):
    """Who did what to what, newest first."""

    name = "admin.audit"
    title = _l("Audit log")
    lead = _l("Every change, by whom and when. Nothing here can be edited; the chain of hashes shows it.")
    key = AuditRow.id
    href = "/admin/audit/{id}"
    sort = "-at"
    empty = ("scroll-text", _l("Nothing has happened yet"), "")
    columns = (
        Column("action", _l("What"), AuditRow.action),
        Column("at", _l("When"), AuditRow.at, kind="time"),
        Column("actor_name", _l("Who"), AuditRow.actor_name),
        Column("target_name", _l("On what"), AuditRow.target_name),
        Column("target_kind", _l("Kind"), AuditRow.target_kind),
        Column("actor_kind", _l("By means of"), AuditRow.actor_kind, shown=False),
        Column("request_id", _l("Request"), AuditRow.request_id, shown=False),
    )
    filters = (
        Period("at", _l("When"), AuditRow.at),
        Choice(
            "by",
            _l("By means of"),
            AuditRow.actor_kind,
            options=(("person", _l("Person")), ("api", _l("API")), ("job", _l("Job")), ("command", _l("Command"))),
        ),
    )
    search = (AuditRow.action, AuditRow.actor_name, AuditRow.target_name)

    def query(self, by: Actor) -> Select[Any]:
        """Every audit row of the channel."""
        return select(AuditRow)


class Jobs(Report):
    """What the workers do, did, and could not do."""

    name = "admin.jobs"
    title = _l("Jobs")
    lead = _l("Everything that happens later: handlers of events, mails, videos. A job in quarantine waits for you.")
    key = Outbox.id
    href = "/admin/system/jobs/{id}"
    sort = "-created_at"
    empty = ("list-checks", _l("No jobs yet"), "")
    columns = (
        Column("task", _l("Job"), Outbox.task),
        Column("state", _l("State"), JOB_STATE, kind="state", words=dict(STATES), nullable=False, sortable=False,
               tones={"done": "success", "running": "info", "waiting": "neutral", "quarantined": "danger"}),
        Column("queue", _l("Queue"), Outbox.queue),
        Column("created_at", _l("Wanted"), Outbox.created_at, kind="time"),
        Column("done_at", _l("Done"), Outbox.done_at, kind="time"),
        Column("attempts", _l("Tries"), Outbox.attempts, kind="int"),
        Column("error", _l("Error"), Outbox.error),
    )  # fmt: skip
    filters = (
        Choice("state", _l("State"), JOB_STATE, options=STATES),
        Choice("queue", _l("Queue"), Outbox.queue, options=tuple((name, name) for name in QUEUES)),
        Period("created", _l("Wanted"), Outbox.created_at),
    )
    search = (Outbox.task, Outbox.error)

    def query(self, by: Actor) -> Select[Any]:
        """Every outbox row of the channel."""
        return select(Outbox)


class Mails(Report):
    """Every mail, and what became of it."""

    name = "admin.mails"
    title = _l("Mail")
    key = Mail.id
    href = "/admin/system/mail/{id}"
    sort = "-created_at"
    empty = ("mail", _l("No mail yet"), "")
    columns = (
        Column("subject", _l("Subject"), Mail.subject),
        Column("to_address", _l("To"), Mail.to_address),
        Column(
            "state",
            _l("State"),
            Mail.state,
            kind="state",
            words=dict(MAIL_STATES),
            tones=MAIL_TONES,
        ),
        Column("created_at", _l("Written"), Mail.created_at, kind="time"),
        Column("sent_at", _l("Sent"), Mail.sent_at, kind="time"),
        Column("template", _l("Template"), Mail.template, shown=False),
        Column("error", _l("Error"), Mail.error, shown=False),
    )
    filters = (Choice("state", _l("State"), Mail.state, options=MAIL_STATES), Period("created", _l("Written"), Mail.created_at))
    search = (Mail.subject, Mail.to_address)

    def query(self, by: Actor) -> Select[Any]:
        """Every mail of the channel."""
        return select(Mail)
