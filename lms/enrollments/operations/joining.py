"""Coming into courses through a link or key: judged again in the moment of enrolling, place by place, whatever was seen before."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from lms.channels import operations as people
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.core.tenancy import current_channel
from lms.courses.models import Course
from lms.enrollments import policies, queries
from lms.enrollments.errors import LinkRefused
from lms.enrollments.models import Enrollment, Link, LinkUse
from lms.enrollments.operations.enrolling import enroll_by_wallet, enroll_freely
from lms.enrollments.operations.links import digest_of, digest_of_key, plain_key
from lms.enrollments.operations.seats import batch_price
from lms.enrollments.queries import Way
from lms.vouchers.operations import guessing

JOIN_PATH = re.compile(r"/enrollments/(?:join|work)/([A-Za-z0-9_.=-]{20,2000})")
# The database's own clock decides, and the row is locked: two at once cannot both get the last place.
TAKE_PLACE = text(
    """
    UPDATE enrollments.links SET uses = uses + 1
    WHERE channel_id = :channel AND id = :link AND revoked_at IS NULL AND (seats IS NULL OR uses < seats)
        AND (starts_at IS NULL OR starts_at <= clock_timestamp()) AND (ends_at IS NULL OR ends_at > clock_timestamp())
    RETURNING uses
    """
)


def find_key(typed: str, *, by: Actor, address: str = "") -> Way:
    """The key somebody typed, with its courses; wrong ones count against the account, its address and the academy, like vouchers' codes.

    Raises LinkRefused for what is no key here, and TooMany after too many of them.
    """
    assert by.user_id is not None
    guessing.count_try(by.user_id, address)
    found = None if guessing.words_rest() or not plain_key(typed) else queries.find_way(digest_of_key(typed))
    if found is None or not found.link.is_key:
        guessing.wrong(True, address)
        raise LinkRefused(policies.no_such_key(), rule="unknown")
    guessing.take_back(by.user_id)
    return found


def join_courses(way: Way, *, by: Actor) -> list[Enrollment]:
    """Enrol the actor in every course that costs nothing by this link or key; in which they are already changes nothing.

    Those at their price are left to `enroll_through`. Raises LinkRefused when it lets nobody in any more.
    """
    open_now = courses_to_join(way, by)
    free = [course for course in open_now if way.link.is_free or not batch_price(course, way.batches.get(course.id), now()).minor]
    return [enroll_through(way.link.id, course, by=by) for course in free if policies.can_enroll(by, course, None, let_in=True)]


def courses_to_join(way: Way, by: Actor) -> Sequence[Course]:
    """The courses of a link or key in which the actor is not, but those that run in batches by now and of which it names none."""
    standing = queries.enrollments_in(by.user_id, [course.id for course in way.courses])
    return [
        course
        for course in way.courses
        if course.id not in standing and (course.id in way.batches or not queries.runs_in_batches(course.id))
    ]


def enroll_through(link_id: UUID, course: Course, *, by: Actor, agreed: Money | None = None, coupon_id: UUID | None = None) -> Enrollment:
    """Enrol the actor in one course through a link or key, paying its price where the link does not give it; twice changes nothing.

    Raises LinkRefused when it does not let this person in now, BatchIsFull when its batch has no place, and whatever
    `enroll_by_wallet` raises; then no place of the link is taken either.
    """
    with db.session().begin_nested():
        return _enroll_through(link_id, course, by, agreed, coupon_id)


def _enroll_through(link_id: UUID, course: Course, by: Actor, agreed: Money | None, coupon_id: UUID | None) -> Enrollment:
    standing = queries.active_enrollment(by.user_id, course.id)
    if standing is not None:
        return standing
    batch = queries.batches_of_link(link_id).get(course.id)
    batch_id = batch.id if batch is not None else None
    link = _take_place(link_id, course, by, has_batch=batch is not None)
    if link.is_free:
        assert by.user_id is not None
        enrollment = enroll_freely(by.user_id, course.id, source="link", note=link.label, by=by, batch_id=batch_id)
    else:
        enrollment = enroll_by_wallet(course, by=by, agreed=agreed, coupon_id=coupon_id, batch_id=batch_id)
    values = {"link_id": link.id, "user_id": by.user_id, "course_id": course.id, "enrollment_id": enrollment.id}
    row = {"id": uuid7(), "channel_id": current_channel(), "at": now(), **values}
    db.session().execute(insert(LinkUse).values(row).on_conflict_do_nothing())
    if link.tag:
        people.give_tag(enrollment.user_id, link.tag, by=by)
    return enrollment


def _take_place(link_id: UUID, course: Course, by: Actor, *, has_batch: bool) -> Link:
    """Hold a place of the link for the actor, once for each person; raises LinkRefused."""
    link = queries.get_link(link_id, lock=True)
    has_place = queries.came_through(link.id, by.user_id)
    decision = policies.can_join(by, link, at=now(), has_place=has_place)
    if decision and (link.role or course.id not in [one.id for one in queries.courses_of_link(link.id)]):
        decision = policies.not_for(link)
    if decision and not has_batch and queries.runs_in_batches(course.id):
        decision = policies.runs_in_batches(course)
    if not decision:
        raise LinkRefused(decision.sentence, rule=decision.rule)
    if not has_place and not db.session().execute(TAKE_PLACE, {"channel": current_channel(), "link": link.id}).one_or_none():
        decision = policies.is_over(link)
        raise LinkRefused(decision.sentence, rule=decision.rule)
    return link


def why_shut(path: str) -> str:
    """Why the link at a path of ours lets nobody in now, so that nobody makes an account for it in vain; "" for any other path."""
    found = JOIN_PATH.fullmatch(path)
    way = queries.find_way(digest_of(found[1])) if found else None
    if found is None or (way is not None and way.link.state_at(now()) in ("open", "waiting")):
        return ""
    decision = policies.is_over(way.link, state=way.link.state_at(now())) if way is not None else None
    why = decision.sentence if decision is not None else policies.no_such_link()
    return _("%(why)s To make an account without it, start from the home page.", why=why)
