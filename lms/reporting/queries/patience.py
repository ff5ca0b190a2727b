"""Figures of days that nobody has counted yet: looked up while it is quick, and left out with a word about it where it is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lms.core import db
from lms.reporting.queries.courses import is_small
from lms.reporting.queries.figures import Standing

Found = TypeVar("Found")
BE_QUICK = text("SET LOCAL statement_timeout = 1000")
AS_USUAL = text("SET LOCAL statement_timeout TO DEFAULT")
CANCELED = "57014"  # query_canceled, https://www.postgresql.org/docs/18/errcodes-appendix.html


def as_far_as_counted(known: Standing, ask: Callable[[Standing], Found]) -> tuple[Found, date | None]:
    """What `ask` finds with what is known, and None; or what it finds in the counted days alone, and the first day that is not in it.

    The second only where days wait to be counted (after a great fill), and looking them up takes longer than anybody waits.
    """
    if known.uncounted >= known.today - timedelta(days=1) or is_small():
        return ask(known), None
    try:
        with db.session().begin_nested():
            db.session().execute(BE_QUICK)
            found = ask(known)
            db.session().execute(AS_USUAL)
            return found, None
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != CANCELED:
            raise
    return ask(replace(known, uncounted=known.today + timedelta(days=1), marked=None, until=None, stale=())), known.uncounted
