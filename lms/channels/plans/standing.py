"""Suspending people, letting them in again, giving them another role, tags; one or twenty thousand."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from lms.channels import policies
from lms.channels.plans import crowd, traits
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.plans import Act, Context, Field, Option, Row, State, register


class _Standing(Act):
    """What these acts share: the subject is a member, the wish is a few fields."""

    fields: Sequence[Field] = (crowd.ROLE, crowd.STATUS)
    lists = ("channels.people",)
    back = "/admin/channels/people"
    action = ""

    def allowed(self, by: Actor) -> Decision:
        """Admins."""
        return policies.can_manage_people(by)

    def wanted(self, state: State, context: Context) -> State | str:
        """The fields as they are wanted, or why not."""
        raise NotImplementedError

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Ask the rules for each person."""
        here = self._people(rows)
        for row in rows:
            state = here.get(row.subject_id) if row.subject_id else None
            if state is None or row.subject_id is None or state["status"] == "deleted":
                row.deny(_("This person is not here any more."))
                continue
            row.key = str(row.subject_id)
            row.label = f"{state['name']} · {state['email']}"
            wish = self.wanted(state, context)
            if isinstance(wish, str):
                row.deny(wish)
                continue
            row.settle(state, wish)
            if row.verdict == "changed" and (sentence := crowd.refusal(state, wish, row.subject_id, context.by)):
                row.deny(sentence)

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The people of the rows."""
        here = self._people(rows, lock=lock)
        return {row.number: here[row.subject_id] for row in rows if row.subject_id and row.subject_id in here}

    def _people(self, rows: Sequence[Row], *, lock: bool = False) -> dict[UUID, State]:
        here = crowd.people_now([row.subject_id for row in rows if row.subject_id], lock=lock)
        traits.join_traits(here, {one.key for one in self.fields if traits.is_trait(one.key)})
        return here

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Write what is wanted."""
        crowd.change_people(rows, {row.number: row.after or {} for row in rows}, action=self.action, by=context.by)

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Write what was."""
        crowd.change_people(rows, {row.number: row.before or {} for row in rows}, action=f"{self.action}_undone", by=context.by)


@register
class SuspendPeople(_Standing):
    """They cannot sign in any more; nothing of theirs is lost."""

    name = "channels.suspend_people"
    title = _l("Suspend people")
    action = "channels.suspend"
    icon = "ban"
    tone = "danger"

    def wanted(self, state: State, context: Context) -> State | str:
        """Suspended."""
        return {"status": "suspended"}


@register
class RestorePeople(_Standing):
    """Suspended people may sign in again."""

    name = "channels.restore_people"
    title = _l("Let people in again")
    action = "channels.restore"
    icon = "rotate-ccw"

    def wanted(self, state: State, context: Context) -> State | str:
        """Active where it was suspended; whoever is not suspended stays as they are."""
        return {"status": "active" if state["status"] == "suspended" else state["status"]}


@register
class RemovePeople(_Standing):
    """They are not here any more and lie in the bin; what they did and paid stays."""

    name = "channels.remove_people"
    title = _l("Take out of the academy")
    action = "channels.remove"
    icon = "user-minus"
    tone = "danger"

    def wanted(self, state: State, context: Context) -> State | str:
        """Gone."""
        return {"status": "deleted"}


@register
class ChangeRole(_Standing):
    """Another role for chosen people."""

    name = "channels.change_role"
    title = _l("Change the role")
    action = "channels.change_role"
    icon = "user-cog"
    options = (Option("role", _l("New role"), kind="select", choices=tuple(crowd.ROLES.items()), default="student"),)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """One of the roles."""
        if params.get("role") not in crowd.ROLES:
            raise Invalid(_("Choose one of the roles."), fields={"role": _("Choose one of the roles.")})
        return {"role": params["role"]}

    def wanted(self, state: State, context: Context) -> State | str:
        """The role asked for."""
        return {"role": context.params["role"]}


class _Tagging(_Standing):
    """What giving and taking a tag share."""

    fields = (traits.TAGS,)
    icon = "tag"

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """One tag or several, in the form they are kept in."""
        found = traits.clean_tags(str(params.get("tag") or ""), traits.spellings())
        if not found:
            raise Invalid(_("Write a tag."), fields={"tag": _("Write a tag.")})
        return {"tag": found}

    def names(self, text: str) -> dict[str, str]:
        """Tags by their folded form."""
        return {name.lower(): name for name in text.split(", ") if name}


@register
class AddTag(_Tagging):
    """A tag, or several, for chosen people."""

    name = "channels.add_tag"
    title = _l("Add a tag")
    action = "channels.add_tag"
    options = (Option("tag", _l("Tag"), help=_l("Several with commas. A tag nobody bears yet is made.")),)

    def wanted(self, state: State, context: Context) -> State | str:
        """The tags there are, and these."""
        found = self.names(context.params["tag"]) | self.names(state["tags"])
        if len(found) > traits.MOST_TAGS:
            return _("This person would bear more than %(most)s tags.", most=traits.MOST_TAGS)
        return {"tags": ", ".join(found[key] for key in sorted(found))}


@register
class RemoveTag(_Tagging):
    """A tag, or several, taken from chosen people."""

    name = "channels.remove_tag"
    title = _l("Take a tag away")
    action = "channels.remove_tag"
    options = (Option("tag", _l("Tag"), kind="select", choices=traits.known_tags),)

    def wanted(self, state: State, context: Context) -> State | str:
        """The tags there are, without these."""
        gone = self.names(context.params["tag"])
        return {"tags": ", ".join(name for key, name in sorted(self.names(state["tags"]).items()) if key not in gone)}
