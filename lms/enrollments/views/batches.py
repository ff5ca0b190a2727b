"""Batches as students have them: choosing one, paying for a place in it, and standing on its waitlist."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now
from lms.core.i18n import gettext as _
from lms.core.signing import sign
from lms.courses import queries as courses
from lms.courses.models import Course
from lms.courses.policies import can_read
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, PriceChanged
from lms.enrollments.forms import EnrollForm
from lms.enrollments.models import CourseBatch
from lms.enrollments.views.door import bp
from lms.enrollments.views.learning import COUPON, actor_id, agreed_to, bill_of, coupon_of, lesson_to_go_on_with
from lms.vouchers import operations as vouchers
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.wallet.errors import NotEnough
from lms.web.access import actor, allow
from lms.web.answers import changed, invalid, moved
from lms.web.idempotency import sent_once
from lms.web.toasts import toast


@bp.route("/courses/<uuid:course_id>/batches")
def courses_batches(course_id: UUID) -> ResponseReturnValue:
    """The batches of a course that take people now, to choose one from."""
    course = courses.get_course(course_id)
    allow(can_read(actor(), course))
    return render_template("enrollments/courses_batches.html", **choices_for(course))


@bp.route("/batches/<uuid:batch_id>/enroll", methods=["GET", "POST"])
@sent_once(must=False)
def batches_enroll(batch_id: UUID) -> ResponseReturnValue:
    """Confirm a place in a batch: what it costs, its days, what is in the wallet before and after; then the first lesson."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    enrollment = queries.active_enrollment(actor().user_id, course.id)
    decision = policies.can_enroll(actor(), course, enrollment, let_in=queries.lets_in(actor().user_id, course))
    if decision.rule == "enrolled_already":
        allow(policies.can_learn(actor()))
        return moved(lesson_to_go_on_with(course, enrollment))
    allow(decision)
    form, page = EnrollForm(), "enrollments/batches_enroll.html"
    if not form.is_submitted() and not batch.takes_on(operations.today()):
        return moved(url_for(".courses_batches", course_id=course.id))
    if not form.is_submitted():
        return render_template(page, **_confirmed(course, batch, form))
    try:
        if form.validate():
            return _looked_at(course, batch, form) if form.code.data else _enrolled(course, batch, form)
    except (BatchIsFull, BatchTakesNobody) as refusal:
        toast(refusal.sentence, tone="warning")
        return moved(url_for(".courses_batches", course_id=course.id))
    except (NotEnough, PriceChanged) as refusal:
        form.refuse(refusal)
    except (CodeRefused, UnknownCode) as refusal:
        form.code.errors = [*form.code.errors, refusal.sentence]
        form.coupon.data = ""
    return invalid(page, page=page, **_confirmed(course, batch, form))


@bp.route("/batches/<uuid:batch_id>/wait", methods=["POST"])
def batches_wait(batch_id: UUID) -> ResponseReturnValue:
    """Stand on the waitlist of a full batch."""
    batch = queries.standing_batch(batch_id)
    course = courses.get_course(batch.course_id)
    enrollment = queries.active_enrollment(actor().user_id, course.id)
    allow(policies.can_wait(actor(), course, enrollment, let_in=queries.lets_in(actor().user_id, course)))
    operations.join_waitlist(batch, actor_id(), by=actor())
    otherwise = url_for(".courses_batches", course_id=course.id)
    return changed("enrollments/_choices.html", otherwise=otherwise, **choices_for(course))


@bp.route("/batches/<uuid:batch_id>/leave", methods=["POST"])
def batches_leave(batch_id: UUID) -> ResponseReturnValue:
    """Leave the waitlist of a batch; a place that was held goes to the next one."""
    batch = queries.get_batch(batch_id)
    course = courses.get_course(batch.course_id)
    allow(policies.can_learn(actor()))
    wait = queries.wait_of(batch.id, actor_id())
    if wait is not None:
        operations.leave_waitlist(wait, by=actor())
    otherwise = url_for(".courses_batches", course_id=course.id)
    return changed("enrollments/_choices.html", otherwise=otherwise, **choices_for(course))


def choices_for(course: Course) -> dict[str, Any]:
    """What `_choices.html` shows: the batches that take people now, with prices, and whether this person may enrol."""
    choices = queries.choices_of(course.id, actor().user_id, operations.today())
    enrollment = queries.active_enrollment(actor().user_id, course.id)
    return {
        "course": course,
        "choices": choices,
        "day": operations.today(),
        "prices": {one.batch.id: operations.batch_price(course, one.batch, now()) for one in choices},
        "decision": policies.can_enroll(actor(), course, enrollment, let_in=queries.lets_in(actor().user_id, course)),
    }


def _confirmed(course: Course, batch: CourseBatch, form: EnrollForm) -> dict[str, Any]:
    """What the confirm page shows: the batch with its days, and the bill."""
    wait = queries.wait_of(batch.id, actor().user_id)
    price = operations.batch_price(course, batch, now())
    bill = bill_of(course, form, price=price, here=".batches_enroll", batch_id=batch.id)
    return {"course": course, "batch": batch, "wait": wait, "form": form, **bill}


def _looked_at(course: Course, batch: CourseBatch, form: EnrollForm) -> ResponseReturnValue:
    """The same page with the coupon taken off; its address names the coupon to this person alone, and never the code."""
    price = operations.batch_price(course, batch, now())
    discount = vouchers.try_coupon(form.code.data or "", course.id, price, by=actor(), address=request.remote_addr or "")
    signed = sign(COUPON, {"code": str(discount.code_id), "user": str(actor_id()), "course": str(course.id)}, seconds=3600)
    return moved(url_for(".batches_enroll", batch_id=batch.id, coupon=signed))


def _enrolled(course: Course, batch: CourseBatch, form: EnrollForm) -> ResponseReturnValue:
    agreed, coupon_id = agreed_to(form.agreed.data), coupon_of(course, form)
    enrollment = operations.enroll_by_wallet(course, by=actor(), agreed=agreed, coupon_id=coupon_id, batch_id=batch.id)
    toast(_("You have a place in %(batch)s of %(title)s.", batch=batch.name, title=course.title), tone="success")
    return moved(lesson_to_go_on_with(course, enrollment))
