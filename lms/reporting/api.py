"""Door 3: every list of the product as data, saved views, and views sent by mail."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, request, url_for
from pydantic import ConfigDict, EmailStr, Field

from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.reports import Report, View, groupable
from lms.reporting import operations, policies, queries
from lms.reporting.models import SavedView
from lms.reporting.operations import Timetable
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, Line, Query, endpoint, located
from lms.web.i18n import choose_zone

bp = Blueprint("reporting_api", __name__, url_prefix="/api/v1/reporting")


class ReportQuery(Query):
    """The list's own query string (its filters by name, q, sort, columns), the place in it, and whether to sum it up."""

    model_config = ConfigDict(extra="allow", str_max_length=2_000)

    q: Annotated[str, Field(max_length=200)] = ""
    sort: Annotated[str, Field(max_length=100)] = ""
    columns: list[Annotated[str, Field(max_length=100)]] = []
    group: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=2, description="course, enrolled_at:month")] = []
    calc: Annotated[list[Annotated[str, Field(max_length=270)]], Field(max_length=3, description="Left=price - paid")] = []
    after: Annotated[str, Field(max_length=1000)] = ""
    size: Annotated[int, Field(ge=1, le=500)] = 50
    checksum: Annotated[Literal["1", "0"], Field(description="0 leaves the checksum out: it reads every row")] = "1"


class ColumnAnswer(Answer):
    """A column of a list."""

    key: str
    label: str
    kind: str


class TableAnswer(Answer):
    """A page of a list. `count` and `checksum` (SHA-256 over the cells of every row in order) are of the whole view, and the same
    for the screen, the files and the mails; `next` is the `after` of the next page, null at the end."""

    report: str
    title: str
    query: str
    zone: str
    columns: list[ColumnAnswer]
    count: int
    totals: dict[str, Any]
    rows: list[dict[str, Any]]
    next: str | None
    checksum: str | None


class ReportLine(Answer):
    """A list there is, and the filters it takes."""

    name: str
    title: str
    lead: str
    filters: list[str]
    columns: list[str]


class ReportList(Answer):
    """The lists one may see, by title."""

    rows: list[ReportLine]


class ViewAnswer(Answer):
    """A view of a list, kept under a name."""

    id: UUID
    report: str
    title: str
    query: str
    is_shared: bool
    is_default: bool
    created_at: datetime


class ViewList(Answer):
    """One's own views and the shared ones, by title."""

    rows: list[ViewAnswer]


class NewView(Body):
    """A view to keep; one's own view of that name is replaced."""

    report: Annotated[str, Field(min_length=1, max_length=100)]
    query: Annotated[str, Field(max_length=4000)] = ""
    title: Line
    is_shared: bool = False
    is_default: bool = False


class NewSchedule(Body):
    """When and to whom a saved view goes; `hour` is the wall clock's in `zone`, Monday is 0."""

    view_id: UUID
    cadence: Literal["hourly", "daily", "weekdays", "weekly", "monthly"] = "weekly"
    weekday: Annotated[int, Field(ge=0, le=6)] = 0
    days: Annotated[
        list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7, description="weekdays of a weekly one; empty: weekday")
    ] = []
    every: Annotated[int, Field(ge=1, le=52, description="weeks from one to the next")] = 1
    month_day: Annotated[int, Field(ge=1, le=31)] = 1
    hour: Annotated[int, Field(ge=0, le=23)] = 8
    zone: Annotated[str, Field(max_length=60)] = ""
    format: Literal["csv", "xlsx"] = "csv"
    only_if_rows: bool = False
    only_if_changed: bool = False
    above: Annotated[int | None, Field(ge=0, le=1_000_000_000, description="an alert: once each time there come to be more rows")] = None
    recipients: Annotated[list[Annotated[EmailStr, Field(max_length=254)]], Field(min_length=1, max_length=50)]


class ScheduleAnswer(Answer):
    """A view sent by mail."""

    id: UUID
    view_id: UUID
    cadence: str
    weekday: int
    days: list[int]
    every: int
    month_day: int
    hour: int
    zone: str
    format: str
    only_if_rows: bool
    only_if_changed: bool
    above: int | None
    recipients: list[str]
    is_on: bool
    next_run_at: datetime
    last_run_at: datetime | None
    stopped_because: str


