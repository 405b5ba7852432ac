"""What every verb stands on: how it says no, and how amounts are rounded."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from message_specs.tables import Node

Convert = Callable[[str], str]


class Unfit(Exception):  # noqa: N818  it says what the cell is
    """The cell cannot become a value: a code of a finding and the words of its sentence"""

    def __init__(self, code: str, **words: str) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


class BadArgument(Exception):  # noqa: N818  it says what was written
    """The argument of a verb makes no sense: in Chinese and in English"""


def rounded(value: Decimal, digits: int) -> Decimal:
    """The value rounded half up.

    >>> rounded(Decimal("0.125"), 2)
    Decimal('0.13')
    """
    try:
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except ArithmeticError:
        return value


def a_field(base: str = "xs:string", length: int | None = None, fraction_digits: int | None = None) -> Node:
    """A field to show a verb with."""
    return Node("x", "x", 1, 1, base, length=length, fraction_digits=fraction_digits)
