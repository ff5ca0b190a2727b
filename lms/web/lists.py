"""A declared list as a page: search, filter chips in the address, columns, sort, pages by key, downloads, and the bulk bar."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.core import i18n, plans
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.reports import PAGE, Choice, Column, Flag, Knob, Only, Page, Period, Report, View, groupable, with_filter
from lms.core.reports.fields import Filter
from lms.web.access import actor, allow
from lms.web.answers import fragment, wants_fragment
from lms.web.charts import Chart
from lms.web.drawing import drawing
from lms.web.exports import csv_response, xlsx_response
from lms.web.face import faces
from lms.web.i18n import choose_zone
from lms.web.navigation import exists
from lms.web.remembered import Rows
from lms.web.words import duration, money, number, size

kept_rows = Rows()
NUMERIC = ("int", "money", "percent", "bytes", "duration", "number")
UNBROKEN = ("time", "date", "money", "int", "percent", "bytes", "duration")  # kinds whose cells stay on one line


@dataclass(frozen=True, slots=True)
class Field:
    """A filter as a field of the filters' form."""

    looks_alike: ClassVar[bool] = True
    key: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list as its template reads it."""

    report: Report
    view: View
    page: Page
    count: int | None
    totals: Mapping[str, Any]
    path: str
    first: int

    @property
    def next_href(self) -> str | None:
        """The address of the page after this one."""
        return self.href(after=self.page.after, at=str(self.first + len(self.page.rows))) if self.page.after else None

    @property
    def previous_href(self) -> str | None:
        """The address of the page before this one."""
        if not self.page.before or self.first <= 1:
            return None
        return self.href() if self.first <= PAGE + 1 else self.href(before=self.page.before, at=str(max(1, self.first - PAGE)))

    @property
    def why(self) -> tuple[str, str] | None:
        """The question and the answer of somebody who came from a figure: what is counted here."""
        meaning = self.report.figures.get(request.args.get("why", ""))
        if meaning is None:
            return None
        if self.count is None:
            return _("Why this many?"), str(meaning)
        sums = [column.key for column in self.columns if column.total and column.kind == "money" and column.key in self.totals]
        figure = total_words(self.totals[sums[-1]]) if sums else number(self.count)
        return _("Why %(count)s?", count=figure or number(self.count)), str(meaning)

    @property
    def count_href(self) -> str:
        """The address that counts this list."""
        return self.href(format="count")

    @property
    def whole_href(self) -> str:
        """The address of this list without any view, a default one included."""
        return f"{self.path}?view=all"

    def reporting_href(self, page: str) -> str:
        """The address of a page of reporting about the view shown (`views/new`, `schedules/new`); "" where there is no reporting."""
        if not exists("/admin/reporting/"):
            return ""
        return f"/admin/reporting/{page}?{_of_this_view(self.report.name, self.view.query_string(), self.path)}"

    @property
    def columns(self) -> list[Column]:
        """The columns shown."""
        return self.report.shown(self.view)

    def href(self, view: View | None = None, **more: str) -> str:
        """The address of this list under another view."""
        query = (view or self.view).query_string(**more)
        return f"{self.path}?{query}" if query else self.path

    @property
    def row_href(self) -> str:
        """The address of a row's own page, with {key} of its columns; groups have none."""
        return "" if self.view.groups else self.report.href

    @property
    def chart(self) -> Chart | None:
        """The drawing of this page's rows, where the view has one."""
        return drawing(self.columns, self.page.rows, self.view)

    @property
    def heads(self) -> list[dict[str, Any]]:
        """The column heads: label, alignment, and the link that sorts."""
        chosen = self.view.sort or ("group_0" if self.view.groups else self.report.sort)
        made = []
        for column in self.columns:
            mine = chosen.lstrip("-") == column.key
            down = mine and chosen.startswith("-")
            made.append(
                {
                    "key": column.key,
                    "label": str(column.label),
                    "align": "end" if column.kind in NUMERIC else None,
                    "nowrap": column.kind in UNBROKEN,
                    "sort": ("desc" if down else "asc") if mine else None,
                    "sort_href": self.href(replace(self.view, sort=column.key if down or not mine else f"-{column.key}"))
                    if column.sortable
                    else None,
                }
            )
        return made

    def drawn(self, draw: Callable[..., Markup], heads: Sequence[Mapping[str, Any]], select: str | None) -> Markup:
        """The rows as markup, each drawn by the macro given or remembered from when it had the same values."""
        looks = tuple((column.key, column.kind, str(column.label), column.href) for column in self.columns)
        place = kept_rows.place((self.report.name, self.row_href, select, i18n.locale(), choose_zone(), looks))
        made = [kept_rows.get((place, tuple(row.values())), lambda row=row: draw(self, row, heads, select)) for row in self.page.rows]  # type: ignore[misc]
        return Markup("\n".join(made))  # noqa: S704 - each of them is markup already

    @property
    def chips(self) -> list[dict[str, str]]:
        """The filters in force, each with the address without it."""
        known = {item.key: item for item in self.report.filters}
        chips = [
            {"label": str(known[key].label), "value": known[key].words(raw), "remove": self.href(with_filter(self.view, key, None))}
            for key, raw in self.view.filters
            if key not in self.report.fixed
        ]
        if self.view.words:
            chips.append({"label": _("Words"), "value": self.view.words, "remove": self.href(replace(self.view, words=""))})
        return chips + self._built()

    def _built(self) -> list[dict[str, str]]:
        """The groups and computed columns of the view, each with the address without it; a chart or sort goes with what it shows."""
        bare, names = replace(self.view, sort="", chart=""), dict(groupable(self.report.columns))
        made = []
        for key in self.view.groups:
            kept = tuple(other for other in self.view.groups if other != key)
            made.append({"label": _("Grouped by"), "value": names[key], "remove": self.href(replace(bare, groups=kept))})
        for label, formula in self.view.computed:
            kept_formulas = tuple(other for other in self.view.computed if other != (label, formula))
            made.append({"label": label, "value": formula, "remove": self.href(replace(bare, computed=kept_formulas))})
        return made

    @property
    def filter_fields(self) -> tuple[Field, ...]:
        """The filters as form fields."""
        given = dict(self.view.filters)
        return tuple(_field(item, given.get(item.key, "")) for item in self.report.filters if not isinstance(item, Only))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the filters' form keeps beside its own fields: the rest of the view."""
        known = {item.key for item in self.report.filters if not isinstance(item, Only)}
        return [(key, value) for key, value in self.view.parameters() if key not in known]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The view without its words, as hidden fields of the search form."""
        return [(key, value) for key, value in self.view.parameters() if key != "q"]

    @property
    def uncolumned(self) -> list[tuple[str, str]]:
        """The view without its choice of columns, as hidden fields of the column menu."""
        return [(key, value) for key, value in self.view.parameters() if key != "columns"]

    @property
    def bulk_acts(self) -> list[dict[str, str]]:
        """The acts of the bulk bar this person may do; none on groups, which are no rows."""
        if self.view.groups:
            return []
        found = plans.acts_on(self.report.name, actor())
        return [{"value": act.name, "label": f"{act.title}…", "icon": act.icon, "tone": act.tone} for act in found]

    @property
    def chosen_from(self) -> dict[str, str]:
        """The whole view as hidden fields of the bulk form, words included: "select all 12" means the 12 that are shown."""
        return {**dict(self.view.filters), **dict(self.view.parameters()[:1] if self.view.words else ()), "report": self.report.name}

    @property
    def column_choices(self) -> list[tuple[str, str, bool, bool]]:
        """The columns to choose from: key, label, shown, fixed."""
        shown = {column.key for column in self.report.shown(replace(self.view, groups=()))}
        return [(column.key, str(column.label), column.key in shown, False) for column in self.report.columns]

    @property
    def footer(self) -> dict[str, str] | None:
        """The totals under their columns."""
        made = {}
        for column in self.columns:
            total = self.totals.get(column.key) if column.total else None
            if total is not None:
                made[column.key] = total_words(total, column.kind)
        if made and self.columns:
            made.setdefault(self.columns[0].key, _("Total"))
        return made or None


@lru_cache(maxsize=4096)
def _of_this_view(report: str, query: str, path: str) -> str:
    return urlencode({"report": report, "query": query, "path": path})


def _field(item: Filter, value: str) -> Field:
    """A filter with its value and what can be chosen."""
    options: Sequence[tuple[str, str]] = ()
    if isinstance(item, Knob):
        value, options = value or str(item.default), item.choices()
    elif isinstance(item, Choice):
        options = [("", _("any")), *_choices(item, value)]
    elif isinstance(item, Flag):
        options = [("", _("any")), ("1", _("yes")), ("0", _("no"))]
    elif isinstance(item, Period):
        options = _period_options(value)
    return Field(item.key, str(item.label), value, tuple(options))


def _choices(item: Choice, current: str) -> list[tuple[str, str]]:
    """What can be chosen, and what is chosen now, though a link alone leads to it."""
    found = item.choices()
    return found if not current or current in dict(found) else [*found, (current, item.words(current))]


def _period_options(current: str) -> list[tuple[str, str]]:
    options = [("", _("any")), ("1d", _("today")), *((f"{days}d", _("last %(days)s days", days=days)) for days in (7, 30, 90, 365))]
    return options if current in dict(options) else [*options, (current, current.replace("..", " – "))]


def list_page(report: Report, *, counted: bool = False) -> ListPage:
    """The list as this request's address asks for it; `counted` has it counted however long it is."""
    view = report.read_view(request.args.to_dict(flat=False), zone_name=choose_zone())
    page = report.page(view, actor(), after=request.args.get("after", ""), before=request.args.get("before", ""))
    asked = counted or request.args.get("count") == "1"
    totals = report.totals(view, actor()) if asked else report.totals_if_few(view, actor())
    at = request.args.get("at", "1")
    first = int(at) if at.isdigit() and len(at) < 10 and (request.args.get("after") or request.args.get("before")) else 1
    return ListPage(report, view, page, int(totals["count"]) if totals else None, totals or {}, request.path, max(first, 1))


