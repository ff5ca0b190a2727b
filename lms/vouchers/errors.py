"""Refusals of vouchers: each says why."""

from lms.core.errors import Conflict, NotFound


class UnknownCode(NotFound):
    """No code of this channel reads like that."""


class CodeRefused(Conflict):
    """The code is real and cannot be redeemed: used, expired, void, not started, or this person's limit; `rule` says which."""


class CodesGone(Conflict):
    """The one-time download is over."""
