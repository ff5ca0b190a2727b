"""Bulk acts on vouchers: chosen codes void, chosen batches valid for longer or in other hands."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from lms.channels.models import Member
from lms.channels.queries import members_with_role, this_channel
from lms.core import audit, db, plans
from lms.core.audit import Entry
from lms.core.clock import now, zone
from lms.core.decisions import Actor, Decision
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import Plan
from lms.core.plans import Act, Context, Field, Option, Row, State, register
from lms.core.tenancy import current_channel
from lms.vouchers import policies
from lms.vouchers.events import VouchersVoided
from lms.vouchers.models import OPEN_STATES, Batch, Code

STATES = {
    "created": _l("Created"),
    "sent": _l("Sent"),
    "printed": _l("Printed"),
    "redeemed": _l("Redeemed"),
    "expired": _l("Expired"),
    "void": _l("Void"),
}
CODE = text(
    """
    WITH wanted AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:times AS timestamptz[]),
        CAST(:people AS uuid[])) AS w (id, state, at, person)),
    changed AS (
        UPDATE vouchers.codes c SET state = w.state, state_at = w.at, state_by = w.person FROM wanted w
        WHERE c.channel_id = :channel AND c.id = w.id RETURNING c.id, c.batch_id, c.state)
    INSERT INTO vouchers.steps (channel_id, id, batch_id, code_id, state, at, actor_id, actor_name, note)
    SELECT :channel, gen_random_uuid(), batch_id, id, state, :at, :by, :name, :note FROM changed
    """
)
VOIDED_AT_ONCE = 500
EXPIRY = text(
    "UPDATE vouchers.codes SET expires_at = :expires WHERE channel_id = :channel AND batch_id = :batch"
    " AND state IN ('created', 'sent', 'printed') AND expires_at IS NOT DISTINCT FROM :stood"
)


class _Vouchers(Act):
    """What the acts share."""

    back = "/admin/vouchers/batches"

    def allowed(self, by: Actor) -> Decision:
        """Vouchers are money: those who run the channel."""
        return policies.can_manage(by)


@register
class VoidCodes(_Vouchers):
    """Chosen codes are worth nothing any more; used ones stay as they were used."""

    name = "vouchers.void_codes"
    title = _l("Void codes")
    lists = ("vouchers.codes",)
    icon = "ban"
    tone = "danger"
    fields = (Field("state", _l("State"), words=STATES),)
    options = (Option("reason", _l("Reason"), help=_l("It stands in the trail of every code.")),)

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A reason."""
        reason = str(params.get("reason") or "").strip()
        if not reason:
            raise Invalid(
                _("Say why, so that the trail explains itself."), fields={"reason": _("Say why, so that the trail explains itself.")}
            )
        return {"reason": reason[:500]}

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Open codes become void; void ones are so already; used and expired ones are refused."""
        there = _codes(rows)
        labels = _labels({batch_id for _state, batch_id, _last4 in there.values()})
        for row in rows:
            if row.subject_id not in there or row.subject_id is None:
                row.deny(_("This code is not there any more."))
                continue
            state, batch_id, last4 = there[row.subject_id]
            row.key, row.label = str(row.subject_id), f"····{last4} · {labels[batch_id][0]}"
            if labels[batch_id][1]:
                row.deny(_("This is a gift somebody paid for. Its giver or an admin can take it back."))
                continue
            if state["state"] in OPEN_STATES and not state["uses"]:
                row.verdict, row.before, row.after = "changed", state, {"state": "void", "uses": 0}
            elif state["state"] == "void":
                row.settle(state, {"state": "void"})
            else:
                row.deny(
                    _(
                        "This code is %(state)s already and stays so.",
                        state=str(STATES[state["state"]]).lower() if not state["uses"] else _("used"),
                    )
                )

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The codes of the rows."""
        there = _codes(rows, lock=lock)
        return {row.number: there[row.subject_id][0] for row in rows if row.subject_id and row.subject_id in there}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Void them, each with a step of its trail."""
        states = [{"state": "void", "state_at": now().isoformat(), "state_by": str(context.by.user_id)} for _row in rows]
        _write(rows, states, "vouchers.void", context.params["reason"], context.by)
        there = _codes(rows)
        counts: dict[UUID, int] = {}
        for _state, batch_id, _last4 in there.values():
            counts[batch_id] = counts.get(batch_id, 0) + 1
        for batch_id, count in counts.items():
            emit(VouchersVoided(by=context.by.user_id, batch_id=batch_id, count=count))

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Make them worth what they were; their trail keeps both steps."""
        _write(rows, [row.before or {} for row in rows], "vouchers.void_undone", _("Taken back"), context.by)


