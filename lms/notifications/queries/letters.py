"""The academy's own words, and addresses that mails come back from."""

import re
from collections.abc import Mapping
from uuid import UUID

from babel import Locale, UnknownLocaleError
from sqlalchemy import func, select

from lms.core import db
from lms.core.i18n import gettext as _
from lms.core.i18n import languages
from lms.core.models import Mail
from lms.notifications.errors import NoBounce
from lms.notifications.models import Bounce, Template

VARIABLE = re.compile(r"\{\{\s*(\w*)\s*\}\}")  # how a name stands in the academy's own words


def templates_of(message: str) -> dict[str, Template]:
    """The academy's own words for a message, by language; none where the standard ones hold."""
    query = select(Template).where(Template.message == message).execution_options(populate_existing=True)
    return {one.language: one for one in db.session().scalars(query)}


def words_for(own: Mapping[str, Template], language: str, academy: str) -> Template | None:
    """The own words a reader of a language gets: in it, else in what it is a kind of, else in the academy's; None: the standard ones."""
    wanted = (language, re.split("[-_]", language)[0], academy)
    return next((own[one] for one in wanted if one in own), None)


def changed_templates() -> dict[str, list[str]]:
    """The messages for which the academy has its own words, with the languages it has them in."""
    found: dict[str, list[str]] = {}
    for message, language in db.session().execute(select(Template.message, Template.language).order_by(Template.language)):
        found.setdefault(message, []).append(language)
    return found


def languages_to_word(academy: str) -> dict[str, str]:
    """The languages a mail can be worded in, the academy's first, each by its own name."""
    return {code: language_name(code) for code in dict.fromkeys((academy, *languages()))}


def language_name(code: str) -> str:
    """What a language calls itself; its code where nobody knows."""
    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name()
    except (UnknownLocaleError, ValueError):
        name = None
    return name[:1].upper() + name[1:] if name else code


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
