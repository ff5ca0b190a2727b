"""Lists of the frame: jobs, mails, bulk acts and their rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Numeric, Select, Text, case, cast, func, literal, select

from lms.core.decisions import Actor
from lms.core.i18n import lazy_gettext as _l
from lms.core.jobs import QUEUES
from lms.core.models import Mail, Outbox, Plan, PlanRow
from lms.core.money import digits
from lms.core.plans import Act, Field
from lms.core.reports import Choice, Column, Period, Report

STATES = (("done", _l("Done")), ("waiting", _l("Waiting")), ("running", _l("Running")), ("quarantined", _l("Quarantined")))
MAIL_TONES = {"sent": "success", "failed": "danger", "queued": "info", "held": "info", "withheld": "warning"}
MAIL_STATES = (
    ("queued", _l("Queued")),
    ("held", _l("Held")),
    ("sent", _l("Sent")),
    ("failed", _l("Refused")),
    ("withheld", _l("Not sent")),
)
MAIL_STATE = case(((Mail.state == "queued") & (Mail.held_until > func.now()), "held"), else_=Mail.state)
JOB_STATE = case(
    (Outbox.done_at.is_not(None), "done"),
    (Outbox.dead_at.is_not(None), "quarantined"),
    (Outbox.lease_until > func.now(), "running"),
    else_="waiting",
)


class Jobs(Report):
    """What the workers do, did, and could not do."""

    name = "admin.jobs"
    path = "/admin/system/jobs"
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
    path = "/admin/system/mail"
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
            MAIL_STATE,
            kind="state",
            words=dict(MAIL_STATES),
            tones=MAIL_TONES,
            sortable=False,
        ),
        Column("error", _l("Reason"), Mail.error),
        Column("created_at", _l("Written"), Mail.created_at, kind="time"),
        Column("sent_at", _l("Sent"), Mail.sent_at, kind="time"),
        Column("held_until", _l("Held until"), Mail.held_until, kind="time", shown=False),
        Column("template", _l("Template"), Mail.template, shown=False),
    )
    filters = (Choice("state", _l("State"), MAIL_STATE, options=MAIL_STATES), Period("created", _l("Written"), Mail.created_at))
    search = (Mail.subject, Mail.to_address)

    def query(self, by: Actor) -> Select[Any]:
        """Every mail of the channel."""
        return select(Mail)


PLAN_STATES = (
    ("asking", _l("Waits for your answer")),
    ("planning", _l("Being planned")),
    ("planned", _l("Planned")),
    ("checking", _l("Being applied")),
    ("stale", _l("Out of date")),
    ("applying", _l("Being applied")),
    ("applied", _l("Applied")),
    ("undoing", _l("Being taken back")),
    ("undone", _l("Taken back")),
    ("failed", _l("Could not be read")),
    ("discarded", _l("Thrown away")),
)
PLAN_TONES = {
    "asking": "warning", "planning": "info", "planned": "warning", "checking": "info", "stale": "warning", "applying": "info",
    "applied": "success", "undoing": "info", "undone": "neutral", "failed": "danger", "discarded": "neutral",
}  # fmt: skip
VERDICTS = (("new", _l("New")), ("changed", _l("Changed")), ("same", _l("Same")), ("refused", _l("Refused")))
VERDICT_TONES = {"new": "success", "changed": "info", "same": "neutral", "refused": "danger"}
RESULTS = (("applied", _l("Applied")), ("refused", _l("Refused")), ("conflict", _l("Left alone")), ("undone", _l("Taken back")))
RESULT_TONES = {"applied": "success", "refused": "danger", "conflict": "warning", "undone": "neutral"}


class Plans(Report):
    """Every bulk act of the channel: what waits to be applied, and the receipts."""

    name = "admin.plans"
    title = _l("Bulk acts")
    lead = _l("Everything that was done to many at once: what it changed, by whom, and for how long it can be taken back.")
    key = Plan.id
    href = "/admin/plans/{id}"
    path = "/admin/plans"
    sort = "-created_at"
    empty = (
        "layers",
        _l("No bulk acts yet"),
        _l("Choose rows in a list, or import one. What you do to many at once stands here, with its way back."),
    )
    columns = (
        Column("title", _l("What"), Plan.title),
        Column("state", _l("State"), Plan.state, kind="state", words=dict(PLAN_STATES), tones=PLAN_TONES),
        Column("source_name", _l("From"), Plan.source_name),
        Column("row_count", _l("Rows"), Plan.row_count, kind="int"),
        Column("applied_count", _l("Applied"), Plan.applied_count, kind="int"),
        Column("refused_count", _l("Refused"), Plan.refused_count, kind="int"),
        Column("made_by_name", _l("By"), Plan.made_by_name),
        Column("created_at", _l("When"), Plan.created_at, kind="time"),
        Column("undo_until", _l("Undo until"), Plan.undo_until, kind="time", shown=False),
    )
    filters = (
        Choice("state", _l("State"), Plan.state, options=tuple(one for one in PLAN_STATES if one[0] != "checking")),
        Period("created", _l("When"), Plan.created_at),
    )
    search = (Plan.title, Plan.source_name, Plan.made_by_name)

    def query(self, by: Actor) -> Select[Any]:
        """Every plan but the discarded and the single acts, which are in the audit log."""
        return select(Plan).where(Plan.state != "discarded", Plan.is_single.is_(False))


class PlanRows(Report):
    """The rows of one plan, with what would change in each; of every plan without one."""

    name = "admin.plan_rows"
    title = _l("Rows of bulk acts")
    key = PlanRow.id
    sort = "number"
    empty = ("list-checks", _l("No rows"), "")
    columns: Sequence[Column] = (
        Column("number", _l("Line"), PlanRow.number, kind="int"),
        Column("label", _l("Which"), PlanRow.label),
        Column("verdict", _l("Verdict"), PlanRow.verdict, kind="state", words=dict(VERDICTS), tones=VERDICT_TONES),
        Column("reason", _l("Reason"), PlanRow.reason),
        Column("result", _l("Result"), PlanRow.result, kind="state", words={"": "–", **dict(RESULTS)}, tones=RESULT_TONES),
    )
    filters = (
        Choice("verdict", _l("Verdict"), PlanRow.verdict, options=VERDICTS),
        Choice("result", _l("Result"), PlanRow.result, options=RESULTS),
    )
    search = (PlanRow.label, PlanRow.reason)

    def __init__(self, plan: Plan | None = None, act: Act | None = None) -> None:
        self.plan = plan
        if plan is not None and act is not None:
            number, label, verdict, reason, result = type(self).columns
            changes = [Column(f"field_{one.key}", one.label, change_of(one), sortable=False) for one in act.fields if one.shown]
            ending = [result] if plan.applied_at or plan.conflict_count else []
            self.columns = (label, verdict, *ending, *changes, reason, number)

    def query(self, by: Actor) -> Select[Any]:
        """The plan's rows."""
        rows = select(PlanRow).join(Plan, Plan.id == PlanRow.plan_id)
        return rows.where(PlanRow.plan_id == self.plan.id) if self.plan is not None else rows


def change_of(field: Field) -> Any:
    """What a row does to a field, in words: `Student → Instructor`, or the value alone where it stays or is new."""
    before, after = (_told(field, values) for values in (PlanRow.before, PlanRow.after))
    nothing = literal("–")
    changed = func.concat(func.coalesce(func.nullif(before, ""), nothing), " → ", func.coalesce(func.nullif(after, ""), nothing))
    return case((before.is_distinct_from(after) & PlanRow.before.has_key(field.key), changed), else_=func.coalesce(after, before))


def _told(field: Field, values: Any) -> Any:
    """A value of a field as people read it."""
    value = values[field.key].astext
    if field.kind == "money":
        currency = values[field.currency_key].astext
        amount = cast(value, Numeric)
        other = {code: digits(code) for code in ("JPY", "KRW", "VND", "CLP", "KWD", "BHD", "TND", "JOD", "OMR", "IQD", "LYD")}
        written = case(
            *((currency == code, cast(func.round(amount / 10**count, count), Text)) for code, count in other.items()),
            else_=cast(func.round(amount / 100, 2), Text),
        )
        return func.concat(written, " ", currency)
    if field.words:
        return case(*((value == stored, str(word)) for stored, word in field.words.items()), else_=value)
    return value
