"""The operator's tables of foreign exchange: fx-directory.csv, fx-rates.csv and fx-codes.csv of a home.

A home without them knows no firm, no rate but the dollar's and no transaction code but those of goods: what rests on
more is then held or refused with that reason.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeVar

from gateway.config_files import Problem
from gateway.config_shapes import Partner
from message_specs.exchange import Code, Grade, Tables, Worth, organisations

DIRECTORY: Final = "fx-directory.csv"
RATES: Final = "fx-rates.csv"
CODES: Final = "fx-codes.csv"
_COLUMNS: Final = {DIRECTORY: ["code", "grade", "since", "until", "note"],
                   RATES: ["currency", "usd", "since", "until", "note"],
                   CODES: ["code", "bill", "since", "until", "note"]}  # fmt: skip
_ORGANISATION: Final = 9
_CREDIT: Final = 18
Line = TypeVar("Line", Grade, Worth, Code)


def read_tables(home: Path, partners: Mapping[str, Partner], problems: list[Problem]) -> Tables:
    """Return what the tables of this home say, and add what is wrong with them to `problems`."""
    grades = tuple(_lines(home, DIRECTORY, _grade, problems))
    worths = tuple(_lines(home, RATES, _worth, problems))
    codes = tuple(_lines(home, CODES, _code, problems))
    paying = (name for name, one in partners.items() if "payment" in one.roles and "bank" not in one.roles)
    return Tables(grades, worths, codes, frozenset(paying), _organisations(partners.values()))


def _organisations(partners: Iterable[Partner]) -> dict[str, frozenset[str]]:
    return {
        code: found
        for one in partners
        if (found := organisations((one.code, *one.also_codes)))
        for code in (one.code, *one.also_codes)
        if code
    }


def _lines(home: Path, file: str, made: Callable[[Mapping[str, str]], Line], problems: list[Problem]) -> Iterator[Line]:
    try:
        text = (home / file).read_text("utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file, None, f"cannot be read: {error}", "Save it as CSV in UTF-8."))
        return
    reader = csv.DictReader(text.splitlines())
    if reader.fieldnames != _COLUMNS[file]:
        cure = f"Write as its first line: {','.join(_COLUMNS[file])}"
        problems.append(Problem(file, 1, "the first line does not name the columns", cure))
        return
    for row in reader:
        try:
            yield made(row)
        except (ValueError, InvalidOperation, AttributeError) as error:
            problems.append(Problem(file, reader.line_num, f"this line says nothing: {error}", "Mend or delete it."))


def _grade(row: Mapping[str, str]) -> Grade:
    code, grade = row["code"].strip(), row["grade"].strip()
    if len(code) == _CREDIT:
        code = code[8:17]
    if len(code) != _ORGANISATION:
        raise ValueError(f"code {code}")
    if grade not in ("A", "B", "C"):
        raise ValueError(f"grade {grade}")
    return Grade(code, grade, date.fromisoformat(row["since"]), _day(row["until"]))


def _worth(row: Mapping[str, str]) -> Worth:
    usd = Decimal(row["usd"])
    if not usd.is_finite() or usd <= 0:
        raise ValueError(f"usd {row['usd']}")
    return Worth(row["currency"].strip(), usd, date.fromisoformat(row["since"]), _day(row["until"]))


def _code(row: Mapping[str, str]) -> Code:
    code, bill = row["code"].strip(), row["bill"].strip()
    if not re.fullmatch(r"[1-9]\d{4,5}", code):
        raise ValueError(f"code {code}")
    if bill not in ("Y", "N"):
        raise ValueError(f"bill {bill}")
    return Code(code, bill == "Y", date.fromisoformat(row["since"]), _day(row["until"]))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
