"""Days and times as partners write them, the year first; or Excel's serial numbers; or any format that a map names."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from mapping.fitting import BadArgument, Convert, Unfit, a_field, rounded
from message_specs.tables import Node

__all__ = ["a_field", "date"]

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_SERIAL: Final = re.compile(r"(\d{5})(?:\.(\d+))?", re.ASCII)
_SERIAL_DAYS: Final = (36526, 73050)
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001  Excel's days have no zone; partners mean China
_DATE: Final = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))"
    r"(?:[ T]*(\d{1,2}):?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?([Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def date(node: Node, argument: str) -> Convert:
    """A day or a time, the year first, a serial number of Excel, or as the formats of the argument (| between) say.

    >>> convert = date(a_field(length=14), "")
    >>> convert("2026-11-21 9:05"), convert("2026年1月2日"), convert("46347.5"), convert("2026-11-21T01:00:00Z")
    ('20261121090500', '20260102000000', '20261121120000', '20261121090000')
    >>> date(a_field(length=8), "%d.%m.%Y")("21.11.2026")
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
