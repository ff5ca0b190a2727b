"""The list of courses, and a course's page: content, settings, history, students, reviews, preview."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from lms.content.queries import picture_url, playback_of
from lms.core.errors import NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.core.markdown import render
from lms.courses import operations, policies, queries
from lms.courses.admin.door import bp, head_of, status_of
from lms.courses.errors import EditedMeanwhile
from lms.courses.forms import ENTRY_NAMES, LEVEL_NAMES, NewLessonForm, PriceForm, SectionForm, SettingsForm, see_version
from lms.courses.models import Course, Lesson
from lms.courses.reports import Courses, DeletedCourses
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.bulk import answer_import
from lms.web.history import told
from lms.web.lists import answer_list
from lms.web.navigation import exists
from lms.web.toasts import toast

HISTORY = 50


@bp.route("/")
def index() -> ResponseReturnValue:
    """The courses one works on."""
    allow(policies.can_list(actor()))
    return answer_list(Courses(), "courses/admin/index.html", waiting=len(queries.submitted_courses()) if actor().is_admin else 0)


@bp.route("/new/import", methods=["GET", "POST"])
def new_import() -> ResponseReturnValue:
    """Change prices and publication by a list: first a plan, then the act."""
    allow(policies.can_change_many(actor()))
    return answer_import("courses.import_courses", "courses/admin/new_import.html")


@bp.route("/deleted")
def deleted() -> ResponseReturnValue:
    """Courses that can be brought back."""
    allow(policies.can_list(actor()))
    return answer_list(DeletedCourses(), "courses/admin/deleted.html")


@bp.route("/<uuid:course_id>")
def show(course_id: UUID) -> ResponseReturnValue:
    """The content of a course: its sections and lessons, to sort, add and publish."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    return render_template("courses/admin/show.html", **(head_of(course, "show") | content_of(course)))


def content_of(course: Course) -> dict[str, Any]:
    """The outline as `_outline.html` draws it, with the forms that add to it."""
    chapters = queries.outline(course.id)
    lessons = [lesson for chapter in chapters for lesson in chapter.lessons]
    return {
        "chapters": chapters,
        "assets": queries.assets_of(lessons),
        "section_form": SectionForm(formdata=None),
        "lesson_forms": {chapter.section.id: NewLessonForm(formdata=None) for chapter in chapters},
        "can_edit": bool(policies.can_edit(actor(), course)),
    }


@bp.route("/<uuid:course_id>/status")
def status(course_id: UUID) -> ResponseReturnValue:
    """Where the course stands, and what may be done next."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    return fragment("courses/admin/_status.html", page=url_for(".show", course_id=course.id), course=course, **status_of(course))


@bp.route("/<uuid:course_id>/settings", methods=["GET", "POST"])
def settings(course_id: UUID) -> ResponseReturnValue:
    """The words, the price, the cover and the teacher of a course."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course) if request.method == "GET" else policies.can_edit(actor(), course))
    form = settings_form(course)
    if not form.is_submitted():
        form.fill(course)
        return render_template("courses/admin/settings.html", form=form, conflict=None, **settings_context(course))
    conflict = None
    if form.validate():
        try:
            save_settings(course, form)
            toast(_("Saved."), tone="success")
            return moved(url_for(".settings", course_id=course.id))
        except EditedMeanwhile as refusal:
            conflict = refusal
            see_version(form, refusal.version)
            form.refuse(refusal)
        except Refusal as refusal:
            form.refuse(refusal)
    page = "courses/admin/settings.html"
    return invalid(page, page=page, form=form, conflict=conflict, **settings_context(queries.get_course(course_id)))


def settings_form(course: Course) -> SettingsForm:
    """The form with this channel's categories, teachers and currency."""
    form = SettingsForm()
    form.take_prices_in(course.currency)
    offer_choices(form)
    form.cover_pick.offer(queries.files_of(actor(), "image"))
    if not policies.can_set_price(actor(), course):
        form.leave_prices_out()
    return form


def offer_choices(form: Any) -> None:
    """Offer the categories, and the teachers to those who may choose one."""
    form.category_id.choices = [
        SelectChoice("", _("No category")),
        *(SelectChoice(str(shelf.id), shelf.name) for shelf in queries.categories()),
    ]
    if policies.can_choose_instructor(actor()):
        form.instructor_id.choices = [SelectChoice(str(member.id), member.name) for member in queries.instructors()]
    else:
        del form.instructor_id


