"""Door 1: my learning, the lesson page, enrolling, and what the player reports."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from lms.content import operations as content
from lms.content.queries import assets_by_id, get_asset, picture_url, place_of, playback_of, watching_rule, watermark_of
from lms.content.views import may_watch_here, note_device
from lms.core import markdown
from lms.core.clock import now
from lms.core.decisions import Decision, yes
from lms.core.errors import Forbidden, Invalid, NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.core.signing import sign, unsign
from lms.courses import queries as courses
from lms.courses.models import Course, Lesson
from lms.courses.policies import can_read
from lms.enrollments import operations, policies, queries
from lms.enrollments.errors import BatchIsFull, BatchTakesNobody, LinkRefused, PriceChanged
from lms.enrollments.forms import BeatBody, EnrollForm
from lms.enrollments.models import Enrollment, Link
from lms.enrollments.operations.watching import read_pass
from lms.enrollments.views.door import bp
from lms.enrollments.views.joining import link_of, may_join
from lms.enrollments.views.outlines import outline_context
from lms.vouchers import operations as vouchers
from lms.vouchers.errors import CodeRefused, UnknownCode
from lms.vouchers.policies import can_see_redemption
from lms.vouchers.queries import courses_of, get_redemption
from lms.wallet import queries as wallet
from lms.wallet.errors import NotEnough
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.idempotency import sent_once
from lms.web.passes import give_pass
from lms.web.toasts import toast

REDEEM = "/vouchers/redeem"
COUPON = "enrolment-coupon"
MOST_SECONDS = 86_400
DOORS = {"key": ".courses_key", "request": ".courses_request"}


@bp.route("/")
def index() -> ResponseReturnValue:
    """My learning: every course I am in, with the lesson to go on with."""
    allow(policies.can_learn(actor()))
    learning = queries.learning_of(actor_id())
    left = queries.left_lately(actor_id())
    return render_template("enrollments/index.html", learning=learning, left=left, pictures=_pictures(learning))


@bp.route("/current")
def current() -> ResponseReturnValue:
    """The courses to go on with, for the home page."""
    allow(policies.can_learn(actor()))
    learning = [one for one in queries.learning_of(actor_id(), limit=6) if one.enrollment.status == "active"][:3]
    return fragment("enrollments/_current.html", page=url_for(".index"), learning=learning, pictures=_pictures(learning))


@bp.route("/courses/<uuid:course_id>/continue")
def courses_continue(course_id: UUID) -> ResponseReturnValue:
    """The lesson to go on with."""
    course = courses.get_course(course_id)
    allow(policies.can_learn(actor()))
    return moved(lesson_to_go_on_with(course, queries.active_enrollment(actor_id(), course_id)))


@bp.route("/courses/<uuid:course_id>/lessons/<uuid:lesson_id>")
def courses_lessons_show(course_id: UUID, lesson_id: UUID) -> ResponseReturnValue:
    """One lesson: the video or text, the outline, and where to go next; refused visitors see why and what to do."""
    lesson, course, enrollment = queries.desk(course_id, lesson_id, actor().user_id)
    decision = _may_open(lesson, course, enrollment)
    if decision.rule == "published" or not actor().is_known:
        allow(decision)
    if decision:
        allow(decision)
    rule = watching_rule() if decision and lesson.asset_id is not None else None
    device = may_watch_here(rule) if decision.rule == "enrolled" and rule is not None else yes("uncounted")
    context = _lesson_context(course, lesson, enrollment, decision, device)
    context["watermark"] = watermark_of(actor(), rule) if rule is not None else ""
    return make_response(render_template("enrollments/courses_lessons_show.html", **context), 200 if decision else 403)


@bp.route("/courses/<uuid:course_id>/outline")
def courses_outline(course_id: UUID) -> ResponseReturnValue:
    """The outline beside a lesson, with what was done ticked."""
    lesson, course, enrollment = queries.desk(course_id, _id_in_query("lesson"), actor().user_id)
    allow(_may_open(lesson, course, enrollment))
    page = url_for(".courses_lessons_show", course_id=course_id, lesson_id=lesson.id)
    return fragment("enrollments/_outline.html", page=page, **outline_context(course, lesson, enrollment))


@bp.route("/courses/<uuid:course_id>/offer")
def courses_offer(course_id: UUID) -> ResponseReturnValue:
    """The box of a course page: its price and how to enrol, or how far I am and where to go on."""
    course = courses.get_course(course_id)
    enrollment = queries.active_enrollment(actor().user_id, course_id)
    if enrollment is None:
        allow(can_read(actor(), course))
    else:
        allow(policies.can_learn(actor()))
    asked = queries.last_request(actor().user_id, course_id) if course.entry == "request" and enrollment is None else None
    in_batches = enrollment is None and queries.runs_in_batches(course_id)
    choices = queries.choices_of(course_id, actor().user_id, operations.today()) if in_batches else []
    return fragment(
        "enrollments/_offer.html",
        page=url_for(DOORS.get(course.entry, ".courses_enroll"), course_id=course_id),
        course=course,
        enrollment=enrollment,
        left=next((one for one, of in queries.left_lately(actor().user_id) if of.id == course_id), None) if enrollment is None else None,
        decision=policies.can_enroll(actor(), course, enrollment, let_in=asked is not None and asked.lets_in(now())),
        asked=asked,
        entry=policies.entry_of(course),
        has_key=enrollment is None and queries.has_key(course_id),
        next_lesson=queries.next_lesson(enrollment) if enrollment else None,
        students=queries.count_students(course_id),
        batch=queries.find_batch(enrollment.batch_id) if enrollment else None,
        in_batches=in_batches,
        choices=choices,
        day=operations.today(),
        prices={one.batch.id: operations.batch_price(course, one.batch, now()) for one in choices},
    )


@bp.route("/courses/<uuid:course_id>/enroll", methods=["GET", "POST"])
@sent_once(must=False)
def courses_enroll(course_id: UUID) -> ResponseReturnValue:
    """Confirm: what it costs, what is in the wallet before and after; then the first lesson."""
    course = courses.get_course(course_id)
    enrollment = queries.active_enrollment(actor().user_id, course_id)
    link = link_of(course, request.values.get("way", ""))
    decision = policies.can_enroll(actor(), course, enrollment, let_in=link is not None or queries.lets_in(actor().user_id, course))
    if decision.rule == "enrolled_already":
        allow(policies.can_learn(actor()))
        return moved(lesson_to_go_on_with(course, enrollment))
    allow(decision & may_join(link) if link is not None else decision)
    if queries.runs_in_batches(course.id) and link is None:
        return moved(url_for(".courses_batches", course_id=course.id))
    form, page, price = EnrollForm(), "enrollments/courses_enroll.html", _price_through(course, link)
    if not form.is_submitted():
        form.way.data = request.args.get("way", "")
        return render_template(page, course=course, form=form, **bill_of(course, form, price=price))
    try:
        if form.validate():
            return _looked_at(course, form, price) if form.code.data else _enrolled(course, form, link)
    except (NotEnough, PriceChanged, LinkRefused, BatchIsFull, BatchTakesNobody) as refusal:
        form.refuse(refusal)
    except (CodeRefused, UnknownCode) as refusal:
        form.code.errors = [*form.code.errors, refusal.sentence]
        form.coupon.data = ""
    return invalid(page, page=page, course=course, form=form, **bill_of(course, form, price=price))


@bp.route("/redemptions/<uuid:redemption_id>/courses")
def redemptions_courses(redemption_id: UUID) -> ResponseReturnValue:
    """The courses a code opened to me, each as soon as I am in."""
    redemption = get_redemption(redemption_id)
    allow(can_see_redemption(actor(), redemption))
    return fragment(
        "enrollments/_opened.html",
        page=url_for(".index"),
        redemption_id=redemption.id,
        courses=courses_of(redemption.batch_id),
        enrolled=set(queries.enrolled_course_ids(redemption.user_id)),
    )


@bp.route("/lessons/<uuid:lesson_id>/heartbeat", methods=["POST"])
def lessons_heartbeat(lesson_id: UUID) -> ResponseReturnValue:
    """Take a player's report; 204, with `Lesson-State: done` once the lesson counts as watched."""
    try:
        body = BeatBody.model_validate(request.get_json(silent=True))
    except ValidationError as error:
        raise Invalid(_("This report could not be read. Reload the page."), rule="shape") from error
    watch = read_pass(body.signed)
    if watch.lesson_id != lesson_id:
        raise NotFound(_("There is no such lesson here."))
    allow(policies.can_record(actor(), watch.user_id))
    if body.played and not body.late:
        note_device(has_film=watch.asset_id is not None)
    position_ms = None if body.position is None else round(body.position * 1000)
    beat = operations.record_beat(watch, [part.played() for part in body.played], position_ms=position_ms, by=actor(), late=body.late)
    answer = Response(status=204, headers={"Lesson-State": "done" if beat.completed_at else "begun", "Cache-Control": "no-store"})
    if watch.asset_id is None:
        return answer
    content.renew_grant(watch.asset_id, viewer=actor())
    return give_pass(answer, place_of(watch.asset_id))


