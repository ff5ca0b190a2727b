"""Many people in a handful of statements: read, added, changed, taken out; with events, audit and the end of lost rights."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update

from lms.auth import operations as accounts
from lms.auth.models import RefreshToken, SignInSession
from lms.channels import policies
from lms.channels.events import MemberEdited, MemberJoined, MemberLeft, MemberSuspended, RoleChanged
from lms.channels.models import Member
from lms.channels.operations import write_traits
from lms.channels.plans import traits
from lms.core import audit, bin, db
from lms.core.audit import Entry
from lms.core.clock import now
from lms.core.decisions import STAFF, Actor
from lms.core.events import Event, emit_many
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.ids import uuid7
from lms.core.plans import Field, Row, State
from lms.core.rights import rights_changed
from lms.core.tenancy import current_channel

TOUCHED = ("name", "role", "status", "title", "phone")
ROLES = {"student": _l("Student"), "instructor": _l("Instructor"), "admin": _l("Admin"), "owner": _l("Owner")}
STATUSES = {"active": _l("Active"), "invited": _l("Invited"), "suspended": _l("Suspended"), "deleted": _l("Deleted")}
EMAIL = Field(
    "email", _l("E-mail"), ("email address", "mail", "e-mail address", "username", "login", "correo", "courriel"), identifies=True
)
NAME = Field("name", _l("Name"), ("full name", "display name", "person", "student", "nombre", "nom"))
ROLE = Field("role", _l("Role"), ("rol", "rôle", "type"), words=ROLES)
STATUS = Field("status", _l("Status"), ("state", "estado"), words=STATUSES)
TITLE = Field("title", _l("Title"), ("job title", "position"))
PHONE = Field("phone", _l("Phone"), ("telephone", "mobile", "phone number", "tel"))

ACCOUNTS = text("SELECT email_key, id FROM auth.user_ids_of(CAST(:keys AS text[]))")
HERE = text(
    "SELECT id, email, name, role, status, title, phone FROM channels.members"
    " WHERE channel_id = :channel AND id = ANY(CAST(:ids AS uuid[])) ORDER BY id"
)
HERE_LOCKED = text(f"{HERE.text} FOR UPDATE")
ADD_ACCOUNTS = text(
    """
    INSERT INTO auth.users (id, email, email_key, name, locale, zone)
    SELECT p.id, p.email, p.key, p.name, 'en', 'UTC'
    FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS p (id uuid, email text, key text, name text)
    ON CONFLICT DO NOTHING
    """
)
ADD_MEMBERS = text(
    """
    INSERT INTO channels.members (channel_id, id, name, email, role, status, title, phone, joined_at)
    SELECT :channel, p.id, p.name, p.email, p.role, p.status, p.title, p.phone, :at
    FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS p (id uuid, name text, email text, role text, status text, title text, phone text)
    """
)
CHANGE_MEMBERS = text(
    """
    UPDATE channels.members m SET name = p.name, role = p.role, status = p.status, title = p.title, phone = p.phone, version = m.version + 1
    FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:roles AS text[]), CAST(:statuses AS text[]),
        CAST(:titles AS text[]), CAST(:phones AS text[])) AS p (id, name, role, status, title, phone)
    WHERE m.channel_id = :channel AND m.id = p.id
    """
)
REMOVE_MEMBERS = text("DELETE FROM channels.members WHERE channel_id = :channel AND id = ANY(CAST(:ids AS uuid[]))")


def account_ids(keys: Sequence[str]) -> dict[str, UUID]:
    """The accounts of addresses (in the form they are compared in); those nobody has are absent."""
    return {row.email_key: row.id for row in db.session().execute(ACCOUNTS, {"keys": list(keys)})} if keys else {}


def people_now(ids: Sequence[UUID], *, lock: bool = False) -> dict[UUID, State]:
    """What stands of people: name, role, status, title, phone and e-mail; locked in the order of their ids."""
    if not ids:
        return {}
    found = db.session().execute(HERE_LOCKED if lock else HERE, {"channel": current_channel(), "ids": list(ids)})
    return {row[0]: dict(zip(("email", *TOUCHED), row[1:], strict=True)) for row in found}


def refusal(before: State, after: Mapping[str, Any], user_id: UUID, by: Actor) -> str:
    """The rule that keeps this actor from this change of a person, in words; "" when none does."""
    member = Member(id=user_id, role=before["role"], status=before["status"])
    decision = policies.can_edit_person(by, member)
    if decision and after.get("role", before["role"]) != before["role"]:
        decision = policies.can_give_role(by, member, after["role"])
    if decision and after.get("status", before["status"]) != before["status"]:
        decision = policies.can_suspend(by, member)
    return decision.sentence


def add_people(rows: Sequence[Row], *, by: Actor) -> None:
    """Make the rows' people members: an account for those who have none, then the membership; sets the rows' subjects."""
    known = account_ids([row.key for row in rows])
    lacking = [row for row in rows if row.key not in known]
    if lacking:
        people = [
            {"id": str(uuid7()), "email": (row.after or {})["email"], "key": row.key, "name": (row.after or {})["name"]} for row in lacking
        ]
        db.session().execute(ADD_ACCOUNTS, {"people": json.dumps(people, ensure_ascii=False)})
        known |= account_ids([row.key for row in lacking])
    for row in rows:
        row.subject_id = known[row.key]
    _insert_members(rows)
    said = {row.subject_id: traits.only_traits(row.after or {}) for row in rows if row.subject_id}
    write_traits({user_id: values for user_id, values in said.items() if values})
    entries = [Entry(row.subject_id, (row.after or {})["name"], after=row.after) for row in rows if row.subject_id]
    audit.record_many("channels.take_in", "members", entries, by=by)
    emit_many([MemberJoined(user_id=row.subject_id, role=(row.after or {})["role"], by=by.user_id) for row in rows if row.subject_id])


def _insert_members(rows: Sequence[Row]) -> None:
    plain = ("name", "email", "role", "status", "title", "phone")
    people = [{"id": str(row.subject_id), **{key: (row.after or {}).get(key) or "" for key in plain}} for row in rows]
    values = {"channel": current_channel(), "at": now(), "people": json.dumps(people, ensure_ascii=False)}
    db.session().execute(ADD_MEMBERS, values)


def change_people(rows: Sequence[Row], wanted: Mapping[int, State], *, action: str, by: Actor) -> None:
    """Write what is wanted of people who are here (by row number); the last admin stays one, who loses a right loses the sign-ins."""
    stood = people_now([row.subject_id for row in rows if row.subject_id])
    traits.join_traits(stood, traits.names_in(wanted.values()))
    rows = _keep_an_admin(rows, wanted, stood)
    after = {row.subject_id: {**stood[row.subject_id], **wanted[row.number]} for row in rows if row.subject_id in stood}
    if not after:
        return
    values: dict[str, Any] = {"channel": current_channel(), "ids": list(after)}
    for key, name in zip(TOUCHED, ("names", "roles", "statuses", "titles", "phones"), strict=True):
        values[name] = [state[key] for state in after.values()]
    db.session().execute(CHANGE_MEMBERS, values)
    asked = {row.subject_id: traits.only_traits(wanted[row.number]) for row in rows if row.subject_id in after and row.subject_id}
    write_traits({user_id: said for user_id, said in asked.items() if said})
    entries = [
        Entry(row.subject_id, stood[row.subject_id]["name"], _only(stood[row.subject_id], wanted[row.number]), wanted[row.number])
        for row in rows
        if row.subject_id in after and row.subject_id
    ]
    audit.record_many(action, "members", entries, by=by)
    _tell({user_id: (stood[user_id], state) for user_id, state in after.items() if user_id}, by)


def remove_people(rows: Sequence[Row], *, by: Actor) -> None:
    """Take people out of the channel on whom nothing hangs; their accounts stay."""
    ids = [row.subject_id for row in rows if row.subject_id]
    end_sign_ins(ids)
    db.session().execute(REMOVE_MEMBERS, {"channel": current_channel(), "ids": ids})
    entries = [Entry(row.subject_id, (row.after or {}).get("name", ""), before=row.after) for row in rows if row.subject_id]
    audit.record_many("channels.leave", "members", entries, by=by)
    emit_many([MemberLeft(user_id=user_id, by=by.user_id) for user_id in ids])
    for user_id in ids:
        rights_changed(user_id)


def end_sign_ins(ids: Sequence[UUID]) -> None:
    """Sign people out of this channel everywhere, browsers and machines."""
    if ids:
        live = update(SignInSession).where(SignInSession.user_id.in_(ids), SignInSession.ended_at.is_(None)).values(ended_at=now())
        db.session().execute(live, execution_options={"synchronize_session": False})
        accounts.revoke_tokens(RefreshToken.user_id.in_(ids))


def _keep_an_admin(rows: Sequence[Row], wanted: Mapping[int, State], stood: Mapping[UUID, State]) -> list[Row]:
    """The rows without those that would leave the channel without anybody who runs it; these are refused."""
    losing = [
        row
        for row in rows
        if row.subject_id and _runs(stood[row.subject_id]) and not _runs({**stood[row.subject_id], **wanted[row.number]})
    ]
    if losing:
        ids = [row.subject_id for row in losing]
        others = select(Member.id).where(Member.role.in_(("owner", "admin")), Member.status == "active", Member.id.not_in(ids)).limit(1)
        if db.session().scalar(others) is None:
            for row in losing:
                row.refuse(_("This is the last admin. Make somebody else an admin first."))
    return [row for row in rows if row.result != "refused"]


def _runs(state: State) -> bool:
    return state["role"] in ("owner", "admin") and state["status"] == "active"


def _only(state: State, wanted: State) -> State:
    return {key: state[key] for key in wanted}


def _tell(changed: Mapping[UUID, tuple[State, State]], by: Actor) -> None:
    """End what was lost, and announce what changed."""
    suspended = [user_id for user_id, (before, after) in changed.items() if before["status"] != "suspended" == after["status"]]
    gone = [user_id for user_id, (before, after) in changed.items() if before["status"] != "deleted" == after["status"]]
    bin.put_many("person", [(one, changed[one][0]["name"], {"status": changed[one][0]["status"]}) for one in gone], by=by)
    bin.take_out("person", [one for one, (before, after) in changed.items() if before["status"] == "deleted" != after["status"]], by=by)
    roles = [user_id for user_id, (before, after) in changed.items() if before["role"] != after["role"]]
    raised = [user_id for user_id in roles if changed[user_id][0]["role"] not in STAFF and changed[user_id][1]["role"] in STAFF]
    end_sign_ins([*suspended, *gone, *raised])  # staff sign in with a second factor, and for a shorter time
    for user_id in {*suspended, *gone, *roles}:
        rights_changed(user_id)
    told: list[list[Event]] = [
        [MemberSuspended(user_id=user_id, by=by.user_id) for user_id in suspended],
        [
            RoleChanged(user_id=user_id, before=changed[user_id][0]["role"], after=changed[user_id][1]["role"], by=by.user_id)
            for user_id in roles
        ],
        [MemberLeft(user_id=user_id, by=by.user_id) for user_id in gone],
        [MemberEdited(user_id=user_id, by=by.user_id) for user_id in changed if user_id not in {*suspended, *gone, *roles}],
    ]
    for facts in told:
        emit_many(facts)
