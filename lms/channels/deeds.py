"""What the audit log calls the acts on people and on the channel, and which of them one click takes back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from lms.channels import operations, policies, queries
from lms.channels.models import Channel, Member
from lms.channels.plans.crowd import ROLES, STATUSES
from lms.core import bin, db
from lms.core.bin import Kind
from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, names_come_from, register
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow

ACTS = {
    "channels.join": Deed(_l("joined the academy"), "user-plus"),
    "channels.take_in": Deed(_l("took into the academy"), "user-plus"),
    "channels.leave": Deed(_l("left the academy"), "user-minus"),
    "channels.remove": Deed(_l("took the person out of the academy"), "user-minus"),
    "channels.remove_undone": Deed(_l("took the taking out back"), "undo-2"),
    "channels.bring_back": Deed(_l("brought the person back"), "undo-2"),
    "channels.edit_person": Deed(_l("changed what is known of the person"), "pencil"),
    "channels.change_role": Deed(_l("changed the role"), "user-cog"),
    "channels.change_role_undone": Deed(_l("took the change of the role back"), "undo-2"),
    "channels.suspend": Deed(_l("suspended the person"), "ban"),
    "channels.suspend_undone": Deed(_l("took the suspension back"), "undo-2"),
    "channels.restore": Deed(_l("let the person in again"), "rotate-ccw"),
    "channels.restore_undone": Deed(_l("took the letting in again back"), "undo-2"),
    "channels.import": Deed(_l("changed the person by an import"), "upload"),
    "channels.undo_import": Deed(_l("took an import back for the person"), "undo-2"),
    "channels.view_as": Deed(_l("began to look at the pages as the person"), "eye"),
    "channels.view_as_ended": Deed(_l("stopped looking at the pages as the person"), "eye-off"),
    "channels.add_tag": Deed(_l("tagged the person"), "tag"),
    "channels.add_tag_undone": Deed(_l("took the tagging back"), "undo-2"),
    "channels.remove_tag": Deed(_l("took a tag away from the person"), "tag"),
    "channels.remove_tag_undone": Deed(_l("gave the tag back"), "undo-2"),
    "channels.edit_fields": Deed(_l("changed what the academy's fields say of the person"), "pencil"),
    "channels.add_field": Deed(_l("made a field"), "plus"),
    "channels.edit_field": Deed(_l("changed a field"), "pencil"),
    "channels.retire_field": Deed(_l("retired a field"), "archive"),
    "channels.restore_field": Deed(_l("brought a field back"), "rotate-ccw"),
    "channels.add_segment": Deed(_l("made a segment"), "target"),
    "channels.edit_segment": Deed(_l("changed a segment"), "pencil"),
    "channels.retire_segment": Deed(_l("put a segment away"), "archive"),
    "channels.restore_segment": Deed(_l("brought a segment back"), "rotate-ccw"),
    "channels.set_logo": Deed(_l("changed the logo of the academy"), "palette"),
    "channels.demand": Deed(_l("changed how staff must sign in"), "shield-check"),
    "channels.edit": Deed(_l("changed the settings of the academy"), "settings"),
    "channels.recount_sightings": Deed(_l("had it counted anew who was last here when"), "refresh-cw"),
}
FIELDS = {
    "strong_staff": Label(_l("Staff need an app or a passkey")),
    "logo_url": Label(_l("Logo")),
    "name": Label(_l("Name")),
    "email": Label(_l("E-mail")),
    "role": Label(_l("Role"), values=ROLES),
    "status": Label(_l("Status"), values=STATUSES),
    "title": Label(_l("Title")),
    "phone": Label(_l("Phone")),
    "bio": Label(_l("About the person")),
    "note": Label(_l("Note")),
    "asks": Label(_l("Asks")),
    "tags": Label(_l("Tags")),
    "label": Label(_l("Name")),
    "kind": Label(_l("Takes")),
    "choices": Label(_l("Choices")),
    "is_required": Label(_l("Everybody must fill it in"), kind="bool"),
    "is_private": Label(_l("Only admins see it"), kind="bool"),
    "retired_at": Label(_l("Retired"), kind="time"),
    "reason": Label(_l("Reason")),
    "pages": Label(_l("Pages seen")),
    "until": Label(_l("Until"), kind="time"),
    "started": Label(_l("Began"), kind="time"),
    "ended": Label(_l("Ended"), kind="time"),
    "tagline": Label(_l("Tagline")),
    "currency": Label(_l("Currency")),
    "zone": Label(_l("Time zone")),
    "locale": Label(_l("Language")),
    "theme": Label(_l("Look")),
}


def names(user_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """The names of people."""
    return {user_id: member.name for user_id, member in queries.members_by_id(user_ids).items()}


def _may_role(by: Actor, member: Member) -> Decision:
    return policies.can_give_role(by, member, member.role)


def _put_role(member: Member, values: dict[str, Any], by: Actor) -> None:
    operations.change_role(member, values["role"], by=by)


def _put_person(member: Member, values: dict[str, Any], by: Actor) -> None:
    operations.edit_person(member, values, by=by)


def _put_status(member: Member, values: dict[str, Any], by: Actor) -> None:
    (operations.suspend if values["status"] == "suspended" else operations.restore)(member, by=by)


def _channel(_channel_id: UUID) -> Channel:
    return queries.this_channel()


def _may_channel(by: Actor, _channel: Channel) -> Decision:
    return policies.can_edit_channel(by)


def _put_logo(channel: Channel, values: dict[str, Any], by: Actor) -> None:
    operations.put_logo(channel, values["logo_url"], by=by)


def _put_demand(channel: Channel, values: dict[str, Any], by: Actor) -> None:
    operations.demand_strong_staff(channel, bool(values["strong_staff"]), by=by)


def _put_channel(channel: Channel, values: dict[str, Any], by: Actor) -> None:
    operations.edit_channel(channel, values, by=by)


def _segments(ids: Sequence[UUID]) -> Mapping[UUID, str]:
    return {one.id: one.name for one in queries.segments_here(retired=True) if one.id in ids}


names_come_from("person", names)
names_come_from("segment", _segments)
register(
    Deeds(
        "channels",
        _l("People and the academy"),
        ACTS,
        {
            "members": Thing(_l("Person"), "/admin/channels/people/{id}"),
            "channels": Thing(_l("Academy"), "/admin/channels/settings"),
            "segments": Thing(_l("Segment"), "/admin/channels/segments/{id}"),
            "fields": Thing(_l("Field"), "/admin/channels/fields/{id}/edit"),
        },
        FIELDS,
        {
            "channels.edit_person": Revert(queries.get_member, policies.can_edit_person, _put_person),
            "channels.change_role": Revert(queries.get_member, _may_role, _put_role),
            "channels.suspend": Revert(queries.get_member, policies.can_suspend, _put_status),
            "channels.restore": Revert(queries.get_member, policies.can_suspend, _put_status),
            "channels.set_logo": Revert(_channel, _may_channel, _put_logo),
            "channels.demand": Revert(_channel, _may_channel, _put_demand),
            "channels.edit": Revert(_channel, _may_channel, _put_channel),
        },
    )
)


def _bring_back(row: BinRow, by: Actor) -> None:
    operations.bring_back(db.session().get_one(Member, row.target_id), row.kept.get("status", "active"), by=by)


def _purge(row: BinRow, by: Actor) -> None:
    db.session().execute(delete(Member).where(Member.id == row.target_id))


bin.register(Kind("person", _l("Person"), "user", "channels.members", _bring_back, _purge))
