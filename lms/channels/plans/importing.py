"""Importing people: a list of addresses with what is known of them becomes members, and changes what is given, nothing else."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from email_validator import EmailNotValidError, validate_email

from lms.auth.queries import email_key
from lms.channels import jobs, policies, queries
from lms.channels.models import Field as OwnField
from lms.channels.plans import crowd, traits
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.plans import Act, Context, Field, Option, Row, State, register
from lms.core.references import what_hangs_on

SIMPLE = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}")
FIELDS = (crowd.EMAIL, crowd.NAME, crowd.ROLE, crowd.STATUS, crowd.TITLE, crowd.PHONE)
LIMITS = {"name": 120, "title": 120, "phone": 40}
INVITED_AT_ONCE = 50


@register
class ImportPeople(Act):
    """New people by e-mail, and what a list says about those who are here; an empty cell leaves things as they are."""

    name = "channels.import_people"
    title = _l("Import people")
    options = (
        Option(
            "role",
            _l("New people are"),
            kind="select",
            choices=(("student", _l("Students")), ("instructor", _l("Instructors"))),
            default="student",
            help=_l("Where the list has no role. Nobody who is here already gets another role, unless the list has a column for it."),
        ),
        Option("invite", _l("Send every new person an invitation by mail"), kind="checkbox", required=False),
    )
    back = "/admin/channels/people"
    twice = _l("The same address stands in line {line}.")
    takes_people = True

    @property
    def fields(self) -> Sequence[Field]:
        """What everybody has, tags, and what this academy asks for itself."""
        return (*FIELDS, traits.TAGS, *traits.own_fields())

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_manage_people(by)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A role for new people that may be given in bulk, and whether they are invited."""
        role = params.get("role") or "student"
        if role not in ("student", "instructor"):
            raise Invalid(_("Choose what new people are."), fields={"role": _("Choose what new people are.")})
        return {"role": role, "invite": bool(params.get("invite"))}

    def stays(self, params: Mapping[str, Any]) -> str:
        """Mails that were sent."""
        return _("Invitations that were sent stay sent; their links stop working.") if params.get("invite") else ""

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Find out who is here, and what would change."""
        fields, spelt = queries.fields_here(), traits.spellings()
        good = [row for row in rows if _read(row) and _fits(row, fields, spelt)]
        known = crowd.account_ids([row.key for row in good])
        here = crowd.people_now(list(known.values()))
        traits.join_traits(here, traits.names_in(row.given for row in good))
        for row in good:
            user_id = known.get(row.key)
            state = here.get(user_id) if user_id else None
            if state is None:
                self._plan_new(row, context)
                continue
            row.subject_id = user_id
            assert user_id is not None
            wanted = _wanted(row, state)
            if wanted.get("status") == "invited" and state["status"] != "invited":
                row.deny(_("This person is here already and cannot become invited again."))
                continue
            row.settle(state, wanted or {"name": state["name"]})
            if row.verdict == "changed" and (sentence := crowd.refusal(state, wanted, user_id, context.by)):
                row.deny(sentence)

    def _plan_new(self, row: Row, context: Context) -> None:
        if "name" in context.columns and "name" not in row.given:
            row.deny(
                _("Nobody here has this address, and the line has no name. Write one; without a column of names the address gives it.")
            )
            return
        role = row.given.get("role") or context.params["role"]
        if role in ("owner", "admin") and context.by.role != "owner" and role == "owner":
            row.deny(_("Only an owner can make somebody an owner."))
            return
        if row.given.get("status") == "deleted":
            row.deny(_("There is no such person here to delete."))
            return
        after = {"email": row.given["email"], "name": row.given.get("name") or _name_of(row.key), "role": role}
        after["status"] = row.given.get("status") or "invited"
        row.settle(
            None, {**after, "title": row.given.get("title", ""), "phone": row.given.get("phone", ""), **traits.only_traits(row.given)}
        )

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The people of the rows, by id or else by address."""
        known = crowd.account_ids([row.key for row in rows if row.subject_id is None])
        ids = {row.number: row.subject_id or known.get(row.key) for row in rows}
        here = crowd.people_now([user_id for user_id in ids.values() if user_id], lock=lock)
        traits.join_traits(here, traits.names_in(row.after for row in rows))
        return {number: here[user_id] for number, user_id in ids.items() if user_id in here and user_id}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Add who is new, change who is here, invite whom it is wanted for."""
        new = [row for row in rows if row.verdict == "new"]
        changed = [row for row in rows if row.verdict == "changed"]
        if new:
            crowd.add_people(new, by=context.by)
            if context.params.get("invite"):
                invited = [str(row.subject_id) for row in new if (row.after or {})["status"] == "invited"]
                for start in range(0, len(invited), INVITED_AT_ONCE):
                    some = invited[start : start + INVITED_AT_ONCE]
                    jobs.send_invitations.later(user_ids=some, by=str(context.by.user_id), plan_id=str(context.plan_id))
        if changed:
            crowd.change_people(changed, {row.number: row.after or {} for row in changed}, action="channels.import", by=context.by)

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Take out again who was new and did nothing since; put back what was changed."""
        new = [row for row in rows if row.verdict == "new"]
        hanging = what_hangs_on("channels.members", [row.subject_id for row in new if row.subject_id])
        for row in new:
            if row.subject_id in hanging:
                row.conflict(_("Something hangs on this person by now: %(what)s. Suspend them instead.", what=hanging[row.subject_id]))
        gone = [row for row in new if row.result != "conflict"]
        if gone:
            crowd.remove_people(gone, by=context.by)
        changed = [row for row in rows if row.verdict == "changed"]
        if changed:
            crowd.change_people(changed, {row.number: row.before or {} for row in changed}, action="channels.undo_import", by=context.by)


