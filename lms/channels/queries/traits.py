"""Tags, and the fields this academy asks its people for."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from lms.channels.models import Field, FieldValue, MemberTag, Tag
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.settled import Settled, SettledObjects

_ORDER = (Field.position, Field.id)
_IN_USE = SettledObjects(lambda: select(Field.id).where(Field.retired_at.is_(None)).order_by(*_ORDER), Field)
_BORNE = Settled(
    lambda: (
        select(Tag.id, Tag.name)
        .where(select(MemberTag.id).where(MemberTag.tag_id == Tag.id).correlate(Tag).exists())
        .order_by(func.lower(Tag.name))
    )
)


def known_fields() -> list[Field]:
    """Every field in use, in order, for pages that only read them: they belong to no session."""
    return [found for (found,) in _IN_USE.rows()]


def fields_here() -> Sequence[Field]:
    """Every field of the academy that is in use, in order."""
    return [one for one in standing_fields() if one.retired_at is None]


def standing_fields() -> Sequence[Field]:
    """Every field, retired ones too, in order."""
    return db.session().scalars(select(Field).order_by(*_ORDER)).all()


def unanswered(user_id: UUID) -> Sequence[Field]:
    """The fields everybody must fill in of which this person has said nothing, in order."""
    said = select(FieldValue.id).where(FieldValue.field_id == Field.id, FieldValue.user_id == user_id).correlate(Field)
    query = select(Field).where(Field.is_required, Field.retired_at.is_(None), ~said.exists())
    return db.session().scalars(query.order_by(*_ORDER)).all()


def lacks_answers(user_id: UUID) -> bool:
    """Whether this person is still to be asked something."""
    return bool(unanswered(user_id))


def get_field(field_id: UUID) -> Field:
    """One field of this academy."""
    found = db.session().get(Field, field_id)
    if found is None:
        raise NotFound(_("There is no such field here."))
    return found


def tag_names() -> Sequence[tuple[UUID, str]]:
    """The tags somebody bears, by name."""
    return [(row.id, row.name) for row in _BORNE.rows()]


def tags_of(user_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The tags of people by name; those without any are absent. One query."""
    found: dict[UUID, list[str]] = {}
    query = select(MemberTag.user_id, Tag.name).join(Tag, Tag.id == MemberTag.tag_id).where(MemberTag.user_id.in_(user_ids))
    for user_id, name in db.session().execute(query.order_by(func.lower(Tag.name))) if user_ids else ():
        found.setdefault(user_id, []).append(name)
    return found


def values_of(user_ids: Sequence[UUID]) -> dict[UUID, dict[str, str]]:
    """What the fields in use say of people: person → {name of the field: value}; nothing is absent. One query."""
    found: dict[UUID, dict[str, str]] = {}
    query = select(FieldValue.user_id, Field.key, FieldValue.value).join(Field, Field.id == FieldValue.field_id)
    query = query.where(FieldValue.user_id.in_(user_ids), Field.retired_at.is_(None))
    for user_id, key, value in db.session().execute(query) if user_ids else ():
        found.setdefault(user_id, {})[f"x_{key}"] = value
    return found
