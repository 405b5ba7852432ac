"""A mark: what two documents of a trade both name, as a number of 64 bits by which the ledger finds them.

A mark is the same today and tomorrow.  As a rule it is a digest, and lies anywhere in the ledger.  By what the
documents of open trades meet, a dozen marks a trade, comes otherwise: the upper 16 bits tell where it lies and follow
from the number without its last three characters, the lower 48 are a digest of everything.  So the marks of one order
lie together, as do those of numbers that a shop, a carrier or a till gives one after the other, and a file of a hundred
orders reads and writes a few pages of the ledger where it was a page a mark.

Two numbers that share the upper bits differ in 48 bits of digest, others in 64: among 100 million trades two marks
meet by chance in one case of fifty.
"""

from hashlib import blake2b
from typing import Final
from zlib import crc32

MEETING: Final = frozenset({
    "order", "order_no", "order_alone", "sold", "shipped", "payment", "waybill", "declared",
})  # fmt: skip
"""The kinds of marks that lie beside their neighbours: each such mark follows from some paper (marks.csv)."""
_LAST: Final = 3
_MASK: Final = 0xFFFF
_SHIFT: Final = 48
_HALF: Final = 1 << 63
_number = int.from_bytes


def mark_of(kind: str, *values: str) -> int:
    """The mark of these values: a signed number of 64 bits.

    >>> mark_of("inventory", " A1 ") == mark_of("inventory", "A1") != mark_of("return", "A1")
    True
    >>> one, next, other = (mark_of("order", "E1", number) for number in ("YX0000123456", "YX0000123457", "YX77"))
    >>> one >> 48 == next >> 48 == mark_of("order_no", "YX0000123999") >> 48 != other >> 48
    True
    """
    texts = [value.strip() for value in values]
    joined = "|".join([kind, *texts])
    return near(joined, texts[-1]) if kind in MEETING else digest_of(joined)


def digest_of(joined: str) -> int:
    """The mark of a text that lies anywhere.

    >>> digest_of("order|E1|A1")
    1108646763123363787
    """
    return _number(blake2b(joined.encode(), digest_size=8).digest(), "big", signed=True)


def near(joined: str, last: str) -> int:
    """The mark of a text that lies beside those whose last value differs in its last three characters alone.

    >>> near("order|E1|A1", "A1")
    -9223262715501565807
    """
    place = (crc32(last[:-_LAST].encode()) & _MASK) << _SHIFT
    return place + _number(blake2b(joined.encode(), digest_size=6).digest(), "big") - _HALF
