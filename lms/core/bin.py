"""The recycle bin: what was deleted stays for thirty days, with who and when, and comes back by one click.

A module's operations put what they delete here, in the same transaction, and take it out again when they restore it. What each
kind of thing is called, how it comes back and how it goes for good, the module registers as a `Kind`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor, Decision, admins
from lms.core.errors import Conflict, NotFound
from lms.core.i18n import Lazy
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.models import BinRow
from lms.core.tenancy import current_channel

DAYS = 30
PUT = text(
    """
    INSERT INTO core.bin (channel_id, id, kind, target_id, title, kept, deleted_at, deleted_by, deleted_by_name)
    SELECT :channel, b.id, :kind, b.target, b.title, coalesce(b.kept, '{}'), :at, :by, :name
    FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS b (id uuid, target uuid, title text, kept jsonb)
    ON CONFLICT (channel_id, kind, target_id) WHERE ended_at IS NULL DO NOTHING
    """
)
TAKE_OUT = text(
    """
    UPDATE core.bin SET ended_at = :at, ended_by = :by, outcome = 'restored'
    WHERE channel_id = :channel AND kind = :kind AND target_id = ANY(CAST(:ids AS uuid[])) AND ended_at IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that can lie in the bin.

    `restore` brings it back and raises a refusal in words when it cannot; `purge` deletes it for good, or `empty`s it of what it
    said when other records point at it; `table` is asked for what hangs on it.
    """

    name: str
    words: str | Lazy
    icon: str
    table: str
    restore: Callable[[BinRow, Actor], Any]
    purge: Callable[[BinRow, Actor], Any]
    empty: Callable[[BinRow, Actor], Any] | None = None
    may: Callable[[Actor, BinRow], Decision] = lambda by, _row: admins(by)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Let things of this kind lie in the bin."""
    _kinds[kind.name] = kind
    return kind


def every_kind() -> dict[str, Kind]:
    """Every kind by name."""
    return dict(sorted(_kinds.items()))


def put(kind: str, target_id: UUID, title: str, *, by: Actor, kept: Mapping[str, Any] | None = None) -> None:
    """Note that something was deleted; `kept` is what is needed to bring it back. Noting it twice changes nothing."""
    put_many(kind, [(target_id, title, kept)], by=by)


def put_many(kind: str, entries: Sequence[tuple[UUID, str, Mapping[str, Any] | None]], *, by: Actor) -> None:
    """Note that many things were deleted, in one statement."""
    if not entries:
        return
    said = [{"id": str(uuid7()), "target": str(one), "title": title, "kept": kept} for one, title, kept in entries]
    values = {"channel": current_channel(), "kind": kind, "at": now(), "by": by.user_id, "name": by.name}
    db.session().execute(PUT, {**values, "entries": json.dumps(said, ensure_ascii=False)})


def take_out(kind: str, ids: Sequence[UUID], *, by: Actor) -> None:
    """Note that things are back; those that do not lie in the bin are passed over."""
    if ids:
        db.session().execute(TAKE_OUT, {"channel": current_channel(), "kind": kind, "ids": list(ids), "at": now(), "by": by.user_id})


def expect_kept(kind: str, target_id: UUID) -> None:
    """Raise Conflict for what was deleted for good; restoring operations ask first."""
    gone = select(BinRow.id).where(BinRow.kind == kind, BinRow.target_id == target_id, BinRow.outcome == "purged")
    if db.session().scalar(gone.limit(1)) is not None:
        raise Conflict(_("This was deleted for good and cannot be brought back."), rule="purged")


def kept_of(kind: str, target_id: UUID) -> dict[str, Any] | None:
    """What was kept to bring a thing back; None when it does not lie in the bin."""
    lying = select(BinRow.kept).where(BinRow.kind == kind, BinRow.target_id == target_id, BinRow.ended_at.is_(None))
    return db.session().scalar(lying)


def get_row(row_id: UUID) -> BinRow:
    """One thing in the bin, or one that lay there."""
    found = db.session().scalar(select(BinRow).where(BinRow.id == row_id))
    if found is None or found.kind not in _kinds:
        raise NotFound(_("There is nothing like this in the bin."))
    return found


def lying(kind: str, target_id: UUID) -> BinRow:
    """The newest entry of a thing that lies in the bin, or lay there; raises NotFound when it never did."""
    newest = select(BinRow).where(BinRow.kind == kind, BinRow.target_id == target_id).order_by(BinRow.deleted_at.desc())
    found = db.session().scalars(newest.limit(1)).one_or_none()
    if found is None:
        raise NotFound(_("There is nothing like this in the bin."))
    return found


def kind_of(row: BinRow) -> Kind:
    """What kind of thing it is."""
    return _kinds[row.kind]


def restore(row: BinRow, *, by: Actor) -> None:
    """Bring something back by its module's operation; twice changes nothing. Raises a refusal when something stands in its way."""
    if row.outcome == "purged":
        raise Conflict(_("This was deleted for good and cannot be brought back."), rule="purged")
    if row.ended_at is None:
        kind_of(row).restore(row, by)
        take_out(row.kind, [row.target_id], by=by)


def purge(row: BinRow, *, by: Actor) -> bool:
    """Delete something for good; false when other records point at it, so that its emptied row stays behind them. Twice does it once."""
    if row.ended_at is not None:
        return True
    row.ended_at, row.ended_by, row.outcome = now(), by.user_id, "purged"
    audit.record("bin.purge", row, by=by, name=row.title, after={"kind": row.kind})
    db.session().flush()
    try:
        with db.session().begin_nested():
            kind_of(row).purge(row, by)
            db.session().flush()
    except IntegrityError:
        empty = kind_of(row).empty
        if empty is not None:
            empty(row, by)
        return False
    return True


def due(moment: datetime, most: int = 200) -> Sequence[BinRow]:
    """What has lain in the bin for its thirty days."""
    old = select(BinRow).where(BinRow.ended_at.is_(None), BinRow.deleted_at < moment - timedelta(days=DAYS))
    return db.session().scalars(old.order_by(BinRow.deleted_at).limit(most)).all()
