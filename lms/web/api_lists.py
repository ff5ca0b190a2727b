"""Declared lists in the API: the same query string as the page's, rows as JSON, pages by key."""

from typing import Annotated, Any, Literal

from flask import request
from pydantic import BaseModel, ConfigDict, Field, create_model

from lms.core.i18n import in_locale
from lms.core.reports import PAGE, Choice, Column, Flag, Knob, Period, Report, View
from lms.core.reports.view import plain
from lms.web.access import actor
from lms.web.api_reading import Amount, read_query
from lms.web.i18n import choose_zone

MOST_ROWS = 200


class Rows(BaseModel):
    """A page of a list; `next` and `previous` are addresses, null at the ends; `count` is of the whole list, exactly."""

    model_config = ConfigDict(extra="allow")

    rows: list[dict[str, Any]]
    count: int
    totals: dict[str, Any]
    next: str | None
    previous: str | None


KIND: dict[str, Any] = {
    "int": int,
    "money": Amount,
    "percent": float,
    "bytes": int,
    "duration": float,
    "bool": bool,
    "stars": float,
    "segments": Any,
}


_made: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {}


def list_models(report: type[Report]) -> tuple[type[BaseModel], type[BaseModel]]:
    """The schemas of a list: what its query string takes, and the page it answers; made once."""
    if report.name not in _made:
        _made[report.name] = _make_models(report)
    return _made[report.name]


def _make_models(report: type[Report]) -> tuple[type[BaseModel], type[BaseModel]]:
    name = "".join(part.title() for part in report.name.replace("_", ".").split("."))
    with in_locale("en"):
        cells = {
            column.key: (_type_of(column) | None, Field(default=None, description=str(column.label)))
            for column in report.columns
            if column.key != "id"
        }
        identity = (str, Field(json_schema_extra={"format": "uuid"}))
        row: Any = create_model(f"{name}Row", __config__=ConfigDict(title=f"{name}Row"), id=identity, **cells)  # type: ignore[call-overload]
        page = create_model(
            f"{name}Page",
            __doc__=str(report.lead or report.title),
            rows=(list[row], ...),
            count=(int, ...),
            totals=(dict[str, Any], ...),
            next=(str | None, ...),
            previous=(str | None, ...),
        )
        asked = create_model(f"{name}Query", __config__=ConfigDict(extra="forbid"), **_questions(report))
    return asked, page


def _type_of(column: Column) -> Any:
    return KIND.get(column.kind, str)


def _questions(report: type[Report]) -> dict[str, Any]:
    """The query parameters of a list: words, filters, sort, columns, and the place in it."""
    asked: dict[str, Any] = {}
    for item in report.filters:
        kind: Any = str
        if isinstance(item, Knob) or (isinstance(item, Choice) and not callable(item.options)):
            kind = Literal[tuple(value for value, _label in item.choices())]
        elif isinstance(item, Flag):
            kind = Literal["1", "0"]
        hint = " (2026-11-01..2026-11-30, or 30d)" if isinstance(item, Period) else ""
        asked[item.key] = (kind | None, Field(default=None, description=f"{item.label}{hint}"))
    sorts = [sign + column.key for column in report.columns if column.sortable for sign in ("", "-")]
    keys = [column.key for column in report.columns]
    place = Annotated[str | None, Field(default=None, max_length=1000)]
    asked |= {
        "q": (Annotated[str | None, Field(default=None, max_length=200, description="Words to search for")], None),
        "columns": (list[Literal[tuple(keys)]] | None, Field(default=None, description="Only these columns")),  # type: ignore[misc]
        "after": (place, None),
        "before": (place, None),
        "size": (Annotated[int, Field(ge=1, le=MOST_ROWS)], PAGE),
    }
    if sorts:
        asked["sort"] = (Literal[tuple(sorts)] | None, Field(default=None, description="A column; with - before it downwards"))
    return asked


def answer_rows(report: Report) -> Rows:
    """The page of a list this request's query asks for; unknown names and wrong values are refused."""
    asked = read_query(list_models(type(report))[0])
    view = report.read_view(request.args.to_dict(flat=False), zone_name=choose_zone())
    page = report.page(view, actor(), after=asked.after or "", before=asked.before or "", size=asked.size)
    totals = dict(report.totals(view, actor()))
    return Rows(
        rows=[row_of(report, view, row) for row in page.rows],
        count=totals.pop("count"),
        totals={key: _amounts(value) for key, value in totals.items()},
        next=_address(view, asked.size, after=page.after),
        previous=_address(view, asked.size, before=page.before),
    )


def row_of(report: Report, view: View, row: Any) -> dict[str, Any]:
    """A row as JSON: its id and the shown cells by key."""
    return {"id": str(row["id"]), **{column.key: plain(column, row) for column in report.shown(view)}}


def _amounts(total: Any) -> Any:
    return [{"minor": minor, "currency": code} for code, minor in sorted(total.items()) if code] if isinstance(total, dict) else total


def _address(view: View, size: int, **place: str) -> str | None:
    if not any(place.values()):
        return None
    more = {"size": str(size)} if size != PAGE else {}
    return f"{request.path}?{view.query_string(**more, **place)}"
