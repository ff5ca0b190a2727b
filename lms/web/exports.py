"""Files of a list as downloads, streamed in little memory."""

from collections.abc import Callable, Iterator

from flask import Response

from lms.core import db, i18n
from lms.core.decisions import Actor
from lms.core.reports import Report, View
from lms.core.reports.files import CSV, XLSX, csv_lines, file_name, xlsx_file


def csv_response(report: Report, view: View, by: Actor) -> Response:
    """The CSV as a download; its rows are read in a transaction of their own while they are sent."""
    channel_id, locale = db.work().channel_id, i18n.locale()

    def pieces() -> Iterator[str]:
        with db.unit_of_work(channel_id, user_id=by.user_id, read_only=True), i18n.in_locale(locale):
            yield from csv_lines(report, view, by)

    response = Response(pieces(), mimetype=CSV)
    return _attached(response, file_name(report, "csv"))


def lines_response(lines: Callable[[], Iterator[str]], name: str, by: Actor) -> Response:
    """A CSV that is no list's, as a download; its lines are read in a transaction of their own while they are sent."""
    channel_id, locale = db.work().channel_id, i18n.locale()

    def pieces() -> Iterator[str]:
        with db.unit_of_work(channel_id, user_id=by.user_id, read_only=True), i18n.in_locale(locale):
            yield from lines()

    return _attached(Response(pieces(), mimetype=CSV), name)


def xlsx_response(report: Report, view: View, by: Actor) -> Response:
    """The XLSX as a download."""
    file = xlsx_file(report, view, by)

    def pieces() -> Iterator[bytes]:
        with file:
            while block := file.read(65536):
                yield block

    response = Response(pieces(), mimetype=XLSX)
    return _attached(response, file_name(report, "xlsx"))


def _attached(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