def void_with_a_way_back(batch: Batch, chosen: Sequence[UUID] | None, *, reason: str, by: Actor) -> Plan | None:
    """Void the open codes of a batch (or those named) as a plan that can be taken back; None, and nothing is done, when they are
    more than fit one request, or when some were used in part."""
    wanted = select(Code.id, Code.uses).where(Code.batch_id == batch.id, Code.state.in_(OPEN_STATES))
    if chosen is not None:
        wanted = wanted.where(Code.id.in_(chosen))
    found = db.session().execute(wanted.limit(VOIDED_AT_ONCE + 1)).all()
    if not found or len(found) > VOIDED_AT_ONCE or any(code.uses for code in found):
        return None
    plan = plans.make_from_ids(VoidCodes.name, [code.id for code in found], by=by, params={"reason": reason})
    plans.apply(plan, by=by)
    return plan


def _codes(rows: Sequence[Row], *, lock: bool = False) -> dict[UUID, tuple[State, UUID, str]]:
    wanted = select(Code.id, Code.state, Code.state_at, Code.state_by, Code.uses, Code.batch_id, Code.last4)
    wanted = wanted.where(Code.id.in_([row.subject_id for row in rows if row.subject_id])).order_by(Code.id)
    found = db.session().execute(wanted.with_for_update() if lock else wanted)
    return {
        code.id: (
            {
                "state": code.state,
                "state_at": code.state_at.isoformat(),
                "state_by": str(code.state_by) if code.state_by else None,
                "uses": code.uses,
            },
            code.batch_id,
            code.last4,
        )
        for code in found
    }


def _labels(batch_ids: set[UUID]) -> dict[UUID, tuple[str, bool]]:
    """What batches are called, and whether they are gifts."""
    rows = db.session().execute(select(Batch.id, Batch.label, Batch.is_gift).where(Batch.id.in_(batch_ids)))
    return {row.id: (row.label, row.is_gift) for row in rows}


def _write(rows: Sequence[Row], states: Sequence[State], action: str, note: str, by: Actor) -> None:
    db.session().execute(
        CODE,
        {
            "channel": current_channel(),
            "ids": [row.subject_id for row in rows],
            "states": [state["state"] for state in states],
            "times": [datetime.fromisoformat(state["state_at"]) for state in states],
            "people": [UUID(state["state_by"]) if state["state_by"] and state["state_by"] != "None" else None for state in states],
            "at": now(),
            "by": by.user_id,
            "name": by.name,
            "note": note,
        },
    )
    entries = [
        Entry(row.subject_id, row.label, {"state": (row.before or {})["state"]}, {"state": state["state"], "reason": note})
        for row, state in zip(rows, states, strict=True)
        if row.subject_id
    ]
    audit.record_many(action, "codes", entries, by=by)


class _Batches(_Vouchers):
    """Acts on whole batches, of which there are few: one after the other."""

    lists = ("vouchers.batches",)

    def wanted(self, batch: Batch, context: Context) -> State | str:
        """The fields as they are wanted, or why not."""
        raise NotImplementedError

    def plan(self, rows: Sequence[Row], context: Context) -> None:
        """Ask for each batch."""
        there = _batches(rows)
        for row in rows:
            batch = there.get(row.subject_id) if row.subject_id else None
            if batch is None:
                row.deny(_("This batch is not there any more."))
                continue
            row.key, row.label = str(batch.id), batch.label
            wish = self.wanted(batch, context)
            if isinstance(wish, str):
                row.deny(wish)
            else:
                row.settle(_state(batch), wish)

    def current(self, rows: Sequence[Row], *, lock: bool) -> Mapping[int, State]:
        """The batches of the rows."""
        there = _batches(rows, lock=lock)
        return {row.number: _state(there[row.subject_id]) for row in rows if row.subject_id and row.subject_id in there}

    def apply(self, rows: Sequence[Row], context: Context) -> None:
        """Write what is wanted."""
        there = _batches(rows)
        for row in rows:
            _change(there[row.subject_id or UUID(int=0)], row.after or {}, context.by)

    def undo(self, rows: Sequence[Row], context: Context) -> None:
        """Write what was."""
        there = _batches(rows)
        for row in rows:
            _change(there[row.subject_id or UUID(int=0)], row.before or {}, context.by)


