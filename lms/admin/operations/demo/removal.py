"""Taking the demo away: its rows by the one function of the database that may, then its files."""

from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from lms.channels import queries as channels
from lms.core import db
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _
from lms.core.storage import storage

SIGN_INS = "demo.json"
log = structlog.get_logger(__name__)


def remove_demo(channel_id: UUID, *, home: Path) -> int:
    """Remove the demo's channel with everything in it: rows, the accounts nobody else needs, files, sign-ins. The number of rows.

    Runs in a unit of work of that channel. Raises Conflict when the channel is no demo, or somebody is at work in it.
    """
    if not channels.this_channel().is_demo:
        raise Conflict(_("This academy is no demo, so it is not removed."), rule="demo")
    session = db.session()
    try:
        session.execute(text("SELECT set_config('statement_timeout', '120s', true)"))
        rows: int = session.execute(text("SELECT channels.remove_demo(:channel)"), {"channel": channel_id}).scalar_one()
    except (IntegrityError, OperationalError) as error:
        raise Conflict(_("Somebody is at work in the demo just now. Try again in a minute.")) from error
    session.expunge_all()
    db.after_commit(lambda: _forget(channel_id, home))
    log.info("demo_removed", channel_id=str(channel_id), rows=rows)
    return rows


def _forget(channel_id: UUID, home: Path) -> None:
    storage().delete_channel(channel_id)
    (home / SIGN_INS).unlink(missing_ok=True)
    channels.forget_faces()
