"""Which official error number a finding of ours has, where one fits: the rows of ceb/finding_numbers.csv.

A row names a finding or the first characters of several, one spec or all (*), and, where it matters, the
element concerned.  Numbers with a sign are those of the import and export system, the others (0001, 1001)
those of the exchange platform; what each means stands in ceb/error_codes.csv.
"""

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "ceb" / "finding_numbers.csv"
_STEP = re.compile(r"\[(?:'[^']*'|\"[^\"]*\"|[^\]])*\]")
# The brackets of [Code:…;Desc:…] are its readers' only landmarks.
_BRACKETS = str.maketrans("[]", "［］")


@cache
def rows() -> Mapping[tuple[str, str, str], str]:
    """Every number by the finding, the spec and the element that its row names."""
    with _FILE.open(encoding="utf-8", newline="") as source:
        return {(row["finding"], row["spec"], row["name"]): row["number"] for row in csv.DictReader(source)}


def official_number(code: str, spec: str, name: str = "") -> str:
    """The official number of a finding about an element of that spec, "" where none fits.

    The row that names the finding most closely wins, then the one that names the spec, then the element.

    >>> official_number("S020", "CEB311", "OrderList"), official_number("S020", "CEB311", "orderNo")
    ('-301001', '-301008')
    >>> official_number("S032", "CEB603"), official_number("C210", "CEB311")
    ('0002', '')
    """
    for length in range(len(code), 0, -1):
        for whose in (spec, "*"):
            for element in (name, ""):
                if number := rows().get((code[:length], whose, element)):
                    return number
    return ""


def as_returned(code: str, zh: str, *, spec: str, path: str = "") -> str:
    """What a returnInfo says of a finding: in the form of customs where it has an official number.

    >>> as_returned("S020", "缺少 orderNo", spec="CEB311", path="/CEB311Message/Order[1]/OrderHead/orderNo")
    '[Code:-301008;Desc:S020 缺少 orderNo]'
    >>> as_returned("C210", "金额不符", spec="CEB311")
    '[C210] 金额不符'
    """
    number = official_number(code, spec, _STEP.sub("", path).rpartition("/")[2])
    return f"[Code:{number};Desc:{code} {zh.translate(_BRACKETS)}]" if number else f"[{code}] {zh}"
