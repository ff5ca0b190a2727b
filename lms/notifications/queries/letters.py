"""The academy's own words, and addresses that mails come back from."""

import re
from uuid import UUID

from sqlalchemy import func, select

from lms.core import db
from lms.core.i18n import gettext as _
from lms.core.models import Mail
from lms.notifications.errors import NoBounce
from lms.notifications.models import Bounce, Template

VARIABLE = re.compile(r"\{\{\s*(\w*)\s*\}\}")  # how a name stands in the academy's own words


def template_of(message: str) -> Template | None:
    """The academy's own words for a message; None where the standard ones hold."""
    query = select(Template).where(Template.message == message).execution_options(populate_existing=True)
    return db.session().scalars(query).one_or_none()


def changed_templates() -> set[str]:
    """The messages for which the academy has its own words."""
    return set(db.session().scalars(select(Template.message)))


def get_bounce(bounce_id: UUID, *, lock: bool = False) -> Bounce:
    """One address that mails came back from; raises NoBounce."""
    query = select(Bounce).where(Bounce.id == bounce_id)
    found = db.session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NoBounce(_("There is no such note about an address."))
    return found


def standing_bounce(address: str) -> Bounce | None:
    """The note that mails to an address come back, while nobody cleared it."""
    return db.session().scalars(select(Bounce).where(Bounce.address == address.lower(), Bounce.cleared_at.is_(None))).one_or_none()


def newest_mail_to(address: str) -> UUID | None:
    """The newest mail that was written to an address; None when none ever was."""
    query = select(Mail.id).where(func.lower(Mail.to_address) == address.lower()).order_by(Mail.created_at.desc()).limit(1)
    return db.session().scalar(query)
