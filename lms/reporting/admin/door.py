"""The blueprint of the back office's reports, and what its pages share."""

from flask import Blueprint, request

from lms.core.reports import Report
from lms.reporting import queries
from lms.web.answers import own_path

bp = Blueprint("reporting_admin", __name__, url_prefix="/admin/reporting")


def asked_report() -> Report:
    """The list that `report=` names, in the address or the form."""
    return queries.get_report(request.values.get("report", ""))


def asked_query() -> str:
    """The query string that `query=` holds."""
    return request.values.get("query", "")[:4000]


def asked_path(report: Report) -> str:
    """The list's own page, as the list said it; a path of this host's back office, or nothing."""
    path = own_path(request.values.get("path"), "")
    return path if path.startswith("/admin/") and "?" not in path else report.path