@bp.route("/lessons/<uuid:lesson_id>/done", methods=["POST"])
def lessons_done(lesson_id: UUID) -> ResponseReturnValue:
    """Count a text lesson as done, and go on."""
    lesson = courses.get_lesson(lesson_id)
    enrollment = queries.active_enrollment(actor().user_id, lesson.course_id)
    allow(policies.can_mark_done(actor(), lesson, enrollment, at=now()))
    if enrollment is None:
        raise NotFound(_("There is no such lesson here."))
    operations.mark_done(enrollment, lesson, by=actor())
    context = outline_context(courses.get_course(lesson.course_id), lesson, enrollment)
    following = context["outline"].after(lesson) or lesson
    otherwise = url_for(".courses_lessons_show", course_id=lesson.course_id, lesson_id=following.id)
    return changed("enrollments/_finish.html", otherwise=otherwise, **context)


def actor_id() -> UUID:
    """The person asking; a page that has got here knows them."""
    user_id = actor().user_id
    if user_id is None:
        raise NotFound(_("There is nothing here for somebody who is not signed in."))
    return user_id


def _pictures(learning: list[queries.Learning]) -> dict[UUID, str]:
    """The addresses of the courses' covers, by course; one query."""
    assets = assets_by_id([one.course.cover_asset_id for one in learning])
    return {one.course.id: picture_url(assets.get(one.course.cover_asset_id)) for one in learning if one.course.cover_asset_id}


