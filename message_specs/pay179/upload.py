"""What is uploaded and what is signed: each part is written once, and the same text stands in both.

The signed text is four parts joined by two bars, with the inner JSON as it is:
`"sessionID":"…"||"payExchangeInfoHead":"{…}"||"payExchangeInfoLists":"[…]"||"serviceTime":"…"`.
Order, names (misspellings too) and lengths of the fields are rows of parts.csv.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from message_specs.findings import Finding, finding

FORM_FIELD: Final = "payExInfoStr"
_encode = msgspec.json.Encoder(decimal_format="number").encode
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of parts.csv."""

    name: str
    kind: str
    length: int
    required: bool


@dataclass(frozen=True, slots=True)
class Texts:
    """The parts of one upload as they are written; nothing is formatted anew after this."""

    session: str
    head: str
    lists: str
    service_time: str

    @property
    def signed(self) -> bytes:
        """The octets that are signed.

        >>> Texts("S1", '{"guid":"G"}', '[{"orderNo":"O1"}]', "1700000000000").signed.decode()[:50]
        '"sessionID":"S1"||"payExchangeInfoHead":"{"guid":"'
        """
        return (
            f'"sessionID":"{self.session}"||"payExchangeInfoHead":"{self.head}"'
            f'||"payExchangeInfoLists":"{self.lists}"||"serviceTime":"{self.service_time}"'
        ).encode()

    def sealed(self, cert_no: str, sign_value: str) -> str:
        """The JSON text of the whole upload."""
        return (
            f'{{"sessionID":{_json(self.session)},"payExchangeInfoHead":{self.head},'
            f'"payExchangeInfoLists":{self.lists},"serviceTime":"{self.service_time}",'
            f'"certNo":{_json(cert_no)},"signValue":{_json(sign_value)}}}'
        )


def form(sealed: str) -> bytes:
    """The body of the POST: one form field with the JSON text."""
    return urlencode({FORM_FIELD: sealed}).encode("ascii")


def texts(session: str, head: Facts, lists: Sequence[Facts], service_time: int) -> Texts:
    """The parts of an upload, compact, in the order of the notice; what is optional and empty is left out.

    >>> texts("S1", {"guid": "G", "totalAmount": "5.0", "note": ""}, [{"orderNo": "O/1"}], 17).head
    '{"guid":"G","totalAmount":5.0}'
    """
    rows = [_ordered("list", one) for one in lists]
    return Texts(session, _json(_ordered("head", head)), _json(rows), str(service_time))


def _json(value: object) -> str:
    return _encode(value).decode()


def _ordered(part: str, values: Facts) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for field in fields(part):
        value = values.get(field.name)
        if value in (None, ""):
            continue
        if field.kind == "amount":
            told[field.name] = Decimal(f"{Decimal(value):f}")
        elif field.kind == "goods":
            told[field.name] = [_ordered("goods", one) for one in value]
        else:
            told[field.name] = value
    return told


@cache
def fields(part: str) -> tuple[Field, ...]:
    """The fields of head, list or goods, in their order.

    >>> [one.name for one in fields("goods")]
    ['gname', 'itemLink']
    """
    with Path(__file__).with_name("parts.csv").open(encoding="utf-8", newline="") as source:
        rows = [row for row in csv.DictReader(source) if row["part"] == part]
    return tuple(Field(row["name"], row["kind"], int(row["length"] or 0), row["required"] == "yes") for row in rows)


@cache
def allowed(name: str) -> tuple[str, ...]:
    """The values that a field may have; none where it may have any.

    >>> allowed("verDept"), allowed("note")
    (('1', '2', '3'), ())
    """
    with Path(__file__).with_name("codes.csv").open(encoding="utf-8", newline="") as source:
        return tuple(row["value"] for row in csv.DictReader(source) if row["field"] == name)


def wrong(part: str, values: Facts, path: str = "") -> Iterator[Finding]:
    """Yield what keeps these values from being uploaded: lacking, too long, no amount, not one of the codes."""
    for field in fields(part):
        value, place = values.get(field.name), f"{path}{field.name}"
        if value in (None, "", [], ()):
            if field.required:
                yield finding("D105", path=place, name=place)
        elif field.kind == "goods":
            for at, one in enumerate(value, 1):
                yield from wrong("goods", one, f"{place}[{at}]/")
        else:
            yield from _wrong_text(field, str(value), place)


def _wrong_text(field: Field, text: str, place: str) -> Iterator[Finding]:
    if field.kind == "amount":
        if not _is_amount(text):
            yield finding("D106", path=place, name=place, value=text)
    elif len(text) > field.length:
        yield finding("D107", path=place, name=place, limit=str(field.length), found=str(len(text)))
    codes = allowed(field.name)
    if codes and text not in codes:
        yield finding("D108", path=place, name=place, value=text, expected=", ".join(codes))


def _is_amount(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and value >= 0 and -value.as_tuple().exponent <= 5 and value < 10**14  # type: ignore[operator]
