"""Reading a file of rates: every mistake is a finding with its line, and a file with one is good for nothing.

The columns are those of rates.csv; `hs`, `valid_from`, `duty`, `vat` and `ct_type` must be filled.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from message_specs.codes import table
from message_specs.findings import Finding, finding
from message_specs.trade.rates import COLUMNS, Consumption, Rate, measures, rate_of

_REQUIRED = COLUMNS[:6]
_WHOLE = Decimal(100)
_MOST = Decimal(10**9)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# ct_type -> whether a rate, a threshold and a measure belong to it: they must, may or must not be there.
_FILLED: Mapping[str, tuple[str, str, str]] = {
    Consumption.NONE: ("no", "no", "no"),
    Consumption.AD_VALOREM: ("must", "no", "no"),
    Consumption.THRESHOLD: ("must", "may", "may"),
    Consumption.SPECIFIC: ("no", "no", "no"),
    Consumption.COMPOUND: ("may", "no", "no"),
}


def read_rates(data: bytes) -> tuple[tuple[Rate, ...], tuple[Finding, ...]]:
    r"""The rates of a CSV file and everything wrong with it; no rates where anything is.

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
        wrong = tuple(_wrong(row, line))
        # A row with less in it may be where the file was cut, and half a rate is a rate too.
        if len(cells) != len(heads):
            wrong = (finding("T330", row=line, found=str(len(cells)), expected=str(len(heads))), *wrong)
        found += wrong
        if not wrong:
            read.append((line, rate_of(row)))
    found += _overlaps(read)
    return (() if found else tuple(rate for _, rate in read)), tuple(sorted(found, key=lambda one: one.row or 0))


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
