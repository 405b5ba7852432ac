"""Whether two texts of two documents say the same: the verbs that match.csv may use.

Enterprises write one telephone number, one name and one address in several ways; what differs only in width,
case, blanks or punctuation is one thing.  An amount that is left out is 0, as the specification asks for 0.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache

from message_specs.amounts import amount
from message_specs.codes import trade_modes_of

_CHINA = ("0086", "86")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[^\w\s]+(?=\d)")


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The text without what people write in several ways: width, case, blanks and punctuation.

    >>> folded("杭州市 云栖路１号（A座）") == folded("杭州市云栖路1号(a座)")
    True
    >>> folded("33019919510202001x") == folded("33019919510202001Ｘ")
    True
    >>> folded("8号1-201室") == folded("8号12-01室")
    False
    """
    plain = "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if not one.isspace())
    # Between two digits a stroke tells one house from another.
    parts = _BETWEEN_DIGITS.split(plain)
    return "-".join("".join(one for one in part if unicodedata.category(one)[0] not in "ZPC") for part in parts)


def telephone(text: str) -> str:
    """The digits of a telephone number, without the prefix of China.

    >>> telephone("+86 126-0000-0007") == telephone("008612600000007") == telephone("12600000007")
    True
    >>> telephone("无"), telephone("8612345")
    ('', '8612345')
    """
    digits = "".join(one for one in unicodedata.normalize("NFKC", text) if one.isascii() and one.isdigit())
    for prefix in _CHINA:
        if digits.startswith(prefix) and len(digits) - len(prefix) >= 10:
            return digits[len(prefix) :]
    return digits


def _equal(left: str, right: str, _tolerance: str) -> bool:
    return left.strip() == right.strip()


def _equal_if_given(left: str, right: str, _tolerance: str) -> bool:
    return not left.strip() or not right.strip() or left.strip() == right.strip()


def _equal_folded(left: str, right: str, _tolerance: str) -> bool:
    return folded(left) == folded(right)


def _equal_cut(left: str, right: str, tolerance: str) -> bool:
    length = int(tolerance)
    return _equal_if_given(left.strip()[:length], right.strip()[:length], "")


def _telephone(left: str, right: str, _tolerance: str) -> bool:
    return (telephone(left) or folded(left)) == (telephone(right) or folded(right))


def _amount(left: str, right: str, tolerance: str) -> bool:
    return abs(amount(left) - amount(right)) <= Decimal(tolerance or "0")


def _at_most(left: str, right: str, tolerance: str) -> bool:
    return amount(left) <= amount(right) + Decimal(tolerance or "0")


def _mode_of_type(mode: str, order_type: str, _tolerance: str) -> bool:
    modes = trade_modes_of(order_type.strip())
    return not modes or mode.strip() in modes


VERBS: Mapping[str, Callable[[str, str, str], bool]] = {
    "equal": _equal,
    "equal_if_given": _equal_if_given,
    "equal_folded": _equal_folded,
    "equal_cut": _equal_cut,
    "telephone": _telephone,
    "amount": _amount,
    "at_most": _at_most,
    "mode_of_type": _mode_of_type,
}
"""Every verb of match.csv but `lines_one_to_one`, which looks at all lines: left, right, tolerance."""


def agree(how: str, left: str, right: str, tolerance: str = "") -> bool:
    """Whether both texts say the same, as that verb reads them.

    >>> agree("amount", "12.50", "12.5"), agree("amount", "", "0"), agree("amount", "1", "1.01", "0.01")
    (True, True, True)
    >>> agree("equal_if_given", "", "A1"), agree("equal", "", "A1"), agree("equal_cut", "1234567", "12345", "5")
    (True, False, True)
    >>> agree("mode_of_type", "9710", "B"), agree("mode_of_type", "9610", "B"), agree("at_most", "2", "1")
    (True, False, False)
    """
    # Most texts are the very same, and only an order type and a trade mode are never meant to be.
    return (left == right and how != "mode_of_type") or VERBS[how](left, right, tolerance)
