"""Who asks by a token, and how often the machines of one academy may ask: the others get their answers all the same."""

from lms.channels import queries
from lms.core import limits, tokens
from lms.core.decisions import Actor
from lms.core.errors import TooMany
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel

SHARE = 1800  # requests of one academy
SECONDS = 60


def machine_of(token: str) -> Actor:
    """The person an access token stands for. Raises BadToken for others, and TooMany while the academy's machines ask too often.

    What is refused does not count: who asks ten times as often as they may gets as many answers as they may.
    """
    claims = tokens.read(token, current_channel())
    key = str(claims.channel_id)
    sentence = _(
        "The programs of this academy ask more than %(most)s times a minute. Wait a little, and ask for more at once: a list gives 200"
        " rows, a bulk act takes 100,000.",
        most=f"{SHARE:,}",
    )
    try:
        limits.hit("api", key, most=SHARE, seconds=SECONDS, sentence=sentence)
    except TooMany:
        limits.take_back("api", key)
        raise
    return queries.actor_of_claims(claims)
