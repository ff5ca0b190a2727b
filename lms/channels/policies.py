"""May this actor…? about people and the channel itself."""

from lms.channels.models import Member
from lms.core.decisions import Actor, Decision, admins, no, yes
from lms.core.i18n import gettext as _


def can_manage_people(actor: Actor) -> Decision:
    """Admins manage people."""
    return admins(actor)


def can_edit_person(actor: Actor, member: Member) -> Decision:
    """Admins edit people; an owner is edited by owners alone."""
    if member.role == "owner" and actor.role != "owner" and not actor.is_machine:
        return admins(actor) & no(_("Only an owner can change an owner."), rule="owner")
    return admins(actor)


def can_give_role(actor: Actor, member: Member, role: str) -> Decision:
    """Admins give every role but owner's, and never their own."""
    if member.id == actor.user_id:
        return no(_("You cannot change your own role. Ask another admin."), rule="own_role")
    if role == "owner" and actor.role != "owner" and not actor.is_machine:
        return admins(actor) & no(_("Only an owner can make somebody an owner."), rule="owner")
    return can_edit_person(actor, member)


def can_suspend(actor: Actor, member: Member) -> Decision:
    """Admins suspend others, never themselves."""
    if member.id == actor.user_id:
        return no(_("You cannot suspend yourself."), rule="own_role")
    return can_edit_person(actor, member)


def can_edit_channel(actor: Actor) -> Decision:
    """Admins edit the channel."""
    return admins(actor)


def can_edit_self(actor: Actor) -> Decision:
    """Everybody edits their own profile."""
    return yes() if actor.is_known else no(_("Sign in first."), rule="sign_in")
