"""Segments, and who fits them now."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, select, true

from lms.channels.models import Member, Segment
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.segments import every_condition
from lms.core.settled import Settled

_NAMES = Settled(
    lambda: select(Segment.id, Segment.name).where(Segment.retired_at.is_(None)).order_by(func.lower(Segment.name), Segment.id)
)


def segment_names() -> list[tuple[UUID, str]]:
    """The segments in use by name."""
    return [(row.id, row.name) for row in _NAMES.rows()]


def get_segment(segment_id: UUID) -> Segment:
    """One segment of this academy, put away or not."""
    found = db.session().get(Segment, segment_id)
    if found is None:
        raise NotFound(_("There is no such segment here."))
    return found


def segments_here(*, retired: bool = False) -> Sequence[Segment]:
    """The segments in use (or all), by name."""
    query = select(Segment).order_by(func.lower(Segment.name), Segment.id)
    return db.session().scalars(query if retired else query.where(Segment.retired_at.is_(None))).all()


def fitting(conditions: Mapping[str, Any]) -> ColumnElement[bool]:
    """Who fits all the conditions, as a condition on members; nobody fits one that is not known any more."""
    known = every_condition()
    if any(key not in known for key in conditions):
        return false()
    return and_(true(), *(known[key].where(str(raw), conditions) for key, raw in conditions.items()))


def people_of_segment(segment_id: UUID) -> Select[UUID]:
    """The ids of the people who fit a segment now, as a SELECT to run, join or narrow; the same people its list shows."""
    return select(Member.id).where(Member.status != "deleted", fitting(get_segment(segment_id).conditions))


def segment_words(segment: Segment) -> list[str]:
    """What a segment asks, in words."""
    known = every_condition()
    asked = [one.told(str(segment.conditions[key])) for key, one in known.items() if key in segment.conditions]
    return asked + [_("A condition that is gone: %(value)s", value=raw) for key, raw in segment.conditions.items() if key not in known]
