"""Work here through a link: the role is given at once, is the person's own once they signed in as staff do, and goes with
the link before that.
"""

from uuid import UUID

from lms.channels import operations as people
from lms.channels import policies as channel_policies
from lms.channels import queries as channels
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import STAFF, Actor, Decision
from lms.core.events import emit
from lms.core.tenancy import current_channel
from lms.courses import operations as courses
from lms.enrollments import policies, queries
from lms.enrollments.errors import LinkRefused
from lms.enrollments.events import HireTaken
from lms.enrollments.models import Hire, Link
from lms.enrollments.operations.batches import add_instructor
from lms.enrollments.operations.joining import TAKE_PLACE


def may_take_work(link: Link, *, by: Actor) -> Decision:
    """Whether the link gives its role to this person now; whoever made it must still be one who may give it."""
    hire = queries.hire_of(link.id, by.user_id)
    return policies.can_take_work(by, link, at=now(), hire=hire, maker_may=_maker_may(link, by))


def take_work(link_id: UUID, *, by: Actor) -> Hire:
    """Give the actor the role of a link, and sign them out everywhere, since staff sign in with more; twice changes nothing.

    Somebody who works here already has it confirmed at once. Raises LinkRefused when the link does not give it now.
    """
    link = queries.get_link(link_id, lock=True)
    decision = may_take_work(link, by=by)
    hire = queries.hire_of(link.id, by.user_id)
    if decision and hire is not None and hire.stands:
        return hire
    if decision and not db.session().execute(TAKE_PLACE, {"channel": current_channel(), "link": link.id}).one_or_none():
        decision = policies.is_over(link)
    if not decision:
        raise LinkRefused(decision.sentence, rule=decision.rule)
    assert by.user_id is not None
    member, standing = channels.get_member(by.user_id), queries.lock_open_hires(user_id=by.user_id)
    if hire is None:
        hire = Hire(link_id=link.id, user_id=member.id)
        db.session().add(hire)
    hire.role_before = next((one.role_before for one in standing), member.role)
    hire.taken_at, hire.withdrawn_at = now(), None
    db.session().flush()
    audit.record("enrollments.take_work", link, by=by, after={"role": link.role, "user_id": member.id}, name=link.label)
    emit(HireTaken(hire_id=hire.id, link_id=link.id, user_id=member.id, by=by.user_id))
    if member.role not in STAFF:
        people.change_role(member, link.role, by=by)
    elif not standing:
        _confirm(hire, link, by)
    return hire


def confirm_hires(user_id: UUID) -> None:
    """Make the work that somebody took their own, now that they have proved who they are as staff must; twice changes nothing."""
    for hire in queries.lock_open_hires(user_id=user_id):
        by = channels.actor_of_user(user_id)
        if by.is_staff:
            _confirm(hire, queries.get_link(hire.link_id), by)


def _confirm(hire: Hire, link: Link, by: Actor) -> None:
    hire.confirmed_at = now()
    audit.record("enrollments.confirm_hire", link, by=by, after={"role": link.role, "user_id": hire.user_id}, name=link.label)
    batches = queries.batches_of_link(link.id)
    for course in queries.courses_of_link(link.id):
        if course.id in batches:
            add_instructor(batches[course.id], hire.user_id, by=by)
        else:
            courses.set_instructor(course, hire.user_id, by=by)


def _maker_may(link: Link, by: Actor) -> Decision:
    """Whether whoever made the link may give its role to this person today."""
    maker = channels.find_member(link.made_by) if link.made_by else None
    taker = channels.find_member(by.user_id) if by.user_id else None
    if maker is None or taker is None:
        return policies.maker_is_gone() if maker is None else policies.can_learn(by)
    acting = Actor(user_id=maker.id, name=maker.name, role=maker.role if maker.is_active else "")
    return channel_policies.can_give_role(acting, taker, link.role)