class ScheduleList(Answer):
    """The schedules one may see, the next due first."""

    rows: list[ScheduleAnswer]


@bp.get("/reports")
@endpoint()
def reports() -> ReportList:
    """The lists there are."""
    allow(policies.can_see_reports(actor()))
    return ReportList(rows=[_line(report) for report in queries.reports_for(actor())])


@bp.get("/reports/<string:name>")
@endpoint()
def reports_show(name: str, query: ReportQuery) -> TableAnswer:
    """A page of a list, with its exact count and its checksum."""
    report = queries.get_report(name)
    allow(policies.can_read(actor(), report))
    view = report.read_view(request.args.to_dict(flat=False), zone_name=choose_zone())
    _check(report, query, view)
    table = queries.table_json(report, view, actor(), after=query.after, size=query.size)
    checksum = report.checksum(view, actor())[1] if query.checksum == "1" else None
    return TableAnswer.model_validate({**table, "checksum": checksum})


@bp.get("/views")
@endpoint()
def views() -> ViewList:
    """My saved views and the shared ones."""
    allow(policies.can_see_reports(actor()))
    return ViewList(rows=[ViewAnswer.model_validate(view) for view in queries.views_for(actor())])


@bp.post("/views")
@endpoint(status=201)
def views_create(body: NewView) -> ViewAnswer:
    """Keep a view of a list under a name."""
    report = queries.get_report(body.report)
    allow(policies.can_read(actor(), report))
    view = operations.save_view(report, body.query, body.title, is_shared=body.is_shared, is_default=body.is_default, by=actor())
    return ViewAnswer.model_validate(view)


@bp.delete("/views/<uuid:view_id>")
@endpoint(status=204)
def views_delete(view_id: UUID) -> None:
    """Take a view away; its schedules rest."""
    view = queries.get_view(view_id)
    allow(policies.can_edit_view(actor(), view))
    operations.delete_view(view, by=actor())


@bp.get("/schedules")
@endpoint()
def schedules() -> ScheduleList:
    """The views that go out by mail: my own, everybody's for admins."""
    allow(policies.can_see_reports(actor()))
    return ScheduleList(rows=[ScheduleAnswer.model_validate(schedule) for schedule in queries.schedules_for(actor())])


@bp.post("/schedules")
@endpoint(status=201)
def schedules_create(body: NewSchedule) -> ScheduleAnswer:
    """Send a saved view by mail from now on, with my rights."""
    view: SavedView = queries.get_view(body.view_id)
    allow(policies.can_open_view(actor(), view, queries.get_report(view.report)))
    when = Timetable(
        cadence=body.cadence,
        weekday=body.weekday,
        month_day=body.month_day,
        hour=body.hour,
        zone=body.zone or choose_zone(),
        format=body.format,
        only_if_rows=body.only_if_rows,
        days=tuple(sorted(set(body.days))),
        every=body.every,
        only_if_changed=body.only_if_changed,
        above=body.above,
    )
    schedule = operations.add_schedule(view, when, body.recipients, by=actor())
    located(url_for(".schedules"))
    return ScheduleAnswer.model_validate(schedule)


@bp.delete("/schedules/<uuid:schedule_id>")
@endpoint(status=204)
def schedules_delete(schedule_id: UUID) -> None:
    """End a schedule; links to its files stop working."""
    schedule = queries.get_schedule(schedule_id)
    allow(policies.can_edit_schedule(actor(), schedule))
    operations.delete_schedule(schedule, by=actor())


def _line(report: Report) -> ReportLine:
    return ReportLine(
        name=report.name,
        title=str(report.title),
        lead=str(report.lead),
        filters=[item.key for item in report.filters],
        columns=[column.key for column in report.columns],
    )


def _check(report: Report, query: ReportQuery, view: View) -> None:
    """Refuse names the list does not know, rather than answer more rows than were meant."""
    unknown = set(query.model_extra or {}) - {item.key for item in report.filters}
    unknown |= set(query.columns) - {column.key for column in report.columns}
    unknown |= set(query.group) - {key for key, _label in groupable(report.columns)}
    if query.sort and view.sort != query.sort:
        unknown.add("sort")
    if unknown:
        sentence = _("This list does not know that. Ask /api/v1/reporting/reports what it knows.")
        raise Invalid(sentence, fields={name[:60]: sentence for name in sorted(unknown)[:20]})