def _read(row: Row) -> bool:
    """Read address, name, role and the rest of a line; false, with the reason on the row, when it cannot be used."""
    address = row.label = row.given.get("email", "")
    fault = "" if address else _("There is no e-mail address in this line.")
    if address and not (SIMPLE.fullmatch(address) and len(address) <= 254):
        try:
            row.given["email"] = validate_email(address, check_deliverability=False).normalized
        except EmailNotValidError:
            fault = _("%(text)s is no e-mail address. It looks like name@example.org.", text=address[:80])
    for key, most in LIMITS.items():
        if key in row.given:
            row.given[key] = _one_line(row.given[key])
            if len(row.given[key]) > most:
                fault = fault or _("%(field)s is longer than %(most)s letters.", field=str(_field_label(key)), most=most)
    role, status = row.given.get("role", "student"), row.given.get("status", "active")
    if role not in crowd.ROLES:
        fault = fault or _("There is no role %(text)s. Use student, instructor, admin or owner.", text=role[:40])
    if status not in crowd.STATUSES or status == "deleted":
        fault = fault or _("There is no status %(text)s. Use active, invited or suspended.", text=status[:40])
    if fault:
        row.deny(fault)
        return False
    row.key = email_key(row.given["email"])
    return True


def _fits(row: Row, fields: Sequence[OwnField], spelt: Mapping[str, str]) -> bool:
    """Read what a line says of tags and own fields; false, with the reason on the row, when it does not fit."""
    try:
        traits.read_traits(row, fields, spelt)
    except Invalid as refusal:
        row.deny(refusal.sentence)
        return False
    return True


def _wanted(row: Row, state: State) -> State:
    """What the line says about somebody who is here; what only differs in space does not differ."""
    made = {key: row.given[key] for key in crowd.TOUCHED if key in row.given}
    if state["status"] == "deleted":
        made.setdefault("status", "active")
    return {key: state[key] if _one_line(state[key]) == value else value for key, value in made.items()} | traits.only_traits(row.given)


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _name_of(address: str) -> str:
    """A name to begin with where a list has none: ana.ruiz@… is Ana Ruiz."""
    words = re.split(r"[._+-]+", address.partition("@")[0])
    return " ".join(word.capitalize() for word in words if word)[:120] or address[:120]


def _field_label(key: str) -> Any:
    return next(one.label for one in FIELDS if one.key == key)
