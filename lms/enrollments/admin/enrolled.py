"""Door 2: who learns what; enrol by hand, end, restore; and why somebody cannot open a lesson."""

from typing import Any, NamedTuple
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from lms.channels import queries as channels
from lms.channels.models import Member
from lms.channels.policies import can_enter
from lms.core import plans
from lms.core.clock import now
from lms.core.decisions import Actor, Decision
from lms.core.errors import NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.courses import queries as courses
from lms.courses.models import Course, Lesson
from lms.enrollments import operations, policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.forms import ByHandForm, EndForm
from lms.enrollments.models import Enrollment
from lms.enrollments.reports import SOURCES, Enrollments, Lessons
from lms.payments.queries import get_order
from lms.vouchers.queries import get_redemption
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.bulk import answer_import
from lms.web.lists import answer_list
from lms.web.toasts import toast

NEWEST = 20


class Answer(NamedTuple):
    """Whether one lesson opens for one person, and who can change it."""

    lesson: Lesson
    decision: Decision
    remedy: str
    href: str
    who: str


@bp.route("/")
def index() -> ResponseReturnValue:
    """Every enrolment this person may see."""
    return answer_list(Enrollments(), "enrollments/admin/index.html", may_manage=policies.can_manage(actor()))


@bp.route("/lessons")
def lessons() -> ResponseReturnValue:
    """Who completed which lesson."""
    allow(policies.can_see_students(actor(), None))
    return answer_list(Lessons(), "enrollments/admin/lessons.html")


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Enrol somebody by hand, with the reason."""
    allow(policies.can_manage(actor()))
    form = ByHandForm(email=request.args.get("email"), course_id=request.args.get("course"))
    form.course_id.choices = [SelectChoice(value, title) for value, title in queries.places_to_enrol_in()]
    page = "enrollments/admin/new.html"
    if not form.is_submitted():
        return render_template(page, form=form)
    if not form.validate():
        return invalid(page, page=page, form=form)
    try:
        member = queries.member_by_email(form.email.data or "")
        course = courses.get_course(UUID(form.course_id.data.partition(":")[0]))
        wish = {"course_id": form.course_id.data, "note": form.note.data or ""}
        plan = plans.do_now("enrollments.enroll_people", member.id, by=actor(), params=wish)
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid(page, page=page, form=form)
    enrollment = queries.latest_enrollment(member.id, course.id)
    page = url_for(".show", enrollment_id=enrollment.id) if enrollment is not None else url_for(".index", person=member.id)
    back = url_for("admin.plans_undo", plan_id=plan.id, back=url_for(".index", person=member.id)) if plan is not None else None
    toast(_("%(name)s is enrolled in %(course)s.", name=member.name, course=course.title), undo=back)
    return moved(page)


@bp.route("/new/import", methods=["GET", "POST"])
def new_import() -> ResponseReturnValue:
    """Enrol people in courses, or end enrolments, by a list: first a plan, then the act."""
    allow(policies.can_manage(actor()))
    return answer_import("enrollments.import_enrollments", "enrollments/admin/new_import.html")


@bp.route("/<uuid:enrollment_id>")
def show(enrollment_id: UUID) -> ResponseReturnValue:
    """One enrolment: how it came about, and the progress in each lesson."""
    enrollment = queries.get_enrollment(enrollment_id)
    course = courses.get_course(enrollment.course_id)
    allow(policies.can_see_batch(actor(), course, teaches=queries.teaches_batch(actor(), enrollment.batch_id)))
    return render_template(
        "enrollments/admin/show.html",
        **_about(enrollment, course),
        how=dict(SOURCES)[enrollment.source],
        outline=queries.outline_of(course.id, enrollment),
        may_manage=policies.can_manage(actor()),
        batch=queries.find_batch(enrollment.batch_id),
        has_batches=queries.runs_in_batches(course.id),
    )


@bp.route("/<uuid:enrollment_id>/end", methods=["GET", "POST"])
def end(enrollment_id: UUID) -> ResponseReturnValue:
    """End an enrolment, with the reason the person reads."""
    enrollment = queries.get_enrollment(enrollment_id)
    course = courses.get_course(enrollment.course_id)
    allow(policies.can_manage(actor()))
    form = EndForm()
    page = "enrollments/admin/end.html"
    if not form.is_submitted():
        return render_template(page, form=form, **_about(enrollment, course))
    if not form.validate():
        return invalid(page, page=page, form=form, **_about(enrollment, course))
    operations.end_enrollment(enrollment, reason=form.reason.data or "", by=actor())
    toast(_("The enrolment ended. The course is closed to this person now."), undo=url_for(".restore", enrollment_id=enrollment.id))
    return moved(url_for(".show", enrollment_id=enrollment.id))


@bp.route("/<uuid:enrollment_id>/restore", methods=["POST"])
def restore(enrollment_id: UUID) -> ResponseReturnValue:
    """Open an ended enrolment again."""
    enrollment = queries.get_enrollment(enrollment_id)
    allow(policies.can_manage(actor()))
    standing = operations.restore_enrollment(enrollment, by=actor())
    toast(_("The course is open to this person again, with everything they had done."))
    return moved(url_for(".show", enrollment_id=standing.id))


@bp.route("/courses/<uuid:course_id>/students")
def courses_students(course_id: UUID) -> ResponseReturnValue:
    """The newest students of a course and its figures, for the course's page."""
    course = courses.get_course(course_id)
    allow(policies.can_see_students(actor(), course))
    return fragment(
        "enrollments/admin/_students.html",
        page=url_for(".index", course=course_id),
        course=course,
        students=queries.newest_students(course_id, limit=NEWEST),
        figures=queries.figures_of(course_id),
        may_manage=policies.can_manage(actor()),
    )


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """Everything one person learns, for the person's page; instructors see what is in their own courses."""
    member = channels.get_member(user_id)
    allow(policies.can_see_students(actor(), None))
    found = [(one, course) for one, course in queries.enrollments_of(user_id) if policies.can_see_students(actor(), course)]
    return fragment(
        "enrollments/admin/_learning.html",
        page=url_for(".index", person=user_id),
        member=member,
        enrollments=found,
        may_manage=policies.can_manage(actor()),
    )


