"""How a verification service is spoken to: what it is sent and what its codes mean, as rows by dialect.

A vendor is a few rows in identity_requests.csv and identity_answers.csv; no Python knows one.
"""

import csv
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from message_specs.verdict import Verdict


@cache
def _rows(name: str) -> tuple[Mapping[str, str], ...]:
    text = files("adapters").joinpath(name).read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def answers() -> tuple[Mapping[str, str], ...]:
    """Return every row of identity_answers.csv: dialect, path, code, verdict, note."""
    return _rows("identity_answers.csv")


def dialects() -> tuple[str, ...]:
    """Return every dialect there is.

    >>> dialects()
    ('generic', 'aliyun', 'aliyun-number', 'tencent', 'huawei')
    """
    return tuple(dict.fromkeys(row["dialect"] for row in _rows("identity_requests.csv")))


def request_of(dialect: str, name: str, number: str) -> dict[str, str]:
    """Return what a service of this dialect is sent.

    >>> request_of("tencent", "苏知夏", "330199195102020018")
    {'Name': '苏知夏', 'IdCard': '330199195102020018'}
    """
    sha256 = hashlib.sha256(f"{name}{number}".encode()).hexdigest()
    words = {"{name}": name, "{number}": number, "{sha256}": sha256}
    rows = _rows("identity_requests.csv")
    return {row["field"]: words.get(row["value"], row["value"]) for row in rows if row["dialect"] == dialect}


def verdict_of(dialect: str, answer: object) -> Verdict | None:
    """Return what an answer of this dialect means; None where no row knows it.

    >>> verdict_of("aliyun", {"Code": "200", "ResultObject": {"BizCode": "2"}})
    <Verdict.MISMATCH: 'MISMATCH'>
    >>> verdict_of("tencent", {"Response": {"Result": -7}}), verdict_of("tencent", {"Response": []})
    (<Verdict.LIMIT: 'LIMIT'>, None)
    """
    for row in answers():
        if row["dialect"] == dialect and _at(answer, row["path"]) == row["code"]:
            return Verdict(row["verdict"])
    return None


def _at(answer: object, path: str) -> str | None:
    """Return the text or the whole number at a path; None where anything else or nothing stands there."""
    found = answer
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else None
