"""Purchases and general declarations: tables of a firm, mapped, checked and written down once.

What is loaded again with the same content changes nothing; with other content it is refused, for a declaration may
rest on it already.  One file is in the ledger whole or not at all.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

from gateway.config import Partner
from gateway.maps import facts_of, house_map
from gateway.settling import iso
from mapping.apply import map_file
from mapping.judging import judge, transfer_of
from mapping.tracing import placed_in_sheet, traced
from message_specs.amounts import amount
from message_specs.document import Document
from message_specs.findings import Finding, Severity, finding
from spool.ledger import Ledger

MAPS: Final = {"purchases": "invoices-tax111", "exports": "declarations-tax121"}
_SPECS: Final = {"purchases": "TAX111", "exports": "TAX121"}
_TOLERANCE: Final = Decimal("0.01")
_LARGEST: Final = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many lines a file holds, how many are new, and what is wrong; with an error nothing is written."""

    lines: int
    fresh: int
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it was written."""
        return any(one.severity is Severity.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True)
class _Line:
    number: str
    line: int
    day: str
    hs: str
    body: str


def load(
    ledger: Ledger, home: Path, kind: str, file: Path, map_name: str, partner: Partner, holder: str, now: datetime
) -> Loaded:
    """The lines of the file are in the ledger, or it tells why not; `holder` is the taxpayer whose they are."""
    used = house_map(home, map_name or MAPS[kind])
    if used.spec.code != _SPECS[kind]:
        return Loaded(0, 0, (finding("S010", name=used.spec.code, expected=_SPECS[kind]),))
    found: list[Finding] = []
    lines: list[_Line] = []
    with file.open("rb") as source:
        run = map_file(source, file.name, used, facts_of(partner, now))
        for batch in run.batches():
            judged = judge(run, batch, transfer_of(facts_of(partner, now).partner), today=now.date())
            found += judged.findings
            for one, document in zip(batch, judged.documents, strict=False):
                lines += _lines(kind, document)
                found += traced(run, replace(one, findings=[]), _checks(kind, document, holder))
    found = [*(placed_in_sheet(run, one) for one in run.findings), *found]
    loaded = Loaded(len(lines), 0, tuple(found))
    return loaded if loaded.is_refused else _written(ledger, kind, holder, lines, tuple(found), iso(now))


def _lines(kind: str, document: Document) -> Iterator[_Line]:
    head = document.head
    for line in document.lines:
        gnum = int(amount(line.get("gnum")))
        body = json.dumps({**head, **line}, ensure_ascii=False, sort_keys=True)
        if kind == "purchases":
            yield _Line(head.get("jhpzh", ""), gnum, _day(head.get("kprq", "")), line.get("ckspdm", ""), body)
        else:
            yield _Line(head.get("entryId", ""), gnum, _day(head.get("ckrq", "")), line.get("gcode", ""), body)


def _checks(kind: str, document: Document, holder: str) -> Iterator[Finding]:
    if kind != "purchases":
        return
    number = document.head.get("jhpzh", "")
    buyer = document.head.get("gmfsbh", "")
    if buyer != holder:
        place = "InvoiceHead/gmfsbh"
        yield finding("X122", document=document.ordinal, path=place, value=buyer, names=number, expected=holder)
    for row, line in enumerate(document.lines, 1):
        base, rate, tax = (amount(line.get(name)) for name in ("jsje", "zsl", "se"))
        if not all(one.is_finite() and abs(one) < _LARGEST for one in (base, rate, tax)):
            continue  # the spec has told of it
        due = (base * rate / 100).quantize(_TOLERANCE, ROUND_HALF_UP)
        if abs(due - tax) > _TOLERANCE:
            place = f"InvoiceList[{row}]/se"
            told = line.get("se", "")
            yield finding(
                "X113", document=document.ordinal, path=place, value=told, found=told, expected=f"{due:f}"
            )  # fmt: skip


def _written(ledger: Ledger, kind: str, holder: str, lines: list[_Line], found: tuple[Finding, ...], at: str) -> Loaded:
    fresh, wrong = 0, []
    one = "purchase" if kind == "purchases" else "export"
    with ledger.writing():
        for line in lines:
            standing = ledger.one(one, line.number, line.line)
            if standing is not None and (standing["body"] != line.body or standing["holder"] != holder):
                wrong.append(finding("X114", path=line.number, value=line.number, names=f"{line.number}/{line.line}"))
            fresh += standing is None
        for line in lines if not wrong else ():
            values = (holder, line.number, line.line, line.day)
            if kind == "purchases":
                ledger.run("add_purchase", *values, line.hs, at, line.body)
            else:
                ledger.run("add_export", *values, at, line.body)
    return Loaded(len(lines), 0 if wrong else fresh, (*found, *wrong))


def _day(text: str) -> str:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()
    except ValueError:
        return ""


def texts_of(body: str) -> Mapping[str, str]:
    """Return the head and the line as they were loaded."""
    found: dict[str, str] = json.loads(body)
    return found
