"""May this actor…? about people and the channel itself."""

from lms.channels.models import Member
from lms.core.decisions import Actor, Decision, admins, no, signed_in, yes
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


def can_send_way_in(actor: Actor, member: Member, *, has_app: bool) -> Decision:
    """Admins help a student who cannot get in; staff and people with an app prove more than a mailbox."""
    if member.status != "active":
        return no(_("Only somebody who is active gets such a link. Let them in again, or invite them again."), rule="status")
    if member.is_staff or has_app:
        sentence = _("This person signs in with a second proof, which a link by mail would go round.")
        return no(sentence, rule="second_factor")
    return can_edit_person(actor, member)


def can_view_as(actor: Actor, member: Member) -> Decision:
    """Admins look at the pages as a student or an instructor: nobody of their own rank or above."""
    if member.id == actor.user_id:
        return admins(actor) & no(_("You see your own pages already."), rule="self")
    if member.role in ("admin", "owner"):
        return admins(actor) & no(_("Only the pages of students and instructors can be looked at."), rule="rank")
    return admins(actor) & can_enter(member)


def can_stop_viewing(actor: Actor) -> Decision:
    """Whoever is signed in stops looking."""
    return signed_in(actor)


def can_enter(member: Member) -> Decision:
    """Whether the person may sign in and be here at all."""
    if member.status == "suspended":
        return no(_("%(name)s is suspended and cannot sign in. An admin can let them in again.", name=member.name), rule="suspended")
    if member.status == "deleted":
        return no(_("%(name)s is not here any more.", name=member.name), rule="deleted")
    return yes("member")


def can_edit_channel(actor: Actor) -> Decision:
    """Admins edit the channel."""
    return admins(actor)


def can_edit_self(actor: Actor) -> Decision:
    """Everybody edits their own profile."""
    return yes() if actor.is_known else no(_("Sign in first."), rule="sign_in")
