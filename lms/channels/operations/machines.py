"""Who asks by a token, and how often the programs of one account may ask: the others get their answers all the same."""

from lms.channels import queries
from lms.core import limits, tokens
from lms.core.decisions import Actor
from lms.core.errors import TooMany
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel

SHARE = 600  # requests of one account
SECONDS = 60


def machine_of(token: str) -> Actor:
    """The person an access token stands for. Raises BadToken for others, and TooMany while their programs ask too often.

    What is refused does not count: who asks ten times as often as they may gets as many answers as they may.
    """
    claims = tokens.read(token, current_channel())
    key = f"{claims.channel_id}:{claims.user_id}"
    sentence = _(
        "Your programs ask more than %(most)s times a minute. Wait a little, and ask for more at once: a list gives 200 rows, a bulk act"
        " takes 100,000.",
        most=SHARE,
    )
    try:
        limits.hit("api", key, most=SHARE, seconds=SECONDS, sentence=sentence)
    except TooMany:
        limits.take_back("api", key)
        raise
    return queries.actor_of_claims(claims)
