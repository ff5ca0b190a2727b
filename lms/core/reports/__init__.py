"""Lists: declared once (query, columns, filters, sorts, search, totals), and then table, file, mail, API and alert."""

from lms.core.reports.fields import Choice, Column, Flag, Period
from lms.core.reports.report import PAGE, Report, every_report
from lms.core.reports.view import Page, Tally, View, checksum_of, plain, with_filter

__all__ = [
    "PAGE",
    "Choice",
    "Column",
    "Flag",
    "Page",
    "Period",
    "Report",
    "Tally",
    "View",
    "checksum_of",
    "every_report",
    "plain",
    "with_filter",
]
