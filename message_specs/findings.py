"""A finding is one thing wrong in a message, with its place, its wording and its remedy.

The wordings stand in findings.csv, one row a code, and nowhere in Python.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("findings.csv")
_VALUE_SHOWN = 200


class Severity(StrEnum):
    """An error stops the document; a warning only goes with it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said under one code, and who has to mend it: the partner or the operator."""

    code: str
    severity: Severity
    mender: str
    zh: str
    en: str
    hint: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. `document` is its ordinal from 1; None means the whole message."""

    code: str
    severity: Severity
    zh: str
    en: str
    hint: str
    document: int | None = None
    path: str = ""
    line: int | None = None
    column: int | None = None
    row: int | None = None
    cell: str | None = None
    value: str | None = None

    def as_dict(self) -> dict[str, str | int | None]:
        """The finding under the keys that `kouan check --json` and the acknowledgements promise."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "document": self.document,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "row": self.row,
            "cell": self.cell,
            "value": self.value,
            "zh": self.zh,
            "en": self.en,
            "hint": self.hint,
        }


class _Words(dict[str, str]):
    """The words of one finding; a word nobody gave is left out."""

    def __missing__(self, word: str) -> str:
        return ""


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wording]:
    """Every wording of findings.csv by its code."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Wording(
                row["code"], Severity(row["severity"]), row["mender"], row["zh"], row["en"], row["hint"]
            )
            for row in csv.DictReader(file)
        }


def shown(value: str) -> str:
    """The value as far as a finding quotes it.

    >>> shown("x" * 500) == "x" * 199 + "…"
    True
    >>> shown("142")
    '142'
    """
    return value if len(value) <= _VALUE_SHOWN else value[: _VALUE_SHOWN - 1] + "…"


def finding(
    code: str,
    *,
    document: int | None = None,
    path: str = "",
    line: int | None = None,
    column: int | None = None,
    row: int | None = None,
    cell: str | None = None,
    value: str | None = None,
    severity: Severity | None = None,
    **words: str,
) -> Finding:
    """A finding worded from findings.csv; `words` fill the {places} of its sentences.

    >>> finding("S032", value="USDX", name="currency", limit="3", found="4").en
    'currency is too long: 4 characters, at most 3 are allowed'
    """
    wording = wordings()[code]
    filled = _Words(words)
    return Finding(
        code,
        severity or wording.severity,
        wording.zh.format_map(filled),
        wording.en.format_map(filled),
        wording.hint.format_map(filled),
        document,
        path,
        line,
        column,
        row,
        cell,
        None if value is None else shown(value),
    )
