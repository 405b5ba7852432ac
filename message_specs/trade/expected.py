"""What customs was expected to levy on an inventory when it was declared, as it is kept until the bill comes.

A prediction by today's rates says nothing of a bill of last month: rates and rounding may have been mended since.
So the few figures that a bill is held against are kept with the declaration, and nothing else of the prediction.
What is returned takes its share of every figure with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from message_specs.amounts import amount
from message_specs.trade.sharing import WIDE, Rounding
from message_specs.trade.taxing import Prediction, Taxes

Texts = Mapping[str, str]
_FEN = Decimal("0.01")


class ExpectedLine(msgspec.Struct, frozen=True):
    """One line: its code, its taxable value with its part of freight and insurance, its taxes where they were told."""

    gnum: int
    hs: str
    value: Decimal
    shown: Taxes | None


class Expected(msgspec.Struct, frozen=True):
    """The figures of a prediction against which a bill is held; `payable` is None while one line could not be told."""

    on: date
    lines: tuple[ExpectedLine, ...]
    payable: Taxes | None

    def written(self) -> str:
        """The figures as the value of a record."""
        return _encode(self).decode()


_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode = msgspec.json.Decoder(Expected).decode


def expected(prediction: Prediction) -> Expected:
    """What is kept of a prediction."""
    lines = tuple(ExpectedLine(one.gnum, one.hs, one.value, one.shown) for one in prediction.lines)
    return Expected(prediction.on, lines, prediction.payable)


def read_expected(value: str | None) -> Expected | None:
    """The figures that a record holds; None where there is none.

    >>> kept = Expected(date(2026, 11, 21), (ExpectedLine(1, "2101110000", Decimal("100"), None),), None)
    >>> read_expected(kept.written()) == kept, read_expected("")
    (True, None)
    """
    return _decode(value) if value else None


def shares_back(lines: Sequence[Texts], returns: Iterable[Sequence[Texts]]) -> dict[int, Decimal]:
    """Which share of each line has come back by these returns, by gnum: never more than the whole.

    >>> lines = [{"gnum": "1", "qty": "4"}, {"gnum": "2", "qty": "1"}]
    >>> shares_back(lines, [[{"gnum": "1", "qty": "1"}], [{"gnum": "1", "qty": "2"}, {"gnum": "3", "qty": "9"}]])
    {1: Decimal('0.75')}
    """
    back: dict[int, Decimal] = {}
    for one in returns:
        for line in one:
            back[_gnum(line)] = back.get(_gnum(line), Decimal(0)) + amount(line.get("qty"))
    whole = {_gnum(line): amount(line.get("qty")) for line in lines}
    return {
        gnum: min(WIDE.divide(qty, whole[gnum]), Decimal(1))
        for gnum, qty in back.items()
        if qty > 0 and whole.get(gnum, 0) > 0
    }


def value_back(values: Mapping[int, Decimal], shares: Mapping[int, Decimal]) -> Decimal:
    """What these shares of lines of such taxable values are worth, to the fen.

    >>> value_back({1: Decimal("33.35"), 2: Decimal("10")}, {1: Decimal("0.5")})
    Decimal('16.68')
    """
    total = Decimal(0)
    for gnum, share in shares.items():
        total = WIDE.add(total, WIDE.multiply(values.get(gnum, Decimal(0)), share))
    return total.quantize(_FEN, rounding="ROUND_HALF_UP")


def remaining(whole: Expected, shares: Mapping[int, Decimal], rounding: Rounding) -> Expected:
    """What is expected of the goods that stay; a line that went back whole is none of them any more."""
    if not shares:
        return whole
    lines = tuple(_less(one, shares.get(one.gnum, Decimal(0)), rounding) for one in whole.lines)
    lines = tuple(one for one in lines if shares.get(one.gnum, Decimal(0)) < 1)
    payable: Taxes | None = Taxes()
    for line in lines:
        payable = payable.plus(line.shown) if payable is not None and line.shown is not None else None
    return Expected(whole.on, lines, payable)


def _less(line: ExpectedLine, share: Decimal, rounding: Rounding) -> ExpectedLine:
    stays = 1 - share
    shown = line.shown
    if shown is not None:
        parts = (WIDE.multiply(tax, stays) for tax in (shown.duty, shown.consumption, shown.vat))
        shown = Taxes(*parts).rounded(rounding)
    return ExpectedLine(line.gnum, line.hs, rounding.of(WIDE.multiply(line.value, stays)), shown)


def _gnum(line: Texts) -> int:
    told = line.get("gnum", "").strip()
    return int(told) if told.isascii() and told.isdigit() else 0
