"""Changing tags and fields: what the academy asks for, and what is known of each person; one person or thousands."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from lms.channels import queries
from lms.channels.events import MemberEdited
from lms.channels.models import Field, Member
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel

MOST_FIELDS = 30
TAGS = "tags"

ADD_TAGS = text(
    """
    INSERT INTO channels.tags (channel_id, id, name)
    SELECT :channel, t.id, t.name FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS t (id, name) ON CONFLICT DO NOTHING
    """
)
DROP_TAGS = text(
    """
    DELETE FROM channels.member_tags mt USING channels.tags t
    WHERE mt.channel_id = :channel AND mt.user_id = ANY(CAST(:people AS uuid[])) AND t.channel_id = mt.channel_id AND t.id = mt.tag_id
      AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:users AS uuid[]), CAST(:names AS text[])) AS w (user_id, name)
        WHERE w.user_id = mt.user_id AND lower(w.name) = lower(t.name))
    """
)
GIVE_TAGS = text(
    """
    INSERT INTO channels.member_tags (channel_id, id, user_id, tag_id)
    SELECT :channel, w.id, w.user_id, t.id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:names AS text[])) AS w (id, user_id, name)
    JOIN channels.tags t ON t.channel_id = :channel AND lower(t.name) = lower(w.name)
    ON CONFLICT DO NOTHING
    """
)
FORGET_VALUES = text(
    """
    DELETE FROM channels.field_values v USING unnest(CAST(:users AS uuid[]), CAST(:fields AS uuid[])) AS w (user_id, field_id)
    WHERE v.channel_id = :channel AND v.user_id = w.user_id AND v.field_id = w.field_id
    """
)
KEEP_VALUES = text(
    """
    INSERT INTO channels.field_values (channel_id, id, user_id, field_id, value)
    SELECT :channel, w.id, w.user_id, w.field_id, w.value
    FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:fields AS uuid[]), CAST(:values AS text[]))
        AS w (id, user_id, field_id, value)
    ON CONFLICT (channel_id, user_id, field_id) DO UPDATE SET value = excluded.value
    """
)


def add_field(
    label: str, kind: str, *, choices: Sequence[str] = (), is_required: bool = False, is_private: bool = False, by: Actor
) -> Field:
    """Ask people for one thing more; a label that is in use is refused by name."""
    standing = queries.standing_fields()
    if len([one for one in standing if one.retired_at is None]) >= MOST_FIELDS:
        raise Conflict(_("An academy has %(most)s fields at most. Retire one first.", most=MOST_FIELDS))
    _check_label(label, standing)
    _check_choices(kind, choices)
    made = Field(key=_key_of(label, {one.key for one in standing}), label=label, kind=kind, position=len(standing))
    made.choices, made.is_required, made.is_private = list(choices), is_required, is_private
    db.session().add(made)
    db.session().flush()
    audit.record("channels.add_field", made, by=by, after={"label": label, "kind": kind}, name=label)
    return made


def edit_field(field: Field, values: Mapping[str, Any], *, by: Actor) -> bool:
    """Change what a field is called, its choices, whether newcomers are asked, and who sees it; its kind stays."""
    _check_label(values["label"], [one for one in queries.standing_fields() if one.id != field.id])
    _check_choices(field.kind, values.get("choices", ()))
    return audit.update(field, "channels.edit_field", by=by, **values)


def retire_field(field: Field, *, by: Actor) -> None:
    """Ask for it no longer; what people said is kept. Twice changes nothing."""
    if field.retired_at is None:
        audit.update(field, "channels.retire_field", by=by, retired_at=now())


def restore_field(field: Field, *, by: Actor) -> None:
    """Ask for it again, with everything people said; twice changes nothing."""
    if field.retired_at is not None:
        audit.update(field, "channels.restore_field", by=by, retired_at=None)


def _check_label(label: str, others: Sequence[Field]) -> None:
    if any(one.label.casefold() == label.casefold() for one in others):
        sentence = _("There is a field called %(label)s already; it may be retired.", label=label)
        raise Invalid(sentence, fields={"label": sentence})


def _check_choices(kind: str, choices: Sequence[str]) -> None:
    folded = [one.casefold() for one in choices]
    if kind == "choice" and (len(folded) < 2 or len(set(folded)) != len(folded)):
        sentence = _("Write at least two different choices, one in each line.")
        raise Invalid(sentence, fields={"choices": sentence})


def _key_of(label: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:30] or "field"
    return next(key for key in (base, *(f"{base}_{number}" for number in range(2, 200))) if key not in taken)


def keep_answers(user_id: UUID, answers: Mapping[str, str]) -> None:
    """Keep what a newcomer answered when registering; what was said before stays."""
    member = queries.get_member(user_id)
    stood = queries.values_of([user_id]).get(user_id, {})
    said = {name: value for name, value in answers.items() if not stood.get(name)}
    set_traits(member, said, by=Actor(user_id=user_id, name=member.name))


def set_traits(member: Member, wanted: Mapping[str, str], *, by: Actor) -> bool:
    """Say what a person's fields say (by the fields' names, in stored form); false when nothing changed."""
    stood = queries.values_of([member.id]).get(member.id, {})
    changed = {name: value for name, value in wanted.items() if stood.get(name, "") != value}
    if not changed:
        return False
    write_traits({member.id: changed})
    audit.record("channels.edit_fields", member, by=by, before={name: stood.get(name, "") for name in changed}, after=changed)
    emit(MemberEdited(user_id=member.id, by=by.user_id))
    return True


def give_tag(user_id: UUID, tag: str, *, by: Actor) -> bool:
    """Mark a person with one tag more; false when they bear it already."""
    stood = queries.tags_of([user_id]).get(user_id, [])
    if any(name.casefold() == tag.casefold() for name in stood):
        return False
    before, after = (", ".join(sorted(names, key=str.lower)) for names in (stood, [*stood, tag]))
    write_traits({user_id: {TAGS: after}})
    audit.record("channels.add_tag", queries.get_member(user_id), by=by, before={TAGS: before}, after={TAGS: after})
    emit(MemberEdited(user_id=user_id, by=by.user_id))
    return True


def write_traits(wanted: Mapping[UUID, Mapping[str, str]]) -> None:
    """Write tags (`tags`: all of a person's, with commas) and values of fields (by name; "" forgets) of many people; no audit here."""
    _write_tags({user_id: one[TAGS] for user_id, one in wanted.items() if TAGS in one})
    _write_values(wanted)


def _write_tags(wanted: Mapping[UUID, str]) -> None:
    if not wanted:
        return
    pairs = [(user_id, name) for user_id, names in wanted.items() for name in names.split(", ") if name]
    distinct = list(dict.fromkeys(name for _user_id, name in pairs))
    users, names = [user_id for user_id, _name in pairs], [name for _user_id, name in pairs]
    here = {"channel": current_channel()}
    session = db.session()
    session.flush()
    session.execute(ADD_TAGS, here | {"ids": [uuid7() for _name in distinct], "names": distinct})
    session.execute(DROP_TAGS, here | {"people": list(wanted), "users": users, "names": names})
    session.execute(GIVE_TAGS, here | {"ids": [uuid7() for _pair in pairs], "users": users, "names": names})


def _write_values(wanted: Mapping[UUID, Mapping[str, str]]) -> None:
    if not any(name != TAGS for one in wanted.values() for name in one):
        return
    ids = {f"x_{key}": field_id for key, field_id in db.session().execute(select(Field.key, Field.id))}
    said = [(user_id, ids[name], value) for user_id, one in wanted.items() for name, value in one.items() if name in ids]
    kept, gone = [one for one in said if one[2]], [one for one in said if not one[2]]
    here = {"channel": current_channel()}
    if gone:
        db.session().execute(FORGET_VALUES, here | {"users": [one[0] for one in gone], "fields": [one[1] for one in gone]})
    if kept:
        columns = {"users": [one[0] for one in kept], "fields": [one[1] for one in kept], "values": [one[2] for one in kept]}
        db.session().execute(KEEP_VALUES, here | columns | {"ids": [uuid7() for _one in kept]})
