"""Door 2: the live classes of the channel, one page each with its next step as a button."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.policies import can_manage_people
from lms.channels.queries import get_member
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses.queries import get_course
from lms.streaming import operations, policies, queries
from lms.streaming.forms import NewSessionForm, SessionForm
from lms.streaming.models import Session
from lms.streaming.reports import Sessions
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.i18n import reader_zone
from lms.web.lists import answer_list
from lms.web.toasts import toast

bp = Blueprint("streaming_admin", __name__, url_prefix="/admin/streaming")


@bp.route("/")
def index() -> ResponseReturnValue:
    """Every live class this person runs."""
    allow(policies.can_list(actor()))
    return answer_list(Sessions(), "streaming/admin/index.html")


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """The live classes one person came to (a piece of their page)."""
    person = get_member(user_id)
    allow(can_manage_people(actor()))
    page = url_for("channels_admin.people_learning", user_id=user_id)
    return fragment("streaming/admin/_people_show.html", page=page, person=person, attended=queries.attended_by(user_id))


@bp.route("/sessions/new", methods=["GET", "POST"])
def sessions_new() -> ResponseReturnValue:
    """Plan a class."""
    allow(policies.can_schedule(actor()))
    form, page = NewSessionForm(), "streaming/admin/sessions_new.html"
    form.course_id.choices = [(str(course_id), title) for course_id, title in queries.courses_to_teach(actor())]
    if not form.is_submitted():
        form.course_id.data = request.args.get("course", form.course_id.data)
        return render_template(page, form=form)
    if form.validate():
        try:
            course = get_course(UUID(form.course_id.data))
            allow(policies.can_schedule(actor(), course.instructor_id))
            starts_at, ends_at = form.times(reader_zone())
            made = operations.schedule_session(
                course,
                title=form.title.data or "",
                description=form.description.data or "",
                starts_at=starts_at,
                ends_at=ends_at,
                join_url=form.join_url.data or "",
                by=actor(),
            )
            toast(_("The class is planned."))
            return moved(url_for(".sessions_show", session_id=made.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form)


@bp.route("/sessions/<uuid:session_id>")
def sessions_show(session_id: UUID) -> ResponseReturnValue:
    """One class: where it stands, its next step, who came, and its chat."""
    session = _mine(session_id)
    return render_template(
        "streaming/admin/sessions_show.html",
        session=session,
        attendance=queries.attendance_of(session.id),
        at=now(),
        step=_next_step(session),
    )


@bp.route("/sessions/<uuid:session_id>/edit", methods=["GET", "POST"])
def sessions_edit(session_id: UUID) -> ResponseReturnValue:
    """Change the plan of a class."""
    session, page = _mine(session_id), "streaming/admin/sessions_edit.html"
    minutes = int((session.ends_at - session.starts_at).total_seconds() // 60)
    form = SessionForm(
        data={
            "title": session.title,
            "description": session.description,
            "join_url": session.join_url,
            "minutes": minutes,
            "starts_at": session.starts_at.astimezone(reader_zone()).replace(tzinfo=None, second=0, microsecond=0),
        }
    )
    if not form.is_submitted():
        return render_template(page, form=form, session=session)
    if form.validate():
        try:
            starts_at, ends_at = form.times(reader_zone())
            if starts_at == session.starts_at.replace(second=0, microsecond=0) and form.minutes.data == minutes:
                starts_at, ends_at = session.starts_at, session.ends_at
            operations.edit_session(
                session,
                title=form.title.data or "",
                description=form.description.data or "",
                starts_at=starts_at,
                ends_at=ends_at,
                join_url=form.join_url.data or "",
                by=actor(),
            )
            toast(_("Saved."))
            return moved(url_for(".sessions_show", session_id=session.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, session=session)


@bp.route("/sessions/<uuid:session_id>/open", methods=["POST"])
def sessions_open(session_id: UUID) -> ResponseReturnValue:
    """Open the room."""
    return _step(session_id, operations.open_session)


@bp.route("/sessions/<uuid:session_id>/start", methods=["POST"])
def sessions_start(session_id: UUID) -> ResponseReturnValue:
    """Begin the class."""
    return _step(session_id, operations.start_session)


@bp.route("/sessions/<uuid:session_id>/end", methods=["POST"])
def sessions_end(session_id: UUID) -> ResponseReturnValue:
    """End the class."""
    return _step(session_id, operations.end_session)


@bp.route("/sessions/<uuid:session_id>/cancel", methods=["POST"])
def sessions_cancel(session_id: UUID) -> ResponseReturnValue:
    """Call the class off, with the reason students read."""

    def cancel(session: Session, *, by: Actor) -> None:
        operations.cancel_session(session, by=by, reason=request.form.get("reason", "")[:500])

    return _step(session_id, cancel)


def _mine(session_id: UUID) -> Session:
    session = queries.get_session(session_id)
    allow(policies.can_run(actor(), session, session.course.instructor_id))
    return session


def _step(session_id: UUID, take: Callable[..., None]) -> ResponseReturnValue:
    session = _mine(session_id)
    take(session, by=actor())
    session = queries.get_session(session_id)
    return changed(
        "streaming/admin/_state.html",
        otherwise=url_for(".sessions_show", session_id=session_id),
        session=session,
        at=now(),
        step=_next_step(session),
    )


def _next_step(session: Session) -> tuple[str, str, str] | None:
    """The one thing to do next: its words, its address, its picture; none when the class is over."""
    steps = {
        "scheduled": (_("Open the room"), ".sessions_open", "lock-open"),
        "open": (_("Start the class"), ".sessions_start", "play"),
        "live": (_("End the class"), ".sessions_end", "square"),
    }
    found = steps.get(session.state)
    return (found[0], url_for(found[1], session_id=session.id), found[2]) if found else None
