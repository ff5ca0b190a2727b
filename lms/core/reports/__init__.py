"""Lists: declared once (query, columns, filters, sorts, search, totals), and then table, file, mail, API and alert."""

from lms.core.reports.fields import Choice, Column, Flag, Knob, Only, Period, Sought, knob
from lms.core.reports.grouping import Groups, groupable
from lms.core.reports.report import COUNTED_AT_ONCE, DRAWN, PAGE, Report, every_report
from lms.core.reports.view import Page, Tally, View, plain, with_filter

__all__ = [
    "COUNTED_AT_ONCE",
    "DRAWN",
    "PAGE",
    "Choice",
    "Column",
    "Flag",
    "Groups",
    "Knob",
    "Only",
    "Page",
    "Period",
    "Report",
    "Sought",
    "Tally",
    "View",
    "every_report",
    "groupable",
    "knob",
    "plain",
    "with_filter",
]
