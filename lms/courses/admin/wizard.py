"""The wizard that makes a course: four steps, each its own page and each saved, so that it can be left and taken up."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import this_channel
from lms.content.queries import picture_url
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.markdown import render
from lms.courses import operations, policies, queries
from lms.courses.admin.courses import content_of, offer_choices, save_prices
from lms.courses.admin.door import bp, status_of
from lms.courses.errors import EditedMeanwhile
from lms.courses.forms import NewCourseForm, PriceForm, see_version
from lms.courses.models import Course
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.forms import Form
from lms.web.toasts import toast

STEPS = ("basics", "content", "price", "review")


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """The first step of a course that is not there yet."""
    allow(policies.can_create(actor()))
    form = NewCourseForm()
    offer_choices(form)
    if not form.is_submitted():
        if "instructor_id" in form:
            form.instructor_id.data = actor().user_id
        return render_template("courses/admin/new.html", form=form, steps=steps_of(None, "basics"))
    if form.validate():
        try:
            words = form.words()
            teacher = form.instructor_id.data if "instructor_id" in form else None
            course = operations.create_course(words.pop("title"), by=actor(), course_id=form.course_id.data, instructor_id=teacher, **words)
            allow(policies.can_edit(actor(), course))
            return moved(url_for(".wizard_show", course_id=course.id, step="content"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid("courses/admin/new.html", page="courses/admin/new.html", form=form, steps=steps_of(None, "basics"))


@bp.route("/<uuid:course_id>/wizard/<any(basics,content,price,review):step>", methods=["GET", "POST"])
def wizard_show(course_id: UUID, step: str) -> ResponseReturnValue:
    """One step of a course that has been begun; saving leads to the next."""
    course = queries.get_course(course_id)
    allow(policies.can_edit(actor(), course))
    form = form_of(step, course)
    if not form.is_submitted():
        fill(form, course)
        return render_template("courses/admin/wizard_show.html", **step_context(course, step, form))
    if form.validate():
        try:
            save(course, step, form)
            return moved(after(course, step))
        except EditedMeanwhile as refusal:
            see_version(form, refusal.version)
            form.refuse(refusal)
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid("courses/admin/wizard_show.html", page="courses/admin/wizard_show.html", **step_context(course, step, form))


def form_of(step: str, course: Course) -> Form:
    """The form of a step; content and review have an empty one."""
    if step == "basics":
        form = NewCourseForm()
        offer_choices(form)
        return form
    if step == "price":
        price = PriceForm()
        price.take_prices_in(course.currency)
        price.cover_pick.offer(queries.files_of(actor(), "image"))
        if not policies.can_set_price(actor(), course):
            price.leave_prices_out()
        return price
    return Form()


def fill(form: Form, course: Course) -> None:
    """Show what the course says now."""
    if isinstance(form, NewCourseForm | PriceForm):
        form.fill(course)


def save(course: Course, step: str, form: Form) -> None:
    """Save one step."""
    if isinstance(form, NewCourseForm):
        operations.edit_course(course, version=form.version.data, by=actor(), **form.words())
        if "instructor_id" in form and form.instructor_id.data:
            operations.set_instructor(course, form.instructor_id.data, by=actor())
    elif isinstance(form, PriceForm):
        if "price" in form:
            save_prices(course, form)
        operations.set_cover(course, form.cover(), by=actor())
    elif step == "review":
        finish(course)


def finish(course: Course) -> None:
    """The last step: publish when the person may, else ask for approval."""
    operations.publish_ready_lessons(course, by=actor())
    if policies.can_publish(actor(), course):
        operations.publish_course(course, by=actor())
        toast(_("Published: the course is in the catalogue now."), tone="success", undo=url_for(".unpublish", course_id=course.id))
        return
    allow(policies.can_submit(actor(), course))
    operations.submit_for_approval(course, by=actor())
    toast(_("Submitted. An admin will look at it and publish it."), tone="success")


def after(course: Course, step: str) -> str:
    """Where a saved step leads: to the next one, and from the last to the course."""
    if step == STEPS[-1]:
        return url_for(".show", course_id=course.id)
    return url_for(".wizard_show", course_id=course.id, step=STEPS[STEPS.index(step) + 1])


def step_context(course: Course, step: str, form: Form) -> dict[str, Any]:
    """What a step's page shows."""
    context: dict[str, Any] = {
        "course": course,
        "step": step,
        "form": form,
        "steps": steps_of(course, step),
        "currency": this_channel().currency,
    }
    if step in ("content", "review"):
        context |= content_of(course)
    if step in ("price", "review"):
        cover = queries.assets_of((), course).get(course.cover_asset_id) if course.cover_asset_id else None
        context |= {"cover": cover, "cover_url": picture_url(cover)}
    if step == "review":
        context |= {**status_of(course), "description": render(course.description, top=3)}
    return context


def steps_of(course: Course | None, current: str) -> list[dict[str, Any]]:
    """The way through the wizard: what is done, where we are, what is to come."""
    names = {"basics": _("Basics"), "content": _("Content"), "price": _("Price and cover"), "review": _("Review")}
    here = STEPS.index(current)
    return [
        {
            "title": names[name],
            "state": "current" if index == here else ("done" if index < here else "todo"),
            "href": url_for("courses_admin.wizard_show", course_id=course.id, step=name) if course else None,
        }
        for index, name in enumerate(STEPS)
    ]
