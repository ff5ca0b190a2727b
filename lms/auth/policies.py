"""May this actor…? about accounts."""

from lms.auth.models import SignInSession
from lms.core.decisions import Actor, Decision, no, yes
from lms.core.i18n import gettext as _


def can_end(actor: Actor, row: SignInSession) -> Decision:
    """A session is ended by its own person."""
    return yes() if row.user_id == actor.user_id else no(_("Only the person signed in there can end this."), rule="own")
