"""Door 1: the catalogue and the page of a course, for everybody."""

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, g, make_response, render_template, request, session
from flask.typing import ResponseReturnValue

from lms.content.queries import picture_url
from lms.core.clock import now
from lms.core.decisions import anyone
from lms.core.i18n import gettext as _
from lms.core.markdown import render
from lms.courses import policies, queries
from lms.courses.errors import NoSuchCourse
from lms.courses.forms import LEVEL_NAMES, uuid_or_none
from lms.courses.models import Course
from lms.courses.queries import CatalogueFilters, CataloguePage
from lms.web.access import actor, allow
from lms.web.assets import manifest
from lms.web.i18n import choose_locale
from lms.web.navigation import exists
from lms.web.remembered import Pages

kept_pages = Pages()
bp = Blueprint("courses", __name__, url_prefix="/courses")


@bp.route("/")
def index() -> ResponseReturnValue:
    """The catalogue: published courses by words, filters and order."""
    allow(anyone())
    mark = stamp(queries.catalogue_version())
    if mark and mark in request.if_none_match:
        return marked("", mark, 304)
    return marked(kept_pages.get(mark, _catalogue_page), mark)


def _catalogue_page() -> str:
    filters = read_filters()
    page = queries.catalogue(filters)
    return render_template(
        "courses/index.html",
        filters=filters,
        page=page,
        categories=queries.categories(),
        teachers=queries.teachers_on_sale(),
        covers=covers_of(page),
        level_names=LEVEL_NAMES,
    )


def read_filters() -> CatalogueFilters:
    """What the address asks for; what makes no sense is passed over."""
    given = request.args
    try:
        instructor_id = uuid_or_none(given.get("instructor"))
    except ValueError:
        instructor_id = None
    page = given.get("page", "1")
    return CatalogueFilters(
        q=given.get("q", "").strip().replace("\x00", "")[:200],
        category=given.get("category", "").replace("\x00", ""),
        price=given.get("price", ""),
        level=given.get("level", ""),
        instructor_id=instructor_id,
        sort=given.get("sort", ""),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


def covers_of(page: CataloguePage) -> dict[UUID, str]:
    """The address of each course's picture, by course."""
    ids = [course.cover_asset_id for course in page.courses]
    assets = queries.covers_of(ids)
    return {course.id: picture_url(assets.get(course.cover_asset_id)) for course in page.courses if course.cover_asset_id}


@bp.route("/<string:slug>")
def show(slug: str) -> ResponseReturnValue:
    """One course: what it teaches, its lessons, who teaches it, what it costs. Drafts are there for their own people only."""
    mark = stamp(queries.public_version(slug))
    if mark:
        allow(anyone())
        if mark in request.if_none_match:
            return marked("", mark, 304)
        return marked(kept_pages.get(mark, lambda: _course_page(queries.get_course_by_slug(slug))), mark)
    course = queries.get_course_by_slug(slug)
    decision = policies.can_read(actor(), course)
    if not decision:
        raise NoSuchCourse(_("There is no such course here. Look for it in the catalogue."))
    allow(decision)
    return marked(_course_page(course), "")


def _course_page(course: Course) -> str:
    chapters = queries.outline(course.id, published_only=course.is_published)
    lessons = [lesson for chapter in chapters for lesson in chapter.lessons]
    reviews = f"/community/courses/{course.id}/reviews"
    return render_template(
        "courses/show.html",
        course=course,
        chapters=chapters,
        lessons=lessons,
        seconds=sum(lesson.duration_seconds or 0 for lesson in lessons),
        cover_url=picture_url(queries.covers_of([course.cover_asset_id]).get(course.cover_asset_id)) if course.cover_asset_id else "",
        description=render(course.description),
        bio=render(course.instructor.bio, top=4),
        level_names=LEVEL_NAMES,
        reviews=reviews if exists(reviews) else "",
    )


def stamp(version: str) -> str:
    """The mark of a public page for a stranger: it changes with the page's data, address, language, look and day.

    Empty for what is not public (no version), and for signed-in people and strangers with something personal to see: their pages
    are made anew each time.
    """
    if not version or actor().is_known or session.get("toasts"):
        return ""
    channel = g.channel
    reader = (choose_locale(), request.cookies.get("theme", ""), day())
    parts: tuple[Any, ...] = (version, request.full_path, channel.id, channel.version, *reader, manifest().get("site.css", ""))
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:32]


def day() -> date:
    """The day (UTC): signed addresses of pictures hold for it."""
    return now().date()


def marked(body: str, mark: str, status: int = 200) -> ResponseReturnValue:
    """The answer with its mark, so that a browser asks only whether it changed."""
    response = make_response(body, status)
    if mark:
        response.set_etag(mark)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Cookie, Accept-Language"
    return response
