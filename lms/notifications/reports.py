"""Lists of notifications: messages to many, whom one means, and what became of it for each person."""

from typing import Any

from sqlalchemy import Select, case, func, literal, select, true

from lms.channels.models import Member
from lms.core.decisions import Actor, Decision
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import Mail
from lms.core.reports import Choice, Column, Period, Report
from lms.notifications import policies
from lms.notifications.models import Bounce, Broadcast, Default, Habit, Notice, Recipient, Wish
from lms.notifications.queries import Audience, people_meant

STATES = (
    ("draft", _l("Draft")),
    ("collecting", _l("Being made ready")),
    ("scheduled", _l("Waits for its time")),
    ("sending", _l("Being sent")),
    ("paused", _l("Paused")),
    ("sent", _l("Sent")),
    ("cancelled", _l("Called off")),
)
TONES = {
    "draft": "neutral", "collecting": "info", "scheduled": "info", "sending": "info", "paused": "warning", "sent": "success",
    "cancelled": "neutral",
}  # fmt: skip
OUTCOMES = (
    ("waiting", _l("Waits")),
    ("told", _l("Sent")),
    ("app", _l("In the app alone")),
    ("lost", _l("Mail not sent")),
    ("skipped", _l("Not sent")),
)
OUTCOME_TONES = {"waiting": "info", "told": "success", "app": "info", "lost": "warning", "skipped": "warning"}
# Who was told, and whose mail the server refused or nobody may get (an address of the demo), has it in the app, or not at all.
LOST = (Recipient.state == "told") & Mail.state.in_(("failed", "withheld"))
OUTCOME = case((LOST & Notice.is_in_app, "app"), (LOST, "lost"), else_=Recipient.state)
MAILS = (
    ("", _l("No mail")),
    ("digest", _l("With the next collected mail")),
    ("queued", _l("Waits")),
    ("sent", _l("Sent")),
    ("failed", _l("Refused")),
    ("withheld", _l("Not sent")),
)
ROLES = (("student", _l("Student")), ("instructor", _l("Instructor")), ("admin", _l("Admin")), ("owner", _l("Owner")))
REACHES = (("both", _l("App and mail")), ("app", _l("App")), ("mail", _l("Mail")), ("none", _l("Wants none")))
REACH_TONES = {"both": "success", "app": "info", "mail": "info", "none": "warning"}
KIND = literal("announcement")
IN_APP = func.coalesce(Wish.in_app, Default.in_app, true())
BY_MAIL = func.coalesce(Wish.mail, Default.mail, true()) & ~func.coalesce(Habit.is_silent, False)
REACH = case((IN_APP & BY_MAIL, "both"), (IN_APP, "app"), (BY_MAIL, "mail"), else_="none")

STANDINGS = (("stopped", _l("Mails are stopped")), ("cleared", _l("Mails go there again")))
STANDING_TONES = {"stopped": "warning", "cleared": "success"}
STANDING = case((Bounce.cleared_at.is_(None), "stopped"), else_="cleared")


class Broadcasts(Report):
    """Every message to many; instructors see their own."""

    name = "notifications.broadcasts"
    path = "/admin/notifications/messages"
    title = _l("Messages")
    lead = _l("What was written to many at once: to whom, who got it, who did not and why.")
    key = Broadcast.id
    href = "/admin/notifications/messages/{id}"
    sort = "-created_at"
    empty = (
        "megaphone",
        _l("No messages yet"),
        _l("Write to the students of a course, to a role, or to whoever was not here for a while. You see who gets it before it goes out."),
    )
    columns = (
        Column("subject", _l("Subject"), Broadcast.subject),
        Column("state", _l("State"), Broadcast.state, kind="state", words=dict(STATES), tones=TONES),
        Column("person_count", _l("People"), Broadcast.person_count, kind="int"),
        Column("told_count", _l("Sent"), Broadcast.told_count, kind="int"),
        Column("skipped_count", _l("Not sent"), Broadcast.skipped_count, kind="int"),
        Column("made_by_name", _l("By"), Broadcast.made_by_name),
        Column("created_at", _l("Written"), Broadcast.created_at, kind="time"),
        Column("send_at", _l("To be sent"), Broadcast.send_at, kind="time", shown=False),
        Column("done_at", _l("Done"), Broadcast.done_at, kind="time", shown=False),
    )
    filters = (Choice("state", _l("State"), Broadcast.state, options=STATES), Period("created", _l("Written"), Broadcast.created_at))
    search = (Broadcast.subject, Broadcast.made_by_name)

    def allowed(self, by: Actor) -> Decision:
        """Staff; the query narrows it to an instructor's own."""
        return policies.can_write_messages(by)

    def query(self, by: Actor) -> Select[Any]:
        """All for admins, their own for instructors."""
        rows = select(Broadcast)
        return rows if by.is_admin else rows.where(Broadcast.made_by == by.user_id)


