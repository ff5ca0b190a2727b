"""Coming into a course by a link somebody was given, or by a key typed on the course page."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.core.decisions import Decision, anyone
from lms.core.errors import Forbidden, NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.signing import sign, unsign
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, LinkRefused
from lms.enrollments.forms import KeyForm
from lms.enrollments.models import Link
from lms.enrollments.queries import Way
from lms.enrollments.views.door import bp
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.idempotency import sent_once
from lms.web.toasts import toast

WAY = "way-in-pass"
PASS_SECONDS = 3600


@bp.route("/join/<token:held>", methods=["GET", "POST"])
@sent_once(must=False)
def join_show(held: str) -> ResponseReturnValue:
    """What a link opens, to anybody who has it; one button enrols, and strangers come back here once they have an account."""
    way = queries.find_way(operations.digest_of(held))
    allow(anyone())
    if way is None or way.link.is_key or way.link.role:
        raise NotFound(policies.no_such_link())
    if request.method == "GET":
        return render_template("enrollments/join_show.html", held=held, **_about(way))
    allow(may_join(way.link))
    try:
        made = operations.join_courses(way, by=actor())
    except (BatchIsFull, BatchTakesNobody) as refusal:
        toast(refusal.sentence, tone="warning")
        return moved(url_for(".join_show", held=held))
    if len(way.courses) == 1 and len(made) == 1:
        toast(_("You are enrolled in %(title)s.", title=way.courses[0].title), tone="success")
        return moved(url_for(".courses_continue", course_id=way.courses[0].id))
    if made:
        toast(ngettext("You are enrolled in %(num)s course.", "You are enrolled in %(num)s courses.", len(made)), tone="success")
    return moved(url_for(".join_show", held=held))


@bp.route("/courses/<uuid:course_id>/key", methods=["GET", "POST"])
@sent_once(must=False)
def courses_key(course_id: UUID) -> ResponseReturnValue:
    """Type the key of a course: it enrols at once, or leads to the price."""
    course = courses.get_course(course_id)
    enrollment = queries.active_enrollment(actor().user_id, course_id)
    decision = policies.can_enroll(actor(), course, enrollment, let_in=True)
    if decision.rule == "enrolled_already":
        allow(policies.can_learn(actor()))
        return moved(url_for(".courses_continue", course_id=course.id))
    allow(decision)
    form, page = KeyForm(), "enrollments/courses_key.html"
    if not form.is_submitted():
        return render_template(page, course=course, form=form)
    try:
        if form.validate():
            return _used(operations.find_key(form.key.data or "", by=actor(), address=request.remote_addr or ""), course)
    except (LinkRefused, BatchIsFull, BatchTakesNobody) as refusal:
        form.key.errors = [*form.key.errors, refusal.sentence]
    return invalid(page, page=page, course=course, form=form)


def _used(way: Way, course: Course) -> ResponseReturnValue:
    """What a right key does for this course: raises LinkRefused when it does not let this person in."""
    decision = may_join(way.link) if way.opens(course.id) else policies.not_for(way.link)
    if not decision:
        raise LinkRefused(decision.sentence, rule=decision.rule)
    if not way.link.is_free and operations.batch_price(course, way.batches.get(course.id), now()).minor:
        return moved(url_for(".courses_enroll", course_id=course.id, way=pass_of(way.link, course)))
    operations.enroll_through(way.link.id, course, by=actor())
    toast(_("You are enrolled in %(title)s.", title=course.title), tone="success")
    return moved(url_for(".courses_continue", course_id=course.id))


def may_join(link: Link) -> Decision:
    """Whether the link lets whoever asks in now."""
    return policies.can_join(actor(), link, at=now(), has_place=queries.came_through(link.id, actor().user_id))


def pass_of(link: Link, course: Course) -> str:
    """What goes with this person to the price of the course: it names the link to them alone, and never its secret."""
    return sign(WAY, {"link": str(link.id), "user": str(actor().user_id), "course": str(course.id)}, seconds=PASS_SECONDS)


def link_of(course: Course, signed: str) -> Link | None:
    """The link or key with which this person came to the price; None without one, or when its hour is over."""
    if not signed:
        return None
    try:
        claims = unsign(WAY, signed[:400])
    except Forbidden:
        return None
    mine = (claims["user"], claims["course"]) == (str(actor().user_id), str(course.id))
    return queries.get_link(UUID(claims["link"])) if mine else None


def _about(way: Way) -> dict[str, Any]:
    """What the page of a link shows: its courses, where this person stands in each, and what is next."""
    standing = queries.enrollments_in(actor().user_id, [course.id for course in way.courses])
    decision = may_join(way.link)
    in_batches = {course.id for course in way.courses if course.id not in way.batches and queries.runs_in_batches(course.id)}
    prices = {course.id: operations.batch_price(course, way.batches.get(course.id), now()) for course in way.courses}
    waiting = [course for course in way.courses if course.id not in standing and course.id not in in_batches and course.is_published]
    priced = {course.id for course in waiting if not way.link.is_free and prices[course.id].minor}
    return {
        "way": way,
        "link": way.link,
        "decision": decision,
        "standing": standing,
        "in_batches": in_batches,
        "prices": prices,
        "to_join": [course for course in waiting if course.id not in priced],
        "passes": {course.id: pass_of(way.link, course) for course in waiting if course.id in priced} if decision else {},
    }
