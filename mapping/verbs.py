"""The verbs of maps: a small closed vocabulary, each line of a map names one.

A cell verb makes the text of one cell into a value, or says why it cannot. The verbs that
look at more than a cell stand in `reckoning`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from mapping.codebook import codebook
from message_specs.tables import Node

Convert = Callable[[str], str]
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_EXPONENT: Final = re.compile(r"[+-]?\d+(?:[.．]\d+)?[eE]\+\d{1,3}")
_PLAIN: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})(?:\.\d{1,9})?", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[+-]?[\d,]+(?:\.\d*)?[eE][+-]?\d+", re.ASCII)
_DATE: Final = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))"
    r"(?:[ T]*(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?([Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_SERIAL: Final = re.compile(r"(\d{5})(?:\.(\d+))?", re.ASCII)
_SERIAL_DAYS: Final = (36526, 73050)
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001  Excel's days have no zone; partners mean China
_HOLE: Final = re.compile(r"\{([^{}]+)\}")
_REMEMBERED: Final = 50_000


class Unfit(Exception):  # noqa: N818  it says what the cell is
    """The cell cannot become a value: a code of a finding and the words of its sentence"""

    def __init__(self, code: str, **words: str) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


class BadArgument(Exception):  # noqa: N818  it says what was written
    """The argument of a verb makes no sense: in Chinese and in English"""


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


def text(node: Node, _argument: str) -> Convert:
    """The cell as it stands; a long number that Excel cut to an exponent is refused.

    >>> text(_node(), "")("李 雷")
    '李 雷'
    """

    def convert(cell: str) -> str:
        if "E+" in cell and _EXPONENT.fullmatch(cell):
            raise Unfit("M031")
        return cell

    return convert


def narrowed(node: Node, argument: str) -> Convert:
    """Numbers, codes, telephones: full-width made half-width, blanks taken out.

    >>> narrowed(_node(), "")("１３８ ００１２")
    '1380012'
    """
    as_text = text(node, argument)
    return lambda cell: as_text(narrow(cell))


def number(node: Node, argument: str) -> Convert:
    """A number, thousands marks taken out; with an argument rounded half up to that many decimals.

    >>> convert = number(_node(base="xs:decimal", fraction_digits=5), "5")
    >>> convert("1,234.50"), convert("１５５９．５５５５５９"), convert("7.")
    ('1234.50', '1559.55556', '7')
    >>> convert("1.2E+3")
    Traceback (most recent call last):
    mapping.verbs.Unfit: M031
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


def rounded(value: Decimal, digits: int) -> Decimal:
    """The value rounded half up.

    >>> rounded(Decimal("0.125"), 2)
    Decimal('0.13')
    """
    try:
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except ArithmeticError:
        return value


def whole(node: Node, _argument: str) -> Convert:
    """A whole number; 3.0 is one.

    >>> whole(_node(base="xs:int"), "")("1,003.0")
    '1003'
    """

    def convert(cell: str) -> str:
        body, _, fraction = _numeral(cell, None).partition(".")
        if fraction.strip("0"):
            raise Unfit("M030")
        return body

    return convert


def date(node: Node, argument: str) -> Convert:
    """A day or a time, the year first, a serial number of Excel, or as the formats of the argument (| between) say.

    >>> convert = date(_node(length=14), "")
    >>> convert("2026-11-21 9:05"), convert("2026年1月2日"), convert("46347.5"), convert("2026-11-21T01:00:00Z")
    ('20261121090500', '20260102000000', '20261121120000', '20261121090000')
    >>> date(_node(length=8), "%d.%m.%Y")("21.11.2026")
    '20261121'
    """
    formats = [part for part in argument.split("|") if part]
    for part in formats:
        try:
            datetime.strptime(datetime(2026, 11, 21, 10, 30, 59).strftime(part), part)  # noqa: DTZ001, DTZ007
        except (ValueError, re.error):
            raise BadArgument(f"不是日期格式 {part}", f"{part} is no format of a date") from None
    pattern = "%Y%m%d" if node.length == 8 else "%Y%m%d%H%M%S"

    def convert(cell: str) -> str:
        try:
            return (_as_told(cell, formats) if formats else _moment(narrow_time(cell))).strftime(pattern)
        except (ValueError, OverflowError):
            raise Unfit("M032") from None

    return convert


def narrow_time(cell: str) -> str:
    """A time in half-width with its blanks kept."""
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell)


def _as_told(cell: str, formats: Sequence[str]) -> datetime:
    for part in formats:
        try:
            return datetime.strptime(cell, part)  # noqa: DTZ007  partners write China's time
        except ValueError:
            continue
    raise ValueError(cell)


def _moment(cell: str) -> datetime:
    if serial := _SERIAL.fullmatch(cell):
        days = int(serial[1])
        if not _SERIAL_DAYS[0] <= days <= _SERIAL_DAYS[1]:
            raise ValueError(cell)
        seconds = rounded(Decimal(f"0.{serial[2] or 0}") * 86400, 0)
        return _EPOCH + timedelta(days=days, seconds=int(seconds))
    match = _DATE.fullmatch(cell)
    if match is None:
        raise ValueError(cell)
    year, month, day, month2, day2, hour, minute, second, zone = match.groups()
    moment = datetime(  # noqa: DTZ001
        int(year), int(month or month2), int(day or day2), int(hour or 0), int(minute or 0), int(second or 0)
    )
    if zone:
        offset = timedelta() if zone in "Zz" else timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        moment = moment.replace(tzinfo=timezone(-offset if zone[0] == "-" else offset)).astimezone(_CHINA)
    return moment


def code(_node: Node, argument: str) -> Convert:
    """A code of the table named by the argument, given as the code or as its name.

    >>> convert = code(_node(length=3), "unit")
    >>> convert("件"), convert("011"), convert("公斤"), convert("11")
    ('011', '011', '035', '011')
    >>> convert("铜板")
    Traceback (most recent call last):
    mapping.verbs.Unfit: M033
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

    >>> choice(_node(length=1), "身份证=1|1")("身份证")
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


def _node(base: str = "xs:string", length: int | None = None, fraction_digits: int | None = None) -> Node:
    return Node("x", "x", 1, 1, base, length=length, fraction_digits=fraction_digits)


CELL_VERBS: Final = {
    "text": CellVerb(text, "none", "原样照抄", "the cell as it stands"),
    "narrow": CellVerb(narrowed, "none", "全角转半角，去掉空格", "full-width made half-width, blanks taken out"),
    "number": CellVerb(number, "may", "数值，可写千分位；参数为保留的小数位", "a number; the argument rounds it to so many decimals"),
    "whole": CellVerb(whole, "none", "整数", "a whole number"),
    "date": CellVerb(date, "may", "日期或时间，年在前，或 Excel 序列值；参数为格式", "a day or time, the year first, or Excel's serial number; the argument names formats"),
    "code": CellVerb(code, "must", "代码或名称，参数为代码表", "a code or its name; the argument names the table"),
    "choice": CellVerb(choice, "must", "列出的词之一：词=值|词=值", "one of the words listed: word=value|word=value"),
}  # fmt: skip