def _may_open(lesson: Lesson, course: Course, enrollment: Enrollment | None) -> Decision:
    """Whether the person asking may open the lesson now."""
    teaches = queries.teaches_batch_of(actor(), course.id)
    return policies.can_open(actor(), lesson, enrollment, at=now(), course=course, teaches=teaches)


def _lesson_context(course: Course, lesson: Lesson, enrollment: Enrollment | None, decision: Decision, device: Decision) -> dict[str, Any]:
    """What the lesson page shows; the video, and the pass that lets its player report, only when it may be watched on this device."""
    context = outline_context(course, lesson, enrollment)
    context |= {
        "decision": decision,
        "device": device,
        "file": None,
        "playback": None,
        "signed": "",
        "body": None,
        "asked_at": _moment(),
        "can_note": False,
    }
    if not decision:
        return context
    context["can_note"] = bool(policies.can_write_notes(actor()))
    if lesson.kind == "text" or lesson.body:
        context["body"] = markdown.render(lesson.body)
    if lesson.asset_id is not None:
        context["file"] = file = get_asset(lesson.asset_id)
        if file.is_playable and device:
            context["playback"] = playback = playback_of(file, viewer=actor(), public=decision.rule == "preview")
            duration_ms = round((playback.duration or 0) * 1000)
            if enrollment is not None and enrollment.is_open and actor().viewer_id is None:
                context["signed"] = operations.begin_watching(enrollment, lesson, duration_ms=duration_ms)
    return context