@bp.route("/people/<uuid:user_id>/why")
def people_why(user_id: UUID) -> ResponseReturnValue:
    """The question why a lesson does not open to this person (a piece of their page)."""
    member = channels.get_member(user_id)
    allow(policies.can_see_students(actor(), None))
    page = url_for(".why", user=user_id)
    return fragment("enrollments/admin/_why_form.html", page=page, member=member, courses=queries.courses_to_enrol_in(), course_id="")


@bp.route("/redemptions/<uuid:redemption_id>")
def redemptions_show(redemption_id: UUID) -> ResponseReturnValue:
    """What came of one use of a voucher: the courses it opened or paid, and what was watched there."""
    redemption = get_redemption(redemption_id)
    allow(policies.can_manage(actor()))
    page = url_for("vouchers_admin.codes_show", code_id=redemption.code_id)
    gains = queries.gains_of(redemption.id)
    return fragment("enrollments/admin/_redemption.html", page=page, redemption=redemption, gains=gains)


@bp.route("/orders/<uuid:order_id>")
def orders_show(order_id: UUID) -> ResponseReturnValue:
    """The access an order paid for, with its progress, and what a refund would do to it (a piece of the order's refund)."""
    order = get_order(order_id)
    allow(policies.can_manage(actor()))
    enrollment = queries.enrollment_of_order(order.id)
    return fragment(
        "enrollments/admin/_orders_show.html",
        page=url_for(".show", enrollment_id=enrollment.id) if enrollment else url_for(".index"),
        enrollment=enrollment,
        outline=queries.outline_of(order.course_id, enrollment) if enrollment else None,
    )


@bp.route("/why")
def why() -> ResponseReturnValue:
    """Why can't Ana open lesson 4? The rule that decides, for each lesson of a course."""
    allow(policies.can_see_students(actor(), None))
    member, course, lesson = _asked()
    choices = queries.courses_to_enrol_in()
    context: dict[str, Any] = {"member": member, "course": course, "answers": (), "enrollment": None, "lesson": lesson, "courses": choices}
    if member is not None and course is not None:
        allow(policies.can_see_students(actor(), course))
        enrollment = queries.latest_enrollment(member.id, course.id)
        context |= {"enrollment": enrollment, "answers": _answers(member, course, enrollment)}
    return render_template("enrollments/admin/why.html", **context)


def _asked() -> tuple[Member | None, Course | None, Lesson | None]:
    """The person and course the address asks about, and the lesson if it names one; the person by id or by e-mail."""
    given = request.args
    lesson = courses.get_lesson(_id(given["lesson"])) if given.get("lesson") else None
    course_id = lesson.course_id if lesson else _id(given["course"]) if given.get("course") else None
    user = given.get("user", "").strip()
    member = (queries.member_by_email(user) if "@" in user else channels.get_member(_id(user))) if user else None
    return member, courses.get_course(course_id) if course_id else None, lesson


def _answers(member: Member, course: Course, enrollment: Enrollment | None) -> list[Answer]:
    person = Actor(
        user_id=member.id, name=member.name, role=member.role if member.is_active else "", channel_id=member.channel_id, zone=actor().zone
    )
    made = []
    for lesson in courses.lessons_of(course.id, published_only=False):
        decision = can_enter(member) & policies.can_open(person, lesson, enrollment, at=now(), course=course)
        made.append(Answer(lesson, decision, *_remedy(decision.rule, member, lesson, enrollment)))
    return made


def _remedy(rule: str, member: Member, lesson: Lesson, enrollment: Enrollment | None) -> tuple[str, str, str]:
    """What changes the answer, where, and who can do it."""
    if rule == "published":
        return (
            _("Publish the lesson"),
            url_for("courses_admin.lessons_edit", lesson_id=lesson.id),
            _("The course's instructor, or an admin"),
        )
    if rule == "ended" and enrollment is not None:
        return _("Restore the enrolment"), url_for(".show", enrollment_id=enrollment.id), _("An admin")
    if rule == "enrolled" and member.is_active:
        place = url_for(".new", email=member.email, course=lesson.course_id)
        return _("Enrol by hand"), place, _("An admin, or the person by enrolling")
    if rule == "suspended":
        return _("Open the person"), url_for("channels_admin.people_show", user_id=member.id), _("An admin")
    return "", "", ""


def _about(enrollment: Enrollment, course: Course) -> dict[str, Any]:
    return {"enrollment": enrollment, "course": course, "member": channels.find_member(enrollment.user_id)}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(_("This address is not complete.")) from error
