"""What a unit of work leaves besides its own rows (audit, facts, tasks), kept until somebody asks or it ends, and sent at once.

A purchase leaves three acts, three facts and a row for each who hears them: one statement instead of eight. Whoever asks the session
for anything finds them there; what a savepoint takes back goes with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import event, text
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

ACT = (
    "channel_id uuid, id uuid, at timestamptz, actor_id uuid, actor_kind text, actor_name text, action text, target_kind text,"
    " target_id uuid, target_name text, before jsonb, after jsonb, request_id text"
)
FACT = "channel_id uuid, id uuid, name text, actor_id uuid, payload jsonb, happened_at timestamptz"
TASK = (
    "channel_id uuid, id uuid, task text, payload jsonb, queue text, event_id uuid, created_at timestamptz, run_at timestamptz,"
    " attempts bigint, tries bigint, lease_seconds bigint"
)


def _insert(table: str, columns: str) -> str:
    names = ", ".join(part.split()[0] for part in columns.split(", "))
    return f"INSERT INTO core.{table} ({names}) SELECT {names} FROM jsonb_to_recordset(CAST(:{table} AS jsonb)) AS given ({columns})"  # noqa: S608


SEND = text(f"WITH acts AS ({_insert('audit', ACT)}), facts AS ({_insert('events', FACT)}) {_insert('outbox', TASK)}")
Row = Mapping[str, Any]


class NotingSession(Session):
    """A session that keeps notes of acts, facts and tasks, and sends them with what it has not sent yet."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.notes: dict[str, list[Row]] = {"audit": [], "events": [], "outbox": []}
        self.has_notes = False

    def note(self, table: str, row: Row) -> None:
        """Keep one row for the audit, the events or the outbox."""
        self.notes[table].append(row)
        self.has_notes = True

    def flush_objects(self) -> None:
        """Send the mapped rows alone."""
        super().flush()

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Send what was not sent yet, mapped rows first."""
        super().flush(objects)
        if self.has_notes:
            self.send_notes()

    def send_notes(self) -> None:
        """Send the notes in one statement."""
        sent = {table: to_json(rows, fallback=str).decode() for table, rows in self.notes.items()}
        self.forget_notes()
        self.execute(SEND, sent)

    def forget_notes(self) -> None:
        """Nothing is left to send."""
        self.notes = {table: [] for table in self.notes}
        self.has_notes = False


@event.listens_for(NotingSession, "do_orm_execute")
def _send_before(state: ORMExecuteState) -> None:
    """Whoever asks finds what was noted."""
    session = state.session
    if isinstance(session, NotingSession) and session.has_notes:
        session.flush()


@event.listens_for(NotingSession, "after_soft_rollback")
def _forget_with(session: Session, _previous: SessionTransaction) -> None:
    """What is noted still was noted since the savepoint that is taken back: with its beginning the earlier notes were sent."""
    if isinstance(session, NotingSession):
        session.forget_notes()
