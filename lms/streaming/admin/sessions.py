"""Door 2: the live classes of the channel, one page each with its next step as a button."""

from collections.abc import Callable
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.policies import can_manage_people
from lms.channels.queries import get_member
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.courses.models import Course
from lms.courses.queries import get_course
from lms.enrollments.policies import can_see_batch
from lms.enrollments.queries import standing_batch, teaches_batch
from lms.streaming import gateways, operations, policies, queries
from lms.streaming.admin.door import bp, run_by_me
from lms.streaming.forms import NewSessionForm, SessionForm
from lms.streaming.models import EVERY, Session
from lms.streaming.operations.planning import Plan
from lms.streaming.reports import Sessions
from lms.web.access import actor, allow
from lms.web.answers import changed, fragment, invalid, moved
from lms.web.i18n import choose_zone, reader_zone
from lms.web.lists import answer_list
from lms.web.toasts import toast


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


@bp.route("/batches/<uuid:batch_id>")
def batches_show(batch_id: UUID) -> ResponseReturnValue:
    """The live classes of one batch (a piece of its page)."""
    batch = standing_batch(batch_id)
    course = get_course(batch.course_id)
    allow(can_see_batch(actor(), course, teaches=teaches_batch(actor(), batch.id)))
    may_plan = bool(policies.can_schedule(actor(), course.instructor_id))
    page = url_for("enrollments_admin.batches_show", batch_id=batch.id)
    found = queries.sessions_of_batch(batch.id)
    return fragment("streaming/admin/_batches_show.html", page=page, batch=batch, sessions=found, may_plan=may_plan)


@bp.route("/sessions/new", methods=["GET", "POST"])
def sessions_new() -> ResponseReturnValue:
    """Plan a class, or a series of them."""
    allow(policies.can_schedule(actor()))
    form, page = NewSessionForm(), "streaming/admin/sessions_new.html"
    form.course_id.choices = list(queries.courses_to_teach(actor()))
    if not form.is_submitted():
        form.course_id.data = request.args.get("course", form.course_id.data)
        if request.args.get("day"):
            form.starts_at.raw_data = [f"{request.args['day'][:10]}T17:00"]
        return render_template(page, form=form)
    if form.validate():
        try:
            course = get_course(UUID(form.course_id.data.partition(":")[0]))
            allow(policies.can_schedule(actor(), course.instructor_id))
            made = _plan(course, form)
            toast(_("The class is planned.") if len(made) == 1 else _("%(count)s classes are planned.", count=len(made)))
            return moved(url_for(".sessions_show", session_id=made[0].id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form)


def _plan(course: Course, form: NewSessionForm) -> list[Session]:
    """Do what the form asks for."""
    starts_at, ends_at = form.times_in(reader_zone())
    plan = Plan(
        form.title.data or "",
        starts_at,
        ends_at,
        form.description.data or "",
        form.join_url.data or "",
        provider=form.provider.data or "link",
        batch_id=UUID(batch) if (batch := form.course_id.data.partition(":")[2]) else None,
    )
    if form.every.data in EVERY:
        times = form.times.data or 1
        return operations.schedule_series(course, plan, every=form.every.data, times=times, zone_name=choose_zone(), by=actor())
    return [operations.schedule_session(course, by=actor(), **plan._asdict())]


@bp.route("/sessions/<uuid:session_id>")
def sessions_show(session_id: UUID) -> ResponseReturnValue:
    """One class: where it stands, its next step, who came, and its chat."""
    session = run_by_me(session_id)
    return render_template(
        "streaming/admin/sessions_show.html",
        session=session,
        attendance=queries.attendance_of(session.id),
        at=now(),
        step=_next_step(session),
        following=queries.count_following(session),
        absent=queries.absentees_of(session) if session.state in ("live", "ended", "recorded") else (),
        kept=queries.card_of(session.id) if session.is_over or session.provider == "webhook" else None,
        moments=queries.moments_of(session.id) if session.provider != "link" else (),
        server=gateways.rtmp_address(),
        key=queries.stream_key(session) if policies.can_stream(actor(), session, session.course.instructor_id) else "",
    )


@bp.route("/sessions/<uuid:session_id>/edit", methods=["GET", "POST"])
def sessions_edit(session_id: UUID) -> ResponseReturnValue:
    """Change the plan of a class; of a series also of those that follow."""
    session, page = run_by_me(session_id), "streaming/admin/sessions_edit.html"
    minutes = int((session.ends_at - session.starts_at).total_seconds() // 60)
    form = SessionForm(
        data={
            "title": session.title,
            "description": session.description,
            "join_url": session.join_url,
            "minutes": minutes,
            "starts_at": session.starts_at.astimezone(reader_zone()).replace(tzinfo=None, second=0, microsecond=0),
            "following": "",
            "provider": session.provider,
        }
    )
    following = queries.count_following(session)
    if not form.is_submitted():
        return render_template(page, form=form, session=session, following=following)
    if form.validate():
        try:
            count = _edit(session, form, minutes)
            toast(_("Saved.") if count == 1 else _("%(count)s classes are changed.", count=count))
            return moved(url_for(".sessions_show", session_id=session.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, session=session, following=following)


def _edit(session: Session, form: SessionForm, minutes: int) -> int:
    """Do what the form asks for; how many classes changed."""
    starts_at, ends_at = form.times_in(reader_zone())
    if starts_at == session.starts_at.replace(second=0, microsecond=0) and form.minutes.data == minutes:
        starts_at, ends_at = session.starts_at, session.ends_at
    edit = operations.edit_following if form.following.data and session.series_id is not None else operations.edit_session
    changed_count = edit(
        session,
        title=form.title.data or "",
        starts_at=starts_at,
        ends_at=ends_at,
        description=form.description.data or "",
        join_url=form.join_url.data or "",
        provider=form.provider.data or "",
        by=actor(),
    )
    return changed_count or 1


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
        every = operations.cancel_following if request.form.get("following") and session.series_id else operations.cancel_session
        every(session, by=by, reason=request.form.get("reason", "")[:500])

    return _step(session_id, cancel)


def _step(session_id: UUID, take: Callable[..., None]) -> ResponseReturnValue:
    session = run_by_me(session_id)
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
