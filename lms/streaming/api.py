"""Door 3: live classes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint, url_for
from pydantic import Field

from lms.channels.queries import get_member
from lms.core.clock import now
from lms.core.decisions import signed_in
from lms.courses.queries import get_course
from lms.streaming import operations, policies, queries
from lms.streaming.gateways import rtmp_address
from lms.streaming.models import MOST_TIMES, Session
from lms.streaming.operations.planning import Plan
from lms.streaming.reports import Sessions
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Line, Moment, Rows, answer_rows, endpoint, given, located

bp = Blueprint("streaming_api", __name__, url_prefix="/api/v1/streaming")
About = Annotated[str, Field(max_length=4000)]
Link = Annotated[str, Field(max_length=500)]


class ClassAnswer(Answer):
    """A live class; `join_url` is there while one may go in."""

    id: UUID
    course_id: UUID
    batch_id: UUID | None
    host_id: UUID
    series_id: UUID | None
    series_number: int | None
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    state: str
    join_url: str
    provider: str


class ClassList(Answer):
    """Classes, soonest first."""

    rows: list[ClassAnswer]


class Repeat(Body):
    """How a class repeats: always at the same time of day in a zone of the IANA list."""

    every: Literal["day", "week", "fortnight", "month"]
    times: Annotated[int, Field(ge=2, le=MOST_TIMES)]
    zone: Annotated[str, Field(max_length=64)] = "UTC"


class NewClass(Body):
    """A class to plan; one of a batch is for its people alone."""

    course_id: UUID
    batch_id: UUID | None = None
    title: Line
    starts_at: Moment
    ends_at: Moment
    description: About = ""
    join_url: Link = ""
    host_id: UUID | None = None
    provider: Literal["link", "browser", "rtmp", "webhook"] = "link"
    repeat: Repeat | None = None


class ClassChange(Body):
    """What is left out stays; `following` changes the classes of its series that come after it too."""

    title: Line | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    description: About | None = None
    join_url: Link | None = None
    provider: Literal["link", "browser", "rtmp", "webhook"] | None = None
    following: bool = False


class Cancellation(Body):
    """Why a class is called off; `following` calls off those of its series that come after it too."""

    reason: Annotated[str, Field(max_length=500)] = ""
    following: bool = False


class StreamAnswer(Answer):
    """Where a class is sent to over RTMP, and with which key; whoever has the key can send."""

    server: str
    key: str


class StayAnswer(Answer):
    """One unbroken stay."""

    joined_at: datetime
    left_at: datetime


class PresenceAnswer(Answer):
    """One person's presence in a class."""

    user_id: UUID
    name: str
    email: str
    seconds: int
    stays: list[StayAnswer]


class AbsentAnswer(Answer):
    """One person of the course who did not come."""

    user_id: UUID
    name: str


class AttendanceAnswer(Answer):
    """Who was there, and who of the course was not; by name."""

    rows: list[PresenceAnswer]
    absent: list[AbsentAnswer]


@bp.get("/sessions")
@endpoint(lists=Sessions)
def sessions() -> Rows:
    """Every class this person runs."""
    allow(policies.can_list(actor()))
    return answer_rows(Sessions())


@bp.get("/mine")
@endpoint()
def mine() -> ClassList:
    """The classes to come and running that I am enrolled for, host or teach."""
    allow(signed_in(actor()))
    return ClassList(rows=[_class(row) for row in queries.upcoming_sessions(_me())])


@bp.get("/mine/past")
@endpoint()
def mine_past() -> ClassList:
    """The classes that are over of the courses I am in, newest first."""
    allow(signed_in(actor()))
    return ClassList(rows=[_class(row) for row in queries.past_sessions(_me())])


@bp.post("/sessions")
@endpoint(status=201)
def sessions_create(body: NewClass) -> ClassAnswer:
    """Plan a class of a course, or a series of them; the answer is the first."""
    course = get_course(body.course_id)
    allow(policies.can_schedule(actor(), course.instructor_id))
    host = get_member(body.host_id) if body.host_id is not None else None
    host_id = host.id if host is not None else None
    plan = Plan(body.title, body.starts_at, body.ends_at, body.description, body.join_url, host_id, body.provider, body.batch_id)
    if body.repeat is None:
        session = operations.schedule_session(course, by=actor(), **plan._asdict())
    else:
        repeat = body.repeat
        made = operations.schedule_series(course, plan, every=repeat.every, times=repeat.times, zone_name=repeat.zone, by=actor())
        session = made[0]
    located(url_for(".sessions_show", session_id=session.id))
    return _class(session)


