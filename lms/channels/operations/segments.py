"""Making and changing segments."""

from collections.abc import Mapping

from lms.channels import queries
from lms.channels.models import Segment
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.segments import Condition, every_condition


def add_segment(name: str, conditions: Mapping[str, str], *, by: Actor) -> Segment:
    """A new segment of those who fit all the conditions; a name in use is refused."""
    kept = _read(name, conditions, None)
    made = Segment(name=name, conditions=kept, created_by=by.user_id)
    db.session().add(made)
    db.session().flush()
    audit.record("channels.add_segment", made, by=by, after={"name": name, **_said(made)})
    return made


def edit_segment(segment: Segment, name: str, conditions: Mapping[str, str], *, by: Actor) -> bool:
    """Ask for something else; false when nothing changed."""
    kept = _read(name, conditions, segment)
    if name == segment.name and kept == segment.conditions:
        return False
    before = {"name": segment.name, **_said(segment)}
    segment.name, segment.conditions = name, kept
    audit.record("channels.edit_segment", segment, by=by, before=before, after={"name": name, **_said(segment)})
    return True


def retire_segment(segment: Segment, *, by: Actor) -> None:
    """Put a segment away; it touches nobody, and can be brought back. Twice changes nothing."""
    if segment.retired_at is None:
        audit.update(segment, "channels.retire_segment", by=by, retired_at=now())


def restore_segment(segment: Segment, *, by: Actor) -> None:
    """Bring a segment back; twice changes nothing."""
    if segment.retired_at is not None:
        audit.update(segment, "channels.restore_segment", by=by, retired_at=None)


def _said(segment: Segment) -> dict[str, str]:
    return {"asks": "; ".join(queries.segment_words(segment))}


def _read(name: str, conditions: Mapping[str, str], mine: Segment | None) -> dict[str, str]:
    """The conditions in the form they are kept, in a fixed order; raises Invalid, in words."""
    if any(one.name.casefold() == name.casefold() and one is not mine for one in queries.segments_here(retired=True)):
        sentence = _("There is a segment called %(name)s already; it may be put away.", name=name)
        raise Invalid(sentence, fields={"name": sentence})
    known = every_condition()
    if unknown := next((key for key in conditions if key not in known), ""):
        raise Invalid(_("There is no condition called %(name)s.", name=unknown[:40]), fields={"conditions": unknown[:40]})
    kept = {key: _read_one(one, conditions[key]) for key, one in known.items() if conditions.get(key, "").strip()}
    if not kept:
        raise Invalid(
            _("Ask for at least one thing, otherwise everybody fits."), fields={"name": _("Fill in at least one condition below.")}
        )
    return kept


def _read_one(condition: Condition, raw: str) -> str:
    """The value of one condition; a refusal names it."""
    try:
        return condition.read(raw)
    except Invalid as refusal:
        raise Invalid(refusal.sentence, fields={condition.key: refusal.sentence}) from refusal
