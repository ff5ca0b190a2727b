"""Tags and the academy's own fields in plans: as columns of an import, and tags given to and taken from many people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from lms.channels import queries
from lms.channels.models import Field as OwnField
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.plans import Field, Row, State

TAGS = Field("tags", _l("Tags"), ("tag", "labels", "groups"))
LONGEST_TAG = 40
MOST_TAGS = 50


def own_fields() -> list[Field]:
    """The academy's own fields as columns of an import."""
    return [Field(one.name, one.label) for one in queries.fields_here()]


def is_trait(key: str) -> bool:
    """Whether a field of a row is a tag or a field of the academy's own."""
    return key == TAGS.key or key.startswith("x_")


def only_traits(state: Mapping[str, Any]) -> dict[str, str]:
    """What a state says of tags and own fields."""
    return {key: value or "" for key, value in state.items() if is_trait(key)}


def names_in(states: Iterable[Mapping[str, Any] | None]) -> set[str]:
    """The tags and own fields any of the states speaks of."""
    return {key for state in states for key in state or () if is_trait(key)}


def join_traits(people: Mapping[UUID, State], names: set[str]) -> None:
    """Add to the people's states what these tags and fields say now; nothing is "". Up to two queries."""
    if TAGS.key in names:
        tags = queries.tags_of(list(people))
        for user_id, state in people.items():
            state[TAGS.key] = ", ".join(sorted(tags.get(user_id, ()), key=str.lower))
    own = names - {TAGS.key}
    if own:
        values = queries.values_of(list(people))
        for user_id, state in people.items():
            state.update({name: values.get(user_id, {}).get(name, "") for name in own})


def known_tags() -> list[tuple[str, str]]:
    """The tags to choose from."""
    return [(name, name) for _tag_id, name in queries.tag_names()]


def spellings() -> dict[str, str]:
    """How the tags that are borne are written, by their folded form."""
    return {name.casefold(): name for _tag_id, name in queries.tag_names()}


def clean_tags(raw: str, spelt: Mapping[str, str]) -> str:
    """A list of tags in the one form they are kept and compared in; raises Invalid, in words, for what is none."""
    found: dict[str, str] = {}
    for part in raw.replace(";", ",").split(","):
        name = " ".join("".join(letter if letter.isprintable() else " " for letter in part).split())
        if len(name) > LONGEST_TAG:
            sentence = _("A tag has %(most)s letters at most: %(tag)s…", most=LONGEST_TAG, tag=name[:20])
            raise Invalid(sentence, fields={"tag": sentence})
        if name:
            found.setdefault(name.lower(), spelt.get(name.casefold(), name))
    if len(found) > MOST_TAGS:
        raise Invalid(_("A person bears %(most)s tags at most.", most=MOST_TAGS))
    return ", ".join(found[key] for key in sorted(found))


def read_traits(row: Row, fields: Sequence[OwnField], spelt: Mapping[str, str]) -> None:
    """Put what a line says of tags and own fields into the form it is kept in; raises Invalid, in words, for what does not fit."""
    if TAGS.key in row.given:
        row.given[TAGS.key] = clean_tags(row.given[TAGS.key], spelt)
    for one in fields:
        if one.name in row.given:
            row.given[one.name] = one.read(row.given[one.name])
