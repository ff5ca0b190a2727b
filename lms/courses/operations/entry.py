"""Who may enrol in a course by their own act, and whose request is granted at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lms.channels.plans.traits import clean_tags, spellings
from lms.channels.queries import segments_here
from lms.core import audit
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.courses import queries
from lms.courses.events import CourseEdited
from lms.courses.models import ENTRIES, Course

MOST_DOMAINS = 20
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Who may enrol: everybody (`open`), whoever has a `key` or link, whoever asks and is let in (`request`), nobody (`closed`).

    Requests of people at `domains`, with the `tag` or in the segment are granted at once.
    """

    entry: str
    domains: Sequence[str] = field(default=())
    tag: str = ""
    segment_id: UUID | None = None

    def faults(self) -> dict[str, str]:
        """What is wrong with it, field by field."""
        rules = {
            "entry": (self.entry in ENTRIES, _("Choose who may enrol.")),
            "domains": (
                len(self.domains) <= MOST_DOMAINS and all(DOMAIN.fullmatch(one) for one in self.domains),
                _("Write domains like school.example, at most %(most)s.", most=MOST_DOMAINS),
            ),
            "tag": ("," not in self.tag and ";" not in self.tag, _("One tag, without commas.")),
            "segment_id": (
                self.segment_id is None or self.segment_id in [one.id for one in segments_here()],
                _("Choose one of the segments."),
            ),
        }
        return {name: sentence for name, (fits, sentence) in rules.items() if not fits}


def set_entry(course: Course, wish: Entry, *, by: Actor) -> bool:
    """Say who may enrol from now on; whoever is in stays in. False when nothing changed; raises Invalid."""
    faults = wish.faults()
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    locked = queries.lock_course(course.id)
    values = {
        "entry": wish.entry,
        "entry_domains": list(wish.domains),
        "entry_tag": clean_tags(wish.tag, spellings()) if wish.tag else "",
        "entry_segment_id": wish.segment_id,
    }
    if not audit.update(locked, "courses.set_entry", by=by, **values):
        return False
    locked.version += 1
    locked.updated_at = now()
    emit(CourseEdited(by=by.user_id, course_id=locked.id))
    return True