class Reached(Report):
    """Whom a message means, and how it would reach each; everybody who can be reached, without one."""

    name = "notifications.reached"
    title = _l("Who can be reached")
    lead = _l("Everybody who may sign in, and how messages reach them by their own choice.")
    key = Member.id
    sort = "name"
    empty = ("users", _l("Nobody fits"), _l("Change the condition, and look again."))
    columns = (
        Column("name", _l("Person"), Member.name),
        Column("email", _l("E-mail"), Member.email),
        Column("role", _l("Role"), Member.role, kind="state", words=dict(ROLES)),
        Column("reach", _l("Reached by"), REACH, kind="state", words=dict(REACHES), tones=REACH_TONES, sortable=False),
        Column("seen_at", _l("Last seen"), Member.seen_at, kind="time"),
    )
    filters = (Choice("reach", _l("Reached by"), REACH, options=REACHES), Choice("role", _l("Role"), Member.role, options=ROLES))
    search = (Member.name, Member.email)

    def __init__(self, audience: Audience | None = None) -> None:
        self.audience = audience

    def query(self, by: Actor) -> Select[Any]:
        """The people meant, with what they chose."""
        return (
            people_meant(self.audience or Audience())
            .outerjoin(Wish, (Wish.user_id == Member.id) & (Wish.kind == KIND))
            .outerjoin(Habit, Habit.user_id == Member.id)
            .outerjoin(Default, Default.kind == KIND)
        )


class Recipients(Report):
    """What became of a message for each person; of every message without one."""

    name = "notifications.recipients"
    title = _l("Who got which message")
    key = Recipient.id
    sort = "name"
    empty = ("users", _l("Nobody here"), "")
    columns = (
        Column("name", _l("Person"), Member.name),
        Column("email", _l("E-mail"), Member.email),
        Column("state", _l("State"), OUTCOME, kind="state", words=dict(OUTCOMES), tones=OUTCOME_TONES),
        Column("reason", _l("Reason"), func.coalesce(func.nullif(Recipient.reason, ""), Mail.error, "")),
        Column(
            "mail",
            _l("Mail"),
            case((Notice.due_at.is_not(None), "digest"), else_=func.coalesce(Mail.state, "")),
            kind="state",
            words=dict(MAILS),
            sortable=False,
        ),
        Column("seen_at", _l("Seen in the app"), Notice.seen_at, kind="time"),
        Column("subject", _l("Message"), Broadcast.subject, shown=False),
        Column("at", _l("When"), Recipient.at, kind="time", shown=False),
    )
    filters = (Choice("state", _l("State"), OUTCOME, options=OUTCOMES), Period("at", _l("When"), Recipient.at))
    search = (Member.name, Member.email)

    def __init__(self, broadcast: Broadcast | None = None) -> None:
        self.broadcast = broadcast

    def query(self, by: Actor) -> Select[Any]:
        """The message's people with their notice and their mail."""
        rows = (
            select(Recipient)
            .join(Broadcast, Broadcast.id == Recipient.broadcast_id)
            .join(Member, Member.id == Recipient.user_id)
            .outerjoin(Notice, Notice.id == Recipient.notice_id)
            .outerjoin(Mail, Mail.id == Notice.mail_id)
        )
        return rows if self.broadcast is None else rows.where(Recipient.broadcast_id == self.broadcast.id)


class Bounces(Report):
    """Addresses that mails came back from."""

    name = "notifications.bounces"
    path = "/admin/notifications/bounces"
    title = _l("Addresses that mails come back from")
    lead = _l("Nothing but codes is sent to them until you say that mails may go there again.")
    key = Bounce.id
    href = "/admin/notifications/bounces/{id}"
    sort = "-at"
    empty = (
        "mail-check",
        _l("No mail came back"),
        _l("What a mail server refuses, or your provider reports, stands here."),
    )
    columns = (
        Column("address", _l("Address"), Bounce.address),
        Column("standing", _l("State"), STANDING, kind="state", words=dict(STANDINGS), tones=STANDING_TONES, sortable=False),
        Column("reason", _l("Reason"), Bounce.reason),
        Column("at", _l("Since"), Bounce.at, kind="time"),
        Column("cleared_at", _l("Cleared"), Bounce.cleared_at, kind="time"),
    )
    filters = (Choice("standing", _l("State"), STANDING, options=STANDINGS), Period("at", _l("Since"), Bounce.at))
    search = (Bounce.address, Bounce.reason)

    def query(self, by: Actor) -> Select[Any]:
        """All of them."""
        return select(Bounce)
