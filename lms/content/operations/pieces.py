"""The pieces of videos: planned, taken by workers (short videos first), noted, done.

A ticket is one job in the queue, not bound to a piece: it takes whichever is due when a worker is free. A channel has only so many
tickets at a time, so that the queue takes turns between channels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CursorResult, func, select, text, update

from lms.content.models import Asset, Piece
from lms.core import db
from lms.core.clock import now

SOUND_SHARE = 0.05  # of the work that as many seconds of pictures are
MOST_TRIES = 3
START, END = 15, 95  # percent of the whole that the pieces are


class Plan(NamedTuple):
    """One piece to make: `pictures` or `sound`, out of which stored file, from which second, how many."""

    kind: str
    source_key: str
    starts_at: float
    seconds: float


def plan_pieces(asset: Asset, plans: Sequence[Plan]) -> None:
    """Write down the pieces of a run."""
    for number, plan in enumerate(plans):
        db.session().add(Piece(asset_id=asset.id, run=asset.run, number=number, **plan._asdict()))
    db.session().flush()


TAKE = text(
    """
    UPDATE content.pieces SET state = 'running', ticket = :ticket, taken_at = clock_timestamp(), tries = tries + 1, done_seconds = 0
    WHERE id = (
        SELECT p.id FROM content.pieces p JOIN content.assets a ON a.channel_id = p.channel_id AND a.id = p.asset_id
        WHERE (p.state = 'waiting' OR (p.state = 'running' AND p.ticket = :ticket)) AND a.run = p.run AND a.state = 'processing'
        ORDER BY p.state = 'waiting', a.duration_seconds - extract(epoch FROM now() - p.created_at), p.asset_id, p.kind DESC, p.number
        LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
    RETURNING id
    """
)


def take_piece(ticket: UUID) -> Piece | None:
    """The piece this ticket had when its worker died, else the next (short videos first, long waits count); None: nothing to do."""
    piece_id = db.session().execute(TAKE, {"ticket": ticket}).scalar_one_or_none()
    return None if piece_id is None else db.session().get_one(Piece, piece_id, populate_existing=True)


def note_piece(piece: Piece, done_seconds: float) -> bool:
    """Show how far a piece is; false when the file was deleted or another run or worker has it now."""
    written = (
        update(Piece)
        .where(Piece.id == piece.id, Piece.ticket == piece.ticket, Piece.state == "running")
        .values(done_seconds=min(done_seconds, piece.seconds))
    )
    if not _count(db.session().execute(written)):
        return False
    return _show(piece.asset_id, piece.run)


def end_piece(piece: Piece, made: dict[str, Any]) -> bool:
    """A piece is made; true when it was the last one. Raises nothing when it was taken away meanwhile: then it is false."""
    written = (
        update(Piece)
        .where(Piece.id == piece.id, Piece.ticket == piece.ticket, Piece.state == "running")
        .values(state="done", made=made, done_seconds=Piece.seconds, done_at=now())
    )
    if not _count(db.session().execute(written)):
        return False
    _show(piece.asset_id, piece.run)
    left = select(func.count()).select_from(Piece).where(Piece.asset_id == piece.asset_id, Piece.run == piece.run, Piece.state != "done")
    return db.session().scalar(left) == 0


def give_back(piece: Piece) -> bool:
    """Let somebody else try a piece whose worker is gone; false when it was tried often enough."""
    if piece.tries >= MOST_TRIES:
        return False
    piece.state, piece.ticket = "waiting", None
    return True


SHOW = text(
    """
    UPDATE content.assets a SET updated_at = now(), stage = 'encode', progress = :start + least(1, w.done / nullif(w.whole, 0)) * :span
    FROM (SELECT sum(done_seconds * CASE kind WHEN 'sound' THEN :share ELSE 1 END) AS done,
            sum(seconds * CASE kind WHEN 'sound' THEN :share ELSE 1 END) AS whole
        FROM content.pieces WHERE asset_id = :asset AND run = :run) w
    WHERE a.id = :asset AND a.run = :run AND a.state = 'processing'
    """
)


def _show(asset_id: UUID, run: str) -> bool:
    values = {"asset": asset_id, "run": run, "start": START, "span": END - START, "share": SOUND_SHARE}
    return bool(_count(db.session().execute(SHOW, values)))


def _count(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
