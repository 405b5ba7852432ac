"""Reading a file of rates: every mistake is a finding with its line, and a file with one is good for nothing.

The columns are those of rates.csv; `hs`, `valid_from`, `duty`, `vat` and `ct_type` must be filled.
A table that a home goes by already may have been taken in when less was asked: what was read then is read, and told.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from message_specs.codes import table
from message_specs.findings import Finding, Severity, finding
from message_specs.trade.rates import COLUMNS, Consumption, Rate, measures, rate_of

_REQUIRED = COLUMNS[:6]
_WHOLE = Decimal(100)
_MOST = Decimal(10**9)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What is written in another way than these -> the code by which that is told.
_WRITTEN: Mapping[str, tuple[re.Pattern[str], str]] = {
    **dict.fromkeys(("valid_from", "valid_to"), (_DAY, "T323")),
    **dict.fromkeys(("duty", "vat", "ct_rate", "ct_threshold"), (_NUMBER, "T324")),
}
# ct_type -> whether a rate, a threshold and a measure belong to it: they must, may or must not be there.
_FILLED: Mapping[str, tuple[str, str, str]] = {
    Consumption.NONE: ("no", "no", "no"),
    Consumption.AD_VALOREM: ("must", "no", "no"),
    Consumption.THRESHOLD: ("must", "may", "may"),
    Consumption.SPECIFIC: ("no", "no", "no"),
    Consumption.COMPOUND: ("may", "no", "no"),
}


def read_rates(data: bytes, *, installed: bool = False) -> tuple[tuple[Rate, ...], tuple[Finding, ...]]:
    r"""The rates of a CSV file and everything wrong with it; no rates where that is an error.

    Of a table that is `installed` short rows, and numbers and days written in other ways, are warnings.

    >>> head = "hs,valid_from,valid_to,duty,vat,ct_type\n"
    >>> read_rates((head + "2203000000,2026-01-01,,0,13,specific\n").encode())[0][0].hs
    '2203000000'
    >>> [(one.code, one.row) for one in read_rates((head + "22030000,2026-01-01,,0,13,specific\n").encode())[1]]
    [('T322', 2)]
    """
    try:
        text = data.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except UnicodeDecodeError as error:
        return (), (finding("T320", place=str(error.start)),)
    except csv.Error as error:
        return (), (finding("T321", row=reader.line_num, reason=str(error)),)
    heads = [cell.strip() for cell in rows[0][1]] if rows else []
    if problem := tuple(_headings(heads)):
        return (), problem
    found: list[Finding] = []
    read: list[tuple[int, Rate]] = []
    for line, cells in rows[1:]:
        if cells[0].lstrip().startswith("#"):
            continue
        row = dict.fromkeys(COLUMNS, "") | dict(zip(heads, (cell.strip() for cell in cells), strict=False))
        if installed:
            found += _rewritten(row, line)
        wrong = tuple(_wrong(row, line))
        if len(cells) != len(heads):
            wrong = (_uneven(line, len(cells), len(heads), installed=installed), *wrong)
        found += wrong
        if not _is_bad(wrong):
            read.append((line, rate_of(row)))
    found += _overlaps(read)
    rates = () if _is_bad(found) else tuple(rate for _, rate in read)
    return rates, tuple(sorted(found, key=lambda one: one.row or 0))


def _uneven(line: int, cells: int, heads: int, *, installed: bool) -> Finding:
    # A row with less in it may be where the file was cut, and half a rate is a rate too.
    severity = Severity.WARNING if installed and cells < heads else None
    return finding("T330", row=line, found=str(cells), expected=str(heads), severity=severity)


def _is_bad(found: Iterable[Finding]) -> bool:
    return any(one.severity is Severity.ERROR for one in found)


def _rewritten(row: dict[str, str], line: int) -> Iterator[Finding]:
    """Each number and day of the row stands as described; what was written in another way is told."""
    for name, (way, code) in _WRITTEN.items():
        text = row[name]
        if not way.fullmatch(text) and (plain := _plain(text, is_day=way is _DAY)):
            row[name] = plain
            yield finding(code, row=line, path=name, value=text, name=name, severity=Severity.WARNING)


def _plain(text: str, *, is_day: bool) -> str:
    """A day or number in the way described, "" where it is none.

    >>> _plain("+13.", is_day=False), _plain("1e1", is_day=False), _plain("2026-W01-1", is_day=True)
    ('13', '', '2025-12-29')
    """
    try:
        if is_day:
            return date.fromisoformat(text if len(text) == len("2026-01-31") else "").isoformat()
        value = Decimal(text)
    except (ValueError, InvalidOperation):
        return ""
    return f"{abs(value):f}" if value.is_finite() and value >= 0 and "e" not in text.lower() else ""


def _headings(heads: list[str]) -> Iterator[Finding]:
    for name in _REQUIRED:
        if name not in heads:
            yield finding("T328", row=1, path=name, name=name)
    for name in heads:
        if name not in COLUMNS or heads.count(name) > 1:
            yield finding("T329", row=1, value=name, name=name)


def _wrong(row: Mapping[str, str], line: int) -> Iterator[Finding]:
    hs = row["hs"]
    if len(hs) != 10 or not (hs.isascii() and hs.isdigit()):
        yield finding("T322", row=line, path="hs", value=hs)
    yield from _days(row, line)
    for name in ("duty", "vat"):
        if not _is_percent(row[name], above=_MOST if name == "duty" else _WHOLE):
            yield finding("T324", row=line, path=name, value=row[name], name=name)
    yield from _consumption(row, line)
    for name in ("unit1", "unit2"):
        if row[name] and row[name] not in table("unit"):
            yield finding("T326", row=line, path=name, value=row[name], name=name)


def _days(row: Mapping[str, str], line: int) -> Iterator[Finding]:
    days: dict[str, date] = {}
    for name in ("valid_from", "valid_to"):
        text = row[name]
        try:
            if text or name == "valid_from":
                days[name] = date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            yield finding("T323", row=line, path=name, value=text, name=name)
    if len(days) == 2 and days["valid_to"] < days["valid_from"]:
        yield finding("T323", row=line, path="valid_to", value=row["valid_to"], name="valid_to")


def _consumption(row: Mapping[str, str], line: int) -> Iterator[Finding]:
    kind = row["ct_type"]
    if kind not in _FILLED:
        yield finding("T325", row=line, path="ct_type", value=kind, name="ct_type")
        return
    for name, rule in zip(("ct_rate", "ct_threshold", "ct_per"), _FILLED[kind], strict=True):
        if (rule == "must" and not row[name]) or (rule == "no" and row[name]):
            yield finding("T325", row=line, path=name, value=row[name], name=name)
    if row["ct_rate"] and not _is_percent(row["ct_rate"], above=_WHOLE):
        yield finding("T324", row=line, path="ct_rate", value=row["ct_rate"], name="ct_rate")
    if row["ct_threshold"] and not _is_percent(row["ct_threshold"], above=_MOST):
        yield finding("T324", row=line, path="ct_threshold", value=row["ct_threshold"], name="ct_threshold")
    known = {measure.per for measure in measures()}
    if bool(row["ct_threshold"]) != bool(row["ct_per"]) or (row["ct_per"] and row["ct_per"] not in known):
        yield finding("T325", row=line, path="ct_per", value=row["ct_per"], name="ct_per")


def _is_percent(text: str, *, above: Decimal) -> bool:
    # A tax of the whole price or more leaves no price to reckon from.
    return bool(_NUMBER.fullmatch(text)) and Decimal(text) < above


def _overlaps(read: list[tuple[int, Rate]]) -> Iterator[Finding]:
    before: dict[str, tuple[int, Rate]] = {}
    for line, rate in sorted(read, key=lambda one: (one[1].hs, one[1].valid_from, one[0])):
        earlier = before.get(rate.hs)
        if earlier and rate.valid_from <= _end(earlier[1]):
            first, second = sorted((earlier[0], line))
            yield finding("T327", row=second, path="valid_from", value=rate.hs, hs=rate.hs, first=str(first))
        if earlier is None or _end(earlier[1]) <= _end(rate):
            before[rate.hs] = (line, rate)


def _end(rate: Rate) -> date:
    return rate.valid_to or date.max