def _moment() -> float | None:
    """The moment of the video a link asks for (`?t=83.5`); None for none."""
    asked = request.args.get("t", None, float)
    return asked if asked is not None and 0 <= asked < MOST_SECONDS else None


def _id_in_query(name: str) -> UUID:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError as error:
        raise NotFound(_("This address is not complete.")) from error


def lesson_to_go_on_with(course: Course, enrollment: Enrollment | None) -> str:
    """The address of the lesson to go on with; the course's own when it has none."""
    lesson = queries.next_lesson(enrollment) if enrollment else None
    if lesson is None:
        return url_for("courses.show", slug=course.slug)
    return url_for(".courses_lessons_show", course_id=course.id, lesson_id=lesson.id)


def _price_through(course: Course, link: Link | None) -> Money:
    """What the course costs: that of the batch whose place the link gives, else its own."""
    batch = queries.batches_of_link(link.id).get(course.id) if link is not None else None
    return operations.batch_price(course, batch, now())


def _looked_at(course: Course, form: EnrollForm, price: Money) -> ResponseReturnValue:
    """The same page with the coupon taken off; its address names the coupon to this person alone, and never the code."""
    discount = vouchers.try_coupon(form.code.data or "", course.id, price, by=actor(), address=request.remote_addr or "")
    signed = sign(COUPON, {"code": str(discount.code_id), "user": str(actor_id()), "course": str(course.id)}, seconds=3600)
    return moved(url_for(".courses_enroll", course_id=course.id, coupon=signed, way=form.way.data or None))


def _enrolled(course: Course, form: EnrollForm, link: Link | None) -> ResponseReturnValue:
    agreed, coupon_id = agreed_to(form.agreed.data), coupon_of(course, form)
    if link is not None:
        enrollment = operations.enroll_through(link.id, course, by=actor(), agreed=agreed, coupon_id=coupon_id)
    else:
        enrollment = operations.enroll_by_wallet(course, by=actor(), agreed=agreed, coupon_id=coupon_id)
    toast(_("You are enrolled in %(title)s.", title=course.title), tone="success")
    return moved(lesson_to_go_on_with(course, enrollment))


def coupon_of(course: Course, form: EnrollForm) -> UUID | None:
    """The coupon that was looked at before; None when there is none, or its hour is over."""
    signed = form.coupon.data if form.is_submitted() else request.args.get("coupon", "")
    if not signed:
        return None
    try:
        claims = unsign(COUPON, signed[:400])
    except Forbidden:
        return None
    return UUID(claims["code"]) if (claims["user"], claims["course"]) == (str(actor_id()), str(course.id)) else None


def bill_of(course: Course, form: EnrollForm, *, price: Money | None = None, here: str = "", **place: Any) -> dict[str, Any]:
    """What the confirm page shows: the price with its coupon, the wallet before and after, and what is missing.

    `price` is the batch's, where it is a place in one that is paid for; `here` and `place` are the page to come back to then.
    """
    price = left = price or course.price_at(now())
    discount, coupon_id = None, coupon_of(course, form)
    if coupon_id is not None:
        form.coupon.data = form.coupon.data or request.args.get("coupon", "")
        try:
            discount = vouchers.price_with(coupon_id, course.id, price, by=actor())
            left = discount.left
        except (CodeRefused, UnknownCode) as refusal:
            form.code.errors, form.coupon.data = [*form.code.errors, refusal.sentence], ""
    before = wallet.balance_of(actor_id())
    short = left - before if left > before else None
    place = place or {"course_id": course.id}
    back = url_for(here or ".courses_enroll", **place, coupon=(form.coupon.data if discount else None) or None, way=form.way.data or None)
    return {
        "redeem_href": f"{REDEEM}?{urlencode({'next': back})}",
        "price": price,
        "discount": discount,
        "left": left,
        "before": before,
        "after": None if short else before - left,
        "short": short,
    }


def agreed_to(text: str | None) -> Money | None:
    """The price the form showed, as "1250 EUR"; anything else agrees to nothing that exists."""
    minor, _space, currency = (text or "").partition(" ")
    return Money(int(minor), currency) if minor.isdecimal() else Money(-1, currency)
