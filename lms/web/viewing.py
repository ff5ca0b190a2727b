"""Looking at the pages as somebody else: for a while, and read-only. The one place that refuses whatever could change something.

A page is read in a transaction that cannot write; every other request is refused here before its view is asked. The person's
own secrets (codes, keys, sign-ins) stay shut, and no socket opens.
"""

from uuid import UUID

from flask import Response, g, request, session
from flask_login import current_user

from lms.core import db
from lms.core.decisions import Viewing
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.web.answers import wants_fragment
from lms.web.face import faces

KEY = "viewing"
STOP = "channels.viewing_stop"
READS = ("GET", "HEAD", "OPTIONS")
SHUT = ("/auth/", "/vouchers/", "/ws/")


def viewing() -> Viewing | None:
    """The viewing this browser is in, while it lasts; asked once in a request. Machines with a token are in none."""
    if "viewing" not in g:
        g.viewing = _find()
    found: Viewing | None = g.viewing
    return found


def _find() -> Viewing | None:
    kept = None if request.path.startswith("/api/") or not db.has_work() else session.get(KEY)
    if kept is None or faces.viewing_of is None:
        return None
    found = faces.viewing_of(UUID(kept), current_user.actor)
    if found is None:
        session.pop(KEY)
    return found


def guard() -> None:
    """Refuse what could change something, and what only the person may see."""
    found = KEY in session if request.path.startswith("/ws/") else viewing() is not None
    if not found or request.endpoint == STOP:
        return
    if request.method not in READS:
        raise Forbidden(_("You look at the pages as somebody else, so nothing was changed. Stop viewing first."), rule="viewing")
    if request.path.startswith(SHUT):
        raise Forbidden(_("This page shows what only the person may see. Stop viewing to open your own."), rule="viewing")


def seen_page(response: Response) -> UUID | None:
    """The viewing whose page this answer is; None for pieces, files, and pages seen by their own person."""
    found: Viewing | None = g.get("viewing")
    is_page = request.method == "GET" and response.status_code < 300 and response.mimetype == "text/html" and not wants_fragment()
    return found.id if found is not None and is_page else None
