"""What channels do in the background."""

from collections.abc import Sequence
from uuid import UUID

from lms.auth import queries as accounts
from lms.channels import operations, queries
from lms.core.decisions import the_platform
from lms.core.jobs import Every, job
from lms.core.tenancy import current_channel


@job(queue="mail", lease_seconds=120)
def send_invitations(user_ids: Sequence[UUID | str], by: str, plan_id: str) -> None:
    """Invite the people of an import by mail; whoever left or came meanwhile is passed over. `by` is the admin who imported them."""
    inviter = queries.find_member(UUID(by)) if by != "None" else None
    actor = queries.actor_of_user(inviter.id) if inviter is not None else the_platform(current_channel())
    members = queries.members_by_id([UUID(str(user_id)) for user_id in user_ids])
    for member in members.values():
        if member.status == "invited":
            operations.send_invitation(member, accounts.get_user(member.id), by=actor)


@job(queue="default", every=Every(minutes=1))
def end_viewings() -> None:
    """End the viewings whose time is over, and write down how many pages they saw."""
    operations.end_viewings(by=the_platform(current_channel()))


@job(queue="default", every=Every(minutes=5))
def fold_sightings() -> None:
    """Gather the notes of who was last here when, so that they stay as few as there are quarters of an hour."""
    operations.fold_sightings()
