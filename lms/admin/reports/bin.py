"""The list of what lies in the recycle bin."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.sql import func

from lms.admin.reports.trail import Somebody, known, staff
from lms.core import bin as recycle
from lms.core.decisions import Actor
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import BinRow
from lms.core.reports import Choice, Column, Period, Report

UNTIL = BinRow.deleted_at + func.make_interval(0, 0, 0, recycle.DAYS)


def kinds() -> list[tuple[str, str]]:
    """The kinds of things that can lie there, by name."""
    return sorted(((name, str(kind.words)) for name, kind in recycle.every_kind().items()), key=lambda pair: pair[1])


class Bin(Report):
    """What was deleted in the last thirty days, newest first."""

    name = "admin.bin"
    path = "/admin/bin"
    title = _l("Bin")
    lead = _l("What was deleted stays here for 30 days. Nobody but admins sees it.")
    key = BinRow.id
    href = "/admin/bin/{id}"
    sort = "-deleted_at"
    empty = ("trash-2", _l("The bin is empty"), _l("What somebody deletes comes here first, and can be brought back for 30 days."))
    columns: Sequence[Column] = (
        Column("title", _l("What"), BinRow.title),
        Column("kind", _l("Kind"), BinRow.kind, sortable=False, nullable=False),
        Column("deleted_at", _l("Deleted"), BinRow.deleted_at, kind="time"),
        Column("deleted_by_name", _l("By"), BinRow.deleted_by_name),
        Column("until", _l("Stays until"), UNTIL, kind="time", sortable=False, nullable=False),
    )
    filters = (
        Choice("kind", _l("Kind"), BinRow.kind, options=kinds),
        Somebody("who", _l("Deleted by"), BinRow.deleted_by, options=staff),
        Period("deleted", _l("Deleted"), BinRow.deleted_at),
    )
    search = (BinRow.title, BinRow.deleted_by_name)

    def __init__(self) -> None:
        words = known(dict(kinds()), BinRow.kind, BinRow.kind)
        self.columns = [replace(one, value=words) if one.key == "kind" else one for one in type(self).columns]

    def query(self, by: Actor) -> Select[Any]:
        """What lies in the channel's bin."""
        return select(BinRow).where(BinRow.ended_at.is_(None))
