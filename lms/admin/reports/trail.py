"""The list of everything that was done: who, what, on what, and what changed, in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Numeric, Select, Text, and_, case, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from lms.channels.models import Channel
from lms.channels.queries import find_member, members_with_role
from lms.core import db, deeds
from lms.core.decisions import Actor
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import AuditRow
from lms.core.money import digits
from lms.core.reports import Choice, Column, Only, Period, Report

ACTOR_KINDS = (("person", _l("Page")), ("api", _l("API")), ("job", _l("Job")), ("command", _l("Command")))
SHOWN = 300
CLOCK = "FMDD Mon YYYY, HH24:MI"  # as the pages write a moment, by the clock of the academy
OTHER_DIGITS = {code: digits(code) for code in ("JPY", "KRW", "VND", "CLP", "KWD", "BHD", "TND", "JOD", "OMR", "IQD", "LYD")}


@dataclass(frozen=True, slots=True)
class Somebody(Choice):
    """A filter by a person: those who work here to choose from, anybody by the address of a link."""

    def read(self, raw: str) -> str:
        """The id of somebody; raises Invalid for what is no id."""
        try:
            return str(UUID(raw))
        except ValueError as error:
            raise Invalid(_("%(filter)s has no value %(value)s.", filter=self.label, value=raw)) from error

    def words(self, raw: str) -> str:
        """Their name."""
        member = find_member(UUID(raw))
        return member.name if member is not None else raw


def _name_of(row_id: UUID) -> str:
    """What the thing was called when something was done to it last."""
    newest = select(AuditRow.target_name).where(AuditRow.target_id == row_id, AuditRow.target_name != "").order_by(AuditRow.at.desc())
    return db.session().scalar(newest.limit(1)) or str(row_id)


def staff() -> list[tuple[str, str]]:
    """Those who work here, by name."""
    return [(str(one.id), one.name) for one in members_with_role("instructor", "admin", "owner")]


def modules() -> list[tuple[str, str]]:
    """The parts of the product, by name."""
    return sorted(((name, str(one.title)) for name, one in deeds.every_module().items()), key=lambda pair: pair[1])


def acts() -> list[tuple[str, str]]:
    """Every act in words."""
    found = [(action, begun(str(deed.words))) for one in deeds.every_module().values() for action, deed in one.acts.items()]
    return sorted(found, key=lambda pair: pair[1])


def begun(words: str) -> str:
    """Words as they stand alone: the first letter large."""
    return words[:1].upper() + words[1:]


def _of_module(raw: str) -> Any:
    return AuditRow.action.in_(list(deeds.every_module()[raw].acts))


class Audit(Report):
    """Who did what to what, newest first."""

    name = "admin.audit"
    path = "/admin/audit"
    title = _l("Audit log")
    lead = _l("Every change, by whom and when. Nothing here can be edited; the chain of hashes shows it.")
    key = AuditRow.id
    href = "/admin/audit/{id}"
    sort = "-at"
    empty = ("scroll-text", _l("Nothing has happened yet"), "")
    columns: Sequence[Column] = (
        Column("what", _l("What"), AuditRow.action, sortable=False, nullable=False),
        Column("at", _l("When"), AuditRow.at, kind="time"),
        Column("actor_name", _l("Who"), AuditRow.actor_name),
        Column("target_name", _l("On what"), AuditRow.target_name, sortable=False, nullable=False, href="{link}"),
        Column("changes", _l("What changed"), AuditRow.action, sortable=False, nullable=False),
        Column("kind", _l("Kind"), AuditRow.target_kind, sortable=False, shown=False, nullable=False),
        Column("actor_kind", _l("By means of"), AuditRow.actor_kind, shown=False),
        Column("action", _l("Name of the act"), AuditRow.action, shown=False),
        Column("request_id", _l("Request"), AuditRow.request_id, shown=False),
        Column("link", _l("Address"), AuditRow.action, sortable=False, shown=False, nullable=False),
    )  # those in words get their values when every module has named its acts
    filters = (
        Somebody("who", _l("Who"), AuditRow.actor_id, options=staff),
        Choice("module", _l("Part"), _of_module, options=modules),
        Choice("what", _l("What"), AuditRow.action, options=acts),
        Period("at", _l("When"), AuditRow.at),
        Choice("by", _l("By means of"), AuditRow.actor_kind, options=ACTOR_KINDS),
        Only("target", _l("On what"), AuditRow.target_id, _name_of),
    )
    search = (AuditRow.actor_name, AuditRow.target_name, AuditRow.action)

    def __init__(self) -> None:
        spoken = deeds.every_module().values()
        said = {action: begun(str(deed.words)) for one in spoken for action, deed in one.acts.items()}
        kinds = {f"{one.module}.{kind}": str(thing.words) for one in spoken for kind, thing in one.things.items()}
        hrefs = {f"{one.module}.{kind}": thing.href for one in spoken for kind, thing in one.things.items() if thing.href}
        kind = func.concat(_module(), ".", AuditRow.target_kind)
        link = func.replace(known(hrefs, kind, ""), "{id}", func.coalesce(cast(AuditRow.target_id, Text), ""))
        thing = known(kinds, kind, AuditRow.target_kind)
        words = {
            "what": known(said, AuditRow.action, AuditRow.action),
            "target_name": func.coalesce(func.nullif(AuditRow.target_name, ""), thing),
            "changes": _changes(),
            "kind": thing,
            "link": link,
        }
        self.columns = [replace(one, value=words.get(one.key, one.value)) for one in type(self).columns]

    def query(self, by: Actor) -> Select[Any]:
        """Every audit row of the channel."""
        return select(AuditRow)


def _module() -> Any:
    return func.split_part(AuditRow.action, ".", 1)


def known(words: Mapping[str, str], key: Any, otherwise: Any) -> Any:
    """What a key is called, read from the words sent along; one value of the statement, whatever their number."""
    sent = cast(literal(json.dumps(words, ensure_ascii=False), Text()), JSONB)
    return func.coalesce(sent.op("->>", return_type=Text())(key), otherwise)


def _changes() -> Any:
    """What changed in one line: `Price: 10.00 → 12.00; Level: Any → Beginner`, of the fields that mean something to people."""
    spoken = deeds.every_module().values()
    named = [(f"{one.module}.{key}", label) for one in spoken for key, label in one.fields.items()]
    values = {f"{key}={value}": str(word) for key, label in named for value, word in label.values.items()}
    labels = {key: str(label.words) for key, label in named}
    kinds = {key: label.kind for key, label in named if label.kind != "text"}
    after = case((func.jsonb_typeof(AuditRow.after) == "object", AuditRow.after), else_=cast(literal("{}", Text()), JSONB))
    new = func.jsonb_each_text(after).table_valued(column("key", Text), column("value", Text)).alias("new")
    name = func.concat(_module(), ".", new.c.key)
    kind = known(kinds, name, "text")
    zone = select(Channel.zone).where(Channel.id == AuditRow.channel_id).correlate(AuditRow).scalar_subquery()
    channels = select(Channel.currency).where(Channel.id == AuditRow.channel_id).correlate(AuditRow).scalar_subquery()
    currency = func.coalesce(AuditRow.after.op("->>", return_type=Text())("currency"), channels)
    places = cast(known({code: str(count) for code, count in OTHER_DIGITS.items()}, currency, "2"), Integer)

    def said(value: Any) -> Any:
        amount = cast(func.round(cast(value, Numeric) / func.power(cast(10, Numeric), places), places), Text)
        words = func.coalesce(known(values, func.concat(name, "=", value), value), "")
        plain = case(
            (and_(kind == "money", value.regexp_match("^-?[0-9]{1,15}$")), amount),
            (
                and_(kind == "time", value.regexp_match("^[0-9]{4}-[0-9]{2}-[0-9]{2}T")),
                func.to_char(func.timezone(zone, cast(value, DateTime(timezone=True))), CLOCK),
            ),
            (value == "true", _("yes")),
            (value == "false", _("no")),
            (value.regexp_match('^\\[(".*")?\\]$'), func.left(func.regexp_replace(func.btrim(value, '[]"'), '", *"', ", ", "g"), 60)),
            else_=func.left(words, 60),
        )
        return func.coalesce(func.nullif(plain, ""), "–")

    before = AuditRow.before.op("->>", return_type=Text())(new.c.key)
    arrow = case((AuditRow.before.has_key(new.c.key), func.concat(said(before), " → ")), else_="")
    line = func.concat(known(labels, name, ""), ": ", arrow, said(new.c.value))
    wanted = and_(known(labels, name, "") != "", kind.in_(("text", "money", "time", "bool")))
    whole = select(func.string_agg(line, "; ")).select_from(new).where(wanted).correlate(AuditRow).scalar_subquery()
    return func.coalesce(func.left(whole, SHOWN), "")