def save_settings(course: Course, form: SettingsForm) -> None:
    """Save what the form holds, each part by its own operation and policy."""
    operations.edit_course(course, version=form.version.data, by=actor(), **form.words())
    if "instructor_id" in form and form.instructor_id.data:
        operations.set_instructor(course, form.instructor_id.data, by=actor())
    if "price" in form:
        save_prices(course, form)
    operations.set_cover(course, form.cover(), by=actor())


def save_prices(course: Course, form: PriceForm) -> None:
    """Save the price and the sale; whichever must make room for the other goes first."""
    sale = form.sale(course.sale)
    if sale != course.sale and (sale is None or form.money().minor <= course.price_minor):
        operations.set_sale(course, sale, by=actor())
    if form.money() != course.price:
        operations.set_price(course, form.money(), by=actor())
    if sale != course.sale:
        operations.set_sale(course, sale, by=actor())


def settings_context(course: Course) -> dict[str, Any]:
    """What the settings page shows beside its form."""
    cover = queries.assets_of((), course).get(course.cover_asset_id) if course.cover_asset_id else None
    return {
        **head_of(course, "settings"),
        "price_decision": policies.can_set_price(actor(), course),
        "cover": cover,
        "cover_url": picture_url(cover),
        "level_names": LEVEL_NAMES,
        "entry_names": ENTRY_NAMES,
    }


@bp.route("/<uuid:course_id>/history")
def history(course_id: UUID) -> ResponseReturnValue:
    """Who did what to the course and its lessons, newest first."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    rows = queries.history_of(course, before=before(), most=HISTORY + 1)
    older = rows[HISTORY - 1].id if len(rows) > HISTORY else None
    return render_template(
        "courses/admin/history.html", **head_of(course, "history"), events=told(rows[:HISTORY], about=course.id), older=older
    )


def before() -> UUID | None:
    """The audit row after which the page goes on, from `?before=`."""
    try:
        return UUID(request.args["before"]) if "before" in request.args else None
    except ValueError as error:
        raise NotFound(_("There is no such page of the history.")) from error


@bp.route("/<uuid:course_id>/batches")
def batches(course_id: UUID) -> ResponseReturnValue:
    """Its dated runs: the batches of the enrolments module, loaded into this tab."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    source = first_of(f"/admin/enrollments/courses/{course.id}/batches")
    return render_template("courses/admin/batches.html", **head_of(course, "batches"), source=source)


@bp.route("/<uuid:course_id>/students")
def students(course_id: UUID) -> ResponseReturnValue:
    """Who is enrolled: the list of the enrolments module, loaded into this tab."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    return render_template(
        "courses/admin/students.html",
        **head_of(course, "students"),
        source=first_of(f"/admin/enrollments/courses/{course.id}/students"),
        listing=first_of("/admin/enrollments/", course.id),
    )


@bp.route("/<uuid:course_id>/reviews")
def reviews(course_id: UUID) -> ResponseReturnValue:
    """What students say: the reviews of the community module, loaded into this tab."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    return render_template(
        "courses/admin/reviews.html",
        **head_of(course, "reviews"),
        source=first_of(f"/community/courses/{course.id}/reviews"),
        listing=first_of("/admin/community/reviews", course.id),
    )


def first_of(path: str, course_id: UUID | None = None) -> str:
    """The path when the platform has a page there, narrowed to the course when asked; else empty."""
    if not exists(path):
        return ""
    return f"{path}?course={course_id}" if course_id else path


@bp.route("/<uuid:course_id>/preview")
def preview(course_id: UUID) -> ResponseReturnValue:
    """The course as its students will see it, drafts included; `?lesson=` chooses the lesson."""
    course = queries.get_course(course_id)
    allow(policies.can_view(actor(), course))
    chapters = queries.outline(course.id)
    lesson = chosen([lesson for chapter in chapters for lesson in chapter.lessons])
    asset = queries.assets_of([lesson]).get(lesson.asset_id) if lesson and lesson.asset_id else None
    return render_template(
        "courses/admin/preview.html",
        course=course,
        chapters=chapters,
        lesson=lesson,
        video_file=asset,
        playback=playback_of(asset, viewer=actor()) if asset else None,
        body=render(lesson.body) if lesson else "",
        description=render(course.description, top=3),
    )


def chosen(lessons: list[Lesson]) -> Lesson | None:
    """The lesson of `?lesson=`, or the first."""
    wanted = request.args.get("lesson", "")
    return next((lesson for lesson in lessons if str(lesson.id) == wanted), lessons[0] if lessons else None)
