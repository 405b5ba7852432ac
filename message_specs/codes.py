"""What a code means, on a given day: the tables beside this module, and what a receipt status promises.

The tables are facts gathered from public sources (customs districts: the table of January 2020); a
platform puts the current official ones in their place before it goes live, so membership is a warning.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_NEGATIVE = "<0"


@dataclass(frozen=True, slots=True)
class Row:
    """One code of a table, and the days on which it holds; None leaves that end open."""

    code: str
    zh: str
    en: str
    since: date | None
    until: date | None

    def holds(self, on: date) -> bool:
        """Whether the code is in force on that day, first and last day included."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


@dataclass(frozen=True, slots=True)
class Status:
    """What a receipt status says: interim, final or refused; `known` is False where no row names it."""

    status: str
    zh: str
    en: str
    outcome: str
    known: bool


@dataclass(frozen=True, slots=True)
class OfficialError:
    """An error number that customs or the exchange platform answers with, in our own words."""

    scope: str
    code: str
    zh: str
    en: str


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def table(name: str) -> Mapping[str, tuple[Row, ...]]:
    """The rows of codes/NAME.csv by code; a code whose meaning changed has several.

    >>> [row.zh for row in table("unit")["035"]]
    ['千克']
    """
    found: dict[str, tuple[Row, ...]] = {}
    for line in _rows(_FOLDER / "codes" / f"{name}.csv"):
        row = Row(line["code"], line["zh"], line["en"], _day(line["from"]), _day(line["until"]))
        found[row.code] = (*found.get(row.code, ()), row)
    return found


@lru_cache(maxsize=256)
def codes_on(name: str, on: date) -> frozenset[str]:
    """The codes of that table that hold on that day.

    >>> "G" in codes_on("transport_mode", date(2017, 1, 1)), "G" in codes_on("transport_mode", date(2026, 1, 1))
    (False, True)
    """
    return frozenset(code for code, rows in table(name).items() if any(row.holds(on) for row in rows))


def meaning(name: str, code: str, on: date) -> Row | None:
    """What the code means in that table on that day; None when it means nothing then.

    >>> meaning("country", "116", date(2026, 11, 21)).zh
    '日本'
    """
    return next((row for row in table(name).get(code, ()) if row.holds(on)), None)


@lru_cache(maxsize=64)
def limit_on(name: str, on: date) -> tuple[str, Decimal] | None:
    """What the limit of this name is called and how many yuan it is on that day; None where there is none then.

    >>> limit_on("single_purchase", date(2018, 6, 1)), limit_on("export_list", date(2018, 6, 1))
    (('单次交易限值', Decimal('2000')), None)
    """
    for row in _rows(_FOLDER / "codes" / "limits.csv"):
        dated = Row(row["code"], row["zh"], row["en"], _day(row["from"]), _day(row["until"]))
        if dated.code == name and dated.holds(on):
            return dated.zh, Decimal(row["amount"])
    return None


@cache
def trade_modes_of(order_type: str) -> frozenset[str]:
    """The trade modes under which the goods of an order of that type are declared; none for an unknown type.

    An order names its type, an inventory its trade mode: whoever matches the two asks here.

    >>> sorted(trade_modes_of("E")), sorted(trade_modes_of("B")), sorted(trade_modes_of("X"))
    (['1210', '1239', '9610'], ['9710'], [])
    """
    rows = _rows(_FOLDER / "codes" / "order_type.csv")
    return frozenset(mode for row in rows if row["code"] == order_type for mode in row["modes"].split())


def order_types_of(trade_mode: str) -> tuple[str, ...]:
    """The types of order whose goods are declared under that trade mode.

    >>> order_types_of("9810"), order_types_of("0110")
    (('W',), ())
    """
    rows = _rows(_FOLDER / "codes" / "order_type.csv")
    return tuple(row["code"] for row in rows if trade_mode in row["modes"].split())


@cache
def _statuses() -> Mapping[tuple[str, str], Status]:
    return {
        (row["spec"], row["status"]): Status(row["status"], row["zh"], row["en"], row["outcome"], known=True)
        for row in _rows(_FOLDER / "codes" / "receipt_status.csv")
    }


@lru_cache(maxsize=1024)
def receipt_status(spec: str, status: str) -> Status:
    """What a status means in a receipt of that spec: every negative one refuses, an unknown one is interim.

    >>> receipt_status("CEB312", "120").outcome, receipt_status("CEB622", "120").outcome
    ('final', 'interim')
    >>> receipt_status("CEB622", "-621018").outcome, receipt_status("CEB622", "600").known
    ('refused', False)
    >>> receipt_status("CEB792", "A").zh, receipt_status("CEB818", "3").outcome
    ('报关单状态（A）', 'interim')
    """
    text = status.strip()
    rows = _statuses()
    known = rows.get((spec, text))
    if known is None and (spec, "*") in rows:
        # A spec with a vocabulary of its own: what the others mean by the same text is not meant here.
        return _named(rows[spec, "*"], text)
    known = known or rows.get(("*", text))
    if known:
        return known
    if text.startswith("-") and text[1:].isdigit():
        error = official_error(text)
        negative = rows["*", _NEGATIVE]
        return Status(text, error.zh, error.en, "refused", known=True) if error else _named(negative, text)
    return Status(text, f"未知回执状态 {text}", f"unknown status {text}", "interim", known=False)


def _named(status: Status, text: str) -> Status:
    return Status(text, f"{status.zh}（{text}）", f"{status.en} ({text})", status.outcome, status.known)


@cache
def _errors() -> Mapping[str, OfficialError]:
    return {row["code"]: OfficialError(**row) for row in _rows(_FOLDER / "ceb" / "error_codes.csv")}


def official_error(code: str) -> OfficialError | None:
    """What an official error number means, e.g. `-621018` or the `1313` of `[Code:1313;Desc:…]`.

    >>> official_error("1332").en
    'amount paid in the payment differs from the amount of the order'
    """
    return _errors().get(code)
