"""How an academy's videos may be watched, and the screens somebody watches on right now."""

from sqlalchemy.dialects.postgresql import insert

from lms.content import gateways, queries
from lms.content.errors import TooManyScreens
from lms.content.models import Rule
from lms.content.queries import Limits
from lms.core import audit, db
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel


def set_watching(most_screens: int | None, *, has_watermark: bool, most_devices: int | None = None, by: Actor) -> None:
    """Say on how many screens at once and on how many devices a person may watch (None: any), and whether their address moves over it."""
    rule = own_rule()
    values = {"most_screens": most_screens, "most_devices": most_devices, "has_watermark": has_watermark}
    audit.update(rule, "content.set_watching", by=by, **values)


def own_rule() -> Rule:
    """The academy's rule, made when nobody made one; two first ones at once are one."""
    db.session().execute(insert(Rule).values(id=uuid7(), channel_id=current_channel(), has_watermark=False).on_conflict_do_nothing())
    return queries.watching_rule()


def take_screen(viewer: Actor, rule: Rule | Limits | None = None) -> None:
    """Somebody watches on this screen; raises TooManyScreens when they watch on as many others as they may.

    A screen is a sign-in of a browser. It counts while its player reports, and a little longer.
    """
    who, user_id = queries.viewer_key(viewer), viewer.user_id
    if not who or user_id is None:
        return
    most = (rule or queries.watching_rule()).most_screens
    if most is not None and not gateways.grants().take_screen(current_channel(), user_id, who, most):
        several = _("You are watching on %(most)s other screens already. Stop on one; a minute later it goes on here.", most=most)
        one = _("You are watching on another screen. Stop there; a minute later it goes on here.")
        raise TooManyScreens(several if most > 1 else one, rule="screens")
