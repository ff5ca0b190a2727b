"""Bulk acts of notifications: a message to people chosen in a list."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lms.channels.queries import members_by_id
from lms.core import db
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.plans import Act, Context, Field, Option, Row, State, register
from lms.courses.models import Course
from lms.enrollments.models import Enrollment
from lms.notifications import operations, policies, queries

WAYS = (("both", _l("In the app and by mail")), ("app", _l("In the app")), ("mail", _l("By mail")))
SENT = {"message": "sent"}


class _Message(Act):
    """What the acts share: the words, and a subject that stands for one person."""

    title = _l("Send a message")
    icon = "megaphone"
    fields = (Field("message", _l("Message"), words={"sent": _l("Sent")}),)
    options = (
        Option("subject", _l("Subject")),
        Option("body", _l("Message"), kind="textarea", help=_l("Markdown: **bold**, lists, [links](https://…).")),
        Option("ways", _l("How"), kind="select", choices=WAYS, default="both"),
    )

    def allowed(self, by: Actor) -> Decision:
        """Who writes to many."""
        return policies.can_write_messages(by)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """Words for a subject and a message."""
        subject, body = (str(params.get(name) or "").strip() for name in ("subject", "body"))
        missing = {name: _("Write something here.") for name, value in (("subject", subject), ("body", body)) if not value}
        if missing:
            raise Invalid(_("A message needs a subject and words."), fields=missing)
        return {"subject": " ".join(subject.split())[:200], "body": body[:20_000], "ways": params.get("ways") or "both"}

    def stays(self, params: Mapping[str, Any]) -> str:
        """Read and mailed is told."""
        return _("An undo takes the message back from those who have neither opened it nor been mailed it.")

    def people(self, rows: Sequence[Row], by: Actor) -> dict[int, tuple[UUID, UUID | None]]:
        """Who stands in each row, by its number, with the course that must be open to them."""
        raise NotImplementedError

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Each person once; those who cannot be reached are refused."""
        people = self.people(rows, context.by)
        members = members_by_id([user_id for user_id, _course in people.values()])
        reached = {reader.user_id for reader in queries.readers(list(members))}
        for row in rows:
            found = people.get(row.number)
            if found is None or found[0] not in members:
                row.deny(_("This person is not here any more, or not yours to write to."))
                continue
            member = members[found[0]]
            row.key, row.label = str(member.id), f"{member.name} · {member.email}"
            row.settle(None, SENT)
            if member.id not in reached:
                row.deny(_("Suspended or gone, and cannot be reached."))

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """A message stands where it was sent; before, nothing does."""
        return {row.number: SENT for row in rows if row.result == "applied"}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Tell them, each once; those who must not get it any more are refused with the reason."""
        people = self.people(rows, context.by)
        wanted = dict(people.values())
        ways = context.params["ways"]
        values = {"subject": context.params["subject"], "body": context.params["body"], "in_app": ways != "mail", "mail": ways != "app"}
        reasons = operations.send_to_chosen(context.plan_id, wanted, by=context.by, **values)
        for row in rows:
            if row.number not in people:
                row.refuse(_("This person is not here any more, or not yours to write to."))
            elif reason := reasons.get(people[row.number][0]):
                row.refuse(reason)

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Take it back from those who have not seen it."""
        people = self.people(rows, context.by)
        taken = operations.take_back(context.plan_id, [user_id for user_id, _course in people.values()])
        for row in rows:
            if row.number not in people or people[row.number][0] not in taken:
                row.conflict(_("Read or mailed already."))


@register
class MessagePeople(_Message):
    """A message to chosen people."""

    name = "notifications.message_people"
    lists = ("channels.people",)
    back = "/admin/channels/people"

    def allowed(self, by: Actor) -> Decision:
        """Admins write to anybody."""
        return policies.can_set_defaults(by)

    def people(self, rows: Sequence[Row], by: Actor) -> dict[int, tuple[UUID, UUID | None]]:
        """The row's subject is the person."""
        return {row.number: (row.subject_id, None) for row in rows if row.subject_id}


@register
class MessageStudents(_Message):
    """A message to the people of chosen enrolments; instructors write to their own courses."""

    name = "notifications.message_students"
    lists = ("enrollments.enrollments",)
    back = "/admin/enrollments/"

    def people(self, rows: Sequence[Row], by: Actor) -> dict[int, tuple[UUID, UUID | None]]:
        """The row's subject is the enrolment: its person, as long as its course is open to them."""
        query = select(Enrollment.id, Enrollment.user_id, Enrollment.course_id).where(
            Enrollment.id.in_([row.subject_id for row in rows if row.subject_id])
        )
        if not by.is_admin:
            query = query.join(Course, Course.id == Enrollment.course_id).where(Course.instructor_id == by.user_id)
        found = {row.id: (row.user_id, row.course_id) for row in db.session().execute(query)}
        return {row.number: found[row.subject_id] for row in rows if row.subject_id in found}
