"""The verbs of maps: a small closed vocabulary, each line of a map names one.

A cell verb makes the text of one cell into a value, or says why it cannot. The verbs that
look at more than a cell stand in `reckoning`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from mapping.codebook import codebook
from mapping.dates import date
from mapping.fitting import BadArgument, Convert, Unfit, a_field, rounded  # noqa: F401  the doctests show verbs with a_field
from message_specs.tables import Node

_EXPONENT: Final = re.compile(r"[+-]?\d+(?:[.．]\d+)?[eE]\+\d{1,3}")
_PLAIN: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})(?:\.\d{1,9})?", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[+-]?[\d,]+(?:\.\d*)?[eE][+-]?\d+", re.ASCII)
_HOLE: Final = re.compile(r"\{([^{}]+)\}")
_HALF: Final = {0x3000: " "} | {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class CellVerb:
    """A verb that makes one cell into a value."""

    build: Callable[[Node, str], Convert]
    argument: str
    zh: str
    en: str


def narrow(text: str) -> str:
    """Full-width letters and digits made half-width, blanks taken out.

    >>> narrow("１２３ ４５６ａ")
    '123456a'
    """
    return text if text.isascii() and " " not in text else "".join(unicodedata.normalize("NFKC", text).split())


def text(_node: Node, _argument: str) -> Convert:
    """The cell as it stands; a long number that Excel cut to an exponent is refused.

    >>> text(a_field(), "")("李 雷")
    '李 雷'
    """

    def convert(cell: str) -> str:
        if "E+" in cell and _EXPONENT.fullmatch(cell):
            raise Unfit("M031")
        return cell

    return convert


def narrowed(node: Node, argument: str) -> Convert:
    """Numbers, codes, telephones: full-width letters and digits made half-width, and nothing else changed.

    >>> narrowed(a_field(), "")("ＫＯ－１３８ 0012")
    'KO-138 0012'
    """
    as_text = text(node, argument)
    return lambda cell: as_text(cell if cell.isascii() else cell.translate(_HALF))


def number(_node: Node, argument: str) -> Convert:
    """A number, thousands marks taken out; with an argument rounded half up to that many decimals.

    >>> convert = number(a_field(base="xs:decimal", fraction_digits=5), "5")
    >>> convert("1,234.50"), convert("１５５９．５５５５５９"), convert("7.")
    ('1234.50', '1559.55556', '7')
    >>> convert("1.2E+3")
    Traceback (most recent call last):
    mapping.fitting.Unfit: M031
    """
    digits = _figure(argument)
    known: dict[str, str] = {}

    def convert(cell: str) -> str:
        value = known.get(cell)
        if value is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            value = known[cell] = _numeral(cell, digits)
        return value

    return convert


def _figure(argument: str) -> int | None:
    if not argument:
        return None
    if not re.fullmatch(r"[0-9]", argument):
        raise BadArgument("应为小数位数 0 到 9", "it must be how many decimals, 0 to 9")
    return int(argument)


def _numeral(cell: str, digits: int | None) -> str:
    if not _PLAIN.fullmatch(cell):
        cell = narrow(cell)
        if _SCIENTIFIC.fullmatch(cell):
            raise Unfit("M031")
        if not _NUMBER.fullmatch(cell):
            raise Unfit("M030")
        cell = cell.replace(",", "").removeprefix("+").removesuffix(".")
    if digits is None or len(cell.partition(".")[2]) <= digits:
        return cell
    return f"{rounded(Decimal(cell), digits):f}"


def whole(_node: Node, _argument: str) -> Convert:
    """A whole number; 3.0 is one.

    >>> whole(a_field(base="xs:int"), "")("1,003.0")
    '1003'
    """

    def convert(cell: str) -> str:
        body, _, fraction = _numeral(cell, None).partition(".")
        if fraction.strip("0"):
            raise Unfit("M030")
        return body

    return convert


def code(_node: Node, argument: str) -> Convert:
    """A code of the table named by the argument, given as the code or as its name.

    >>> convert = code(a_field(length=3), "unit")
    >>> convert("件"), convert("011"), convert("公斤"), convert("11")
    ('011', '011', '035', '011')
    >>> convert("铜板")
    Traceback (most recent call last):
    mapping.fitting.Unfit: M033
    """
    book = codebook(argument)
    if book is None:
        raise BadArgument(f"没有代码表 {argument}", f"there is no table {argument}")

    def convert(cell: str) -> str:
        found = book.words.get(cell) or book.find(narrow(cell))
        if found is None:
            near = get_close_matches(cell, book.names, n=1)
            raise Unfit("M033", table=argument, near=f" ({near[0]}?)" if near else "")
        return found

    return convert


def choice(_node: Node, argument: str) -> Convert:
    """One of the words of the argument: `身份证=1|护照=2|1`.

    >>> choice(a_field(length=1), "身份证=1|1")("身份证")
    '1'
    """
    pairs = choices(argument)

    def convert(cell: str) -> str:
        found = pairs.get(cell) or pairs.get(narrow(cell))
        if found is None:
            raise Unfit("M035", expected=" | ".join(pairs))
        return found

    return convert


def choices(argument: str) -> dict[str, str]:
    """The words of a choice and what each becomes."""
    pairs = {}
    for part in argument.split("|"):
        word, sign, value = part.partition("=")
        if not word.strip() or (sign and not value.strip()):
            raise BadArgument("应写成 词=值|词=值", "it must read word=value|word=value")
        pairs[word.strip()] = value.strip() if sign else word.strip()
    return pairs


def placeholders(argument: str) -> Iterator[tuple[str, ...]]:
    """Yield the headings, each with its aliases, that a template names.

    >>> list(placeholders("{省|省份}{市}路"))
    [('省', '省份'), ('市',)]
    """
    for hole in _HOLE.findall(argument):
        yield tuple(part.strip() for part in hole.split("|"))


def parts_of(argument: str) -> list[str | tuple[str, ...]]:
    """A template taken apart: fixed texts, and the aliases of each heading in it.

    >>> parts_of("{省|省份}-{市}")
    [('省', '省份'), '-', ('市',)]
    """
    pieces: list[str | tuple[str, ...]] = []
    for position, piece in enumerate(_HOLE.split(argument)):
        if position % 2:
            pieces.append(tuple(part.strip() for part in piece.split("|")))
        elif piece:
            pieces.append(piece)
    if not any(isinstance(piece, tuple) for piece in pieces):
        raise BadArgument("应写成 {标题}{标题}", "it must read {heading}{heading}")
    return pieces


CELL_VERBS: Final = {
    "text": CellVerb(text, "none", "原样照抄", "the cell as it stands"),
    "narrow": CellVerb(narrowed, "none", "全角字母数字转半角", "full-width letters and digits made half-width"),
    "number": CellVerb(
        number, "may", "数值，可写千分位；参数为保留的小数位", "a number; the argument rounds it to so many decimals"
    ),
    "whole": CellVerb(whole, "none", "整数", "a whole number"),
    "date": CellVerb(
        date,
        "may",
        "日期或时间，年在前，或 Excel 序列值；参数为格式",
        "a day or time, the year first, or Excel's serial number; the argument names formats",
    ),
    "code": CellVerb(code, "must", "代码或名称，参数为代码表", "a code or its name; the argument names the table"),
    "choice": CellVerb(choice, "must", "列出的词之一：词=值|词=值", "one of the words listed: word=value|word=value"),
}
