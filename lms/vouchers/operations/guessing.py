"""The guard against guessing: what an account, an address and a whole channel may get wrong, and the alarm."""

from datetime import timedelta
from uuid import UUID

import structlog

from lms.core import audit, limits
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import TooMany
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.tenancy import current_channel
from lms.vouchers import queries
from lms.vouchers.errors import UnknownCode
from lms.vouchers.events import VoucherGuessing
from lms.vouchers.operations.alerts import warn_of_guessing

WRONG_PER_HOUR = 10
HOUR = 3600
ALARM_MINUTES = 10
ALARM_AT = 50
WORDS_REST_AT = 300  # so many wrong codes in the channel, and chosen words, which alone could be guessed, are not looked up for a while
log = structlog.get_logger(__name__)


def count_try(user_id: UUID, address: str) -> None:
    """Count the try before it is judged, so that many at once cannot slip through; what was no guess is taken back."""
    sentence = _("Too many wrong codes. Wait an hour, or ask your academy to look at the card with you.")
    try:
        limits.hit("redeem", _account_key(user_id), most=WRONG_PER_HOUR, seconds=HOUR, sentence=sentence, fail_closed=True)
    except TooMany:
        take_back(user_id)
        raise
    # A class behind one address mistypes often, and the check symbol catches that: only codes that read well and are nobody's count here.
    if address and limits.tries("redeem-address", _address_key(address), seconds=HOUR) >= WRONG_PER_HOUR:
        take_back(user_id)
        raise TooMany(sentence, retry_after=HOUR)


def take_back(user_id: UUID) -> None:
    """It was no guess."""
    limits.take_back("redeem", _account_key(user_id))


def words_rest() -> bool:
    """Whether so much is guessed in this channel that words are not looked up now; drawn codes always are."""
    return _wrong_lately() >= WORDS_REST_AT


def wrong(reads_well: bool, address: str) -> UnknownCode:
    """The refusal of a code that is nobody's; the try stays counted."""
    limits.note("redeem-channel", str(current_channel()), seconds=ALARM_MINUTES * 60)
    if not reads_well:
        return UnknownCode(_("There is a typing mistake in this code. Compare it with the card, symbol by symbol."), rule="mistyped")
    if address:
        limits.note("redeem-address", _address_key(address), seconds=HOUR)
    return UnknownCode(_("We do not know this code. Check that the card is from this academy."), rule="unknown")


def watch_guesses(*, by: Actor) -> bool:
    """Announce, once an hour at most, that unusually many wrong codes are tried in this channel."""
    channel_id, tries = current_channel(), _wrong_lately()
    if tries < ALARM_AT or queries.guessing_announced_since(now() - timedelta(hours=1)):
        return False
    log.warning("voucher_guessing", channel_id=str(channel_id), tries=tries, minutes=ALARM_MINUTES)
    audit.record("vouchers.guessing", "codes", by=by, after={"tries": tries, "minutes": ALARM_MINUTES})
    warn_of_guessing(tries, ALARM_MINUTES)
    emit(VoucherGuessing(tries=tries, minutes=ALARM_MINUTES))
    return True


def _wrong_lately() -> int:
    return limits.tries("redeem-channel", str(current_channel()), seconds=ALARM_MINUTES * 60)


def _account_key(user_id: UUID) -> str:
    return f"{current_channel()}:{user_id}"


def _address_key(address: str) -> str:
    return f"{current_channel()}:{address}"