def _batches(rows: Sequence[Row], *, lock: bool = False) -> dict[UUID, Batch]:
    wanted = select(Batch).where(Batch.id.in_([row.subject_id for row in rows if row.subject_id])).order_by(Batch.id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return {batch.id: batch for batch in db.session().scalars(wanted)}


def _state(batch: Batch) -> State:
    owner = db.session().get(Member, batch.owner_id) if batch.owner_id else None
    return {
        "expires_at": batch.expires_at.isoformat() if batch.expires_at else None,
        "expires": batch.expires_at.astimezone(zone(this_channel().zone)).strftime("%Y-%m-%d %H:%M") if batch.expires_at else "",
        "owner_id": str(batch.owner_id) if batch.owner_id else None,
        "owner": owner.name if owner else "",
    }


def _change(batch: Batch, values: State, by: Actor) -> None:
    if "expires_at" in values:
        stood = batch.expires_at
        expires = datetime.fromisoformat(values["expires_at"]) if values["expires_at"] else None
        db.session().execute(EXPIRY, {"channel": batch.channel_id, "batch": batch.id, "expires": expires, "stood": stood})
        changed = audit.update(batch, "vouchers.extend", by=by, expires_at=expires)
    else:
        changed = audit.update(batch, "vouchers.move", by=by, owner_id=UUID(values["owner_id"]) if values["owner_id"] else None)
    batch.version += changed


@register
class ExtendBatches(_Batches):
    """Chosen batches, and their codes that nobody used yet, are valid until another day."""

    name = "vouchers.extend_batches"
    title = _l("Valid until another day")
    icon = "calendar-clock"
    fields = (Field("expires", _l("Valid until")),)
    options = (
        Option(
            "day",
            _l("Last day"),
            kind="date",
            help=_l("Codes that nobody used yet count until the end of this day, in the academy's zone."),
        ),
    )

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """A day that lies ahead."""
        sentence = _("Choose a day that lies ahead.")
        try:
            day = date.fromisoformat(str(params.get("day", "")))
        except ValueError as error:
            raise Invalid(sentence, fields={"day": sentence}) from error
        if not now().date() <= day <= now().date() + timedelta(days=3660):
            raise Invalid(sentence, fields={"day": sentence})
        return {"day": day.isoformat()}

    def wanted(self, batch: Batch, context: Context) -> State | str:
        """The end of the day; a batch that is over stays so."""
        if batch.expires_at is not None and batch.expires_at <= now():
            return _("This batch has expired. Make a new one: its codes may have been thrown away.")
        day = date.fromisoformat(context.params["day"])
        moment = datetime.combine(day + timedelta(days=1), time(), zone(this_channel().zone))
        if batch.starts_at is not None and moment <= batch.starts_at:
            return _("This batch begins later than that.")
        if batch.expires_at == moment:
            return {"expires_at": _state(batch)["expires_at"]}
        told = moment.strftime("%Y-%m-%d %H:%M")
        return {"expires_at": moment.astimezone(now().tzinfo).isoformat(), "expires": told}


@register
class MoveBatches(_Batches):
    """Somebody else answers for chosen batches."""

    name = "vouchers.move_batches"
    title = _l("Give to another owner")
    icon = "user-cog"
    fields = (Field("owner", _l("Owner")),)
    options = (
        Option(
            "owner",
            _l("New owner"),
            kind="select",
            choices=lambda: [(str(member.id), member.name) for member in members_with_role("instructor", "admin", "owner")],
        ),
    )

    def check(self, params: dict[str, Any], by: Actor) -> dict[str, Any]:
        """Somebody who works here."""
        if params.get("owner") not in {str(member.id) for member in members_with_role("instructor", "admin", "owner")}:
            raise Invalid(_("Choose somebody who works here."), fields={"owner": _("Choose somebody who works here.")})
        return {"owner": params["owner"]}

    def wanted(self, batch: Batch, context: Context) -> State | str:
        """The owner asked for."""
        member = db.session().get(Member, UUID(context.params["owner"]))
        return {"owner_id": context.params["owner"], "owner": member.name if member else ""}