@bp.get("/sessions/<uuid:session_id>")
@endpoint()
def sessions_show(session_id: UUID) -> ClassAnswer:
    """One class."""
    found = queries.get_standing(session_id, _me())
    allow(policies.can_see(actor(), found.session, found.instructor_id, enrolled=found.enrolled))
    may_join = policies.can_join(actor(), found.session, found.instructor_id, enrolled=found.enrolled, at=now())
    return _class(found.session, joinable=bool(may_join) or bool(policies.can_run(actor(), found.session, found.instructor_id)))


@bp.patch("/sessions/<uuid:session_id>")
@endpoint()
def sessions_edit(session_id: UUID, body: ClassChange) -> ClassAnswer:
    """Change what was planned; the times only while it has not begun."""
    session = _run(session_id)
    names = ("title", "starts_at", "ends_at", "description", "join_url", "provider")
    values = {name: getattr(session, name) for name in names} | {name: value for name, value in given(body).items() if name in names}
    edit = operations.edit_following if body.following and session.series_id else operations.edit_session
    edit(session, by=actor(), **values)
    return _class(session, joinable=True)


@bp.post("/sessions/<uuid:session_id>/open")
@endpoint()
def sessions_open(session_id: UUID) -> ClassAnswer:
    """Open the room."""
    session = _run(session_id)
    operations.open_session(session, by=actor())
    return _class(session, joinable=True)


@bp.post("/sessions/<uuid:session_id>/start")
@endpoint()
def sessions_start(session_id: UUID) -> ClassAnswer:
    """Begin the class."""
    session = _run(session_id)
    operations.start_session(session, by=actor())
    return _class(session, joinable=True)


@bp.post("/sessions/<uuid:session_id>/end")
@endpoint()
def sessions_end(session_id: UUID) -> ClassAnswer:
    """End the class and close its room."""
    session = _run(session_id)
    operations.end_session(session, by=actor())
    return _class(session, joinable=True)


@bp.post("/sessions/<uuid:session_id>/cancel")
@endpoint()
def sessions_cancel(session_id: UUID, body: Cancellation) -> ClassAnswer:
    """Call the class off before it begins."""
    session = _run(session_id)
    cancel = operations.cancel_following if body.following and session.series_id else operations.cancel_session
    cancel(session, by=actor(), reason=body.reason)
    return _class(session, joinable=True)


@bp.get("/sessions/<uuid:session_id>/stream")
@endpoint()
def sessions_stream(session_id: UUID) -> StreamAnswer:
    """What a program that sends RTMP is set up with."""
    session = _sent(session_id)
    return StreamAnswer(server=rtmp_address(), key=queries.stream_key(session))


@bp.post("/sessions/<uuid:session_id>/stream/change")
@endpoint()
def sessions_stream_change(session_id: UUID) -> StreamAnswer:
    """Make the key worthless and have a new one; what is being sent with the old one stops."""
    session = _sent(session_id)
    operations.change_key(session, by=actor())
    return StreamAnswer(server=rtmp_address(), key=queries.stream_key(session))


@bp.post("/sessions/<uuid:session_id>/join")
@endpoint()
def sessions_join(session_id: UUID) -> ClassAnswer:
    """Go in: the join is written down, and `join_url` is the door."""
    found = queries.get_standing(session_id, _me())
    allow(policies.can_join(actor(), found.session, found.instructor_id, enrolled=found.enrolled, at=now()))
    operations.note_page(session_id, _me())
    return _class(found.session, joinable=True)


@bp.get("/sessions/<uuid:session_id>/attendance")
@endpoint()
def sessions_attendance(session_id: UUID) -> AttendanceAnswer:
    """Who was there and when."""
    session = _run(session_id)
    absent = [AbsentAnswer(user_id=user_id, name=name) for user_id, name in queries.absentees_of(session)]
    return AttendanceAnswer(rows=[PresenceAnswer.model_validate(row) for row in queries.attendance_of(session_id)], absent=absent)


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _run(session_id: UUID) -> Session:
    """A class, for those who run it."""
    session = queries.get_session(session_id)
    allow(policies.can_run(actor(), session, session.course.instructor_id))
    return session


def _sent(session_id: UUID) -> Session:
    """A class sent over RTMP, for those who run it."""
    session = queries.get_session(session_id)
    allow(policies.can_stream(actor(), session, session.course.instructor_id))
    return session


def _class(session: Session, *, joinable: bool = False) -> ClassAnswer:
    made = ClassAnswer.model_validate(session)
    if not joinable:
        made.join_url = ""
    return made