def _answer_count(report: Report) -> ResponseReturnValue:
    """The exact count and the sums of a list too long to count while its page is made; without script the page with them."""
    view = report.read_view(request.args.to_dict(flat=False), zone_name=choose_zone())
    page = f"{request.path}?{view.query_string(count='1')}"
    if not wants_fragment():
        return redirect(page, 303)
    totals = report.totals(view, actor())
    sums = [
        (str(column.label), total_words(totals[column.key], column.kind))
        for column in report.shown(view)
        if column.total and column.key in totals
    ]
    return fragment("layouts/_list_count.html", page=page, count=totals["count"], sums=sums)


def total_words(total: Any, kind: str = "") -> str:
    """A sum as people read it: a number, a time, a size, or money by currency."""
    if isinstance(total, Mapping):
        return " · ".join(money(minor, currency) for currency, minor in sorted(total.items()) if currency)
    return {"duration": duration, "bytes": size}.get(kind, number)(total)


def answer_list(report: Report, template: str, **context: Any) -> ResponseReturnValue:
    """The answer of a list's page: HTML, or with `?format=csv` or `xlsx` the file of exactly these rows."""
    allow(report.allowed(actor()))
    wanted = request.args.get("format", "")
    if wanted in ("csv", "xlsx"):
        view = report.read_view(request.args.to_dict(flat=False), zone_name=choose_zone())
        return (csv_response if wanted == "csv" else xlsx_response)(report, view, actor())
    if wanted == "count":
        return _answer_count(report)
    if wanted:
        raise Invalid(_("A list comes as csv or xlsx."))
    if not request.args and faces.default_view_of is not None and (query := faces.default_view_of(report.name, actor().user_id)):
        return redirect(f"{request.path}?{query}", 302)
    return render_template(template, list=list_page(report), **context)


def chosen_ids(report: Report) -> Iterator[UUID]:
    """The rows a bulk form means: the ticked ones, or with `all=1` every row of the view it was sent from."""
    if request.form.get("all"):
        view = report.read_view(request.form.to_dict(flat=False), zone_name=choose_zone())
        yield from report.ids(view, actor())
        return
    for raw in request.form.getlist("id"):
        try:
            yield UUID(raw)
        except ValueError as error:
            raise Invalid(_("A chosen row was not understood. Reload the list and choose again.")) from error
