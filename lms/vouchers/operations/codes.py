"""How a code is made, written and read.

A code is 27 random symbols (133.8 bits) and a check symbol, in groups, after an optional prefix that only people read.
The alphabet holds one of each group of look-alikes, and reading turns the others into it: O is 0, I and L are 1, S is 5, U is V.
It has 31 symbols, a prime, so that the weighted check finds every wrong symbol and every swap of two neighbours.
The word of a coupon is chosen by people, short, and read with the same kindness; it has no check symbol.
"""

import hmac
import os
import re
from collections.abc import Sequence
from functools import cache

from lms.core.signing import digest, key

ALPHABET = "0123456789ABCDEFGHJKMNPQRTVWXYZ"
BASE = len(ALPHABET)
LENGTH = 28
GROUPINGS = (4, 7, 0)
WORD = range(4, 21)
PURPOSE = "voucher-code"
LOOK_ALIKES = str.maketrans("OILSU", "0115V")
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}


def make_codes(count: int) -> list[str]:
    """So many new codes, bare: 28 symbols each, from the operating system's random source without bias."""
    symbols = _random_symbols(count * (LENGTH - 1))
    bodies = (symbols[start : start + LENGTH - 1] for start in range(0, len(symbols), LENGTH - 1))
    return [body + check_symbol(body) for body in bodies]


def _random_symbols(count: int) -> str:
    most = 256 - 256 % BASE
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += [ALPHABET[byte % BASE] for byte in os.urandom(count - len(drawn) + 64) if byte < most]
    return "".join(drawn[:count])


def check_symbol(body: str) -> str:
    """The symbol that makes the weighted sum of the whole code 0 modulo 31; weights are 2, 3, 4 … from the left, the check's is 1."""
    return ALPHABET[-sum(_VALUES[symbol] * weight for symbol, weight in zip(body, _weights(), strict=True)) % BASE]


@cache
def _weights() -> tuple[int, ...]:
    # 27 weights, all different and none 0 or 1 modulo 31: a changed symbol or two swapped neighbours always change the sum.
    return tuple(range(2, LENGTH + 1))


def write(code: str, prefix: str = "", grouping: int = 4) -> str:
    """A code as it stands on a card: PREFIX-7K2M-…, in groups of so many symbols, 0 for none; a word stands as it is."""
    size = grouping if grouping and len(code) == LENGTH else len(code)
    groups = [code[start : start + size] for start in range(0, len(code), size)]
    return "-".join([prefix, *groups] if prefix else groups)


def read(typed: str) -> str | None:
    """The bare code in what somebody typed or scanned; None for a typing mistake.

    Case, spaces, dashes, look-alikes and the prefix do not matter.
    """
    code = _cleaned(typed)[-LENGTH:]
    if len(code) < LENGTH or any(symbol not in _VALUES for symbol in code) or check_symbol(code[:-1]) != code[-1]:
        return None
    return code


def read_word(typed: str) -> str | None:
    """The word of a coupon in what somebody typed, look-alikes as one; None when it cannot be one."""
    word = _cleaned(typed)
    return word if len(word) in WORD else None


def _cleaned(typed: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", typed.upper()[:200]).translate(LOOK_ALIKES)


def digest_of(code: str) -> bytes:
    """What is stored in place of a bare code: HMAC-SHA-256 under a key of the server."""
    return digest(PURPOSE, code)


def digests_of(codes: Sequence[str]) -> list[bytes]:
    """The same of many codes, with the key derived once."""
    secret = key(PURPOSE)
    return [hmac.digest(secret, code.encode(), "sha256") for code in codes]


def seal_key(seal: str) -> bytes:
    """The key of an envelope: from the secret the browser holds and one of the server's, so that neither opens it alone."""
    return digest(f"{PURPOSE}-envelope", seal)


def request_digest(seal: str) -> bytes:
    """What names a request to make a batch; the same form sent twice has the same."""
    return digest(f"{PURPOSE}-request", seal)


def a_sample_code(prefix: str = "", grouping: int = 4) -> str:
    """A code as it would look, which no batch holds: its check symbol is wrong on purpose."""
    body = ALPHABET[: LENGTH - 1]
    right = check_symbol(body)
    return write(body + ALPHABET[(ALPHABET.index(right) + 1) % BASE], prefix, grouping)
