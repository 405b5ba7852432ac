"""Purchases and general declarations: tables of a firm, mapped, checked and written down once.

What is loaded again with the same content changes nothing.  A purchase with other content takes the place of the one
before while no declaration uses it, and is refused from then on.  A general declaration is what customs says: what was
amended or deleted there always takes its place, items that are no more among them, and what was declared by it is told
of by gateway.declared_since.  One file is in the ledger whole or not at all.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from gateway.config import Partner
from gateway.desks.refund import whole_key
from gateway.maps import facts_of, house_map
from gateway.settling import iso
from gateway.tax_files import own
from mapping.apply import map_file
from mapping.judging import judge, transfer_of
from mapping.tracing import placed_in_sheet, traced
from message_specs.amounts import amount
from message_specs.document import Document
from message_specs.findings import Finding, Severity, finding
from message_specs.tax.crosschecks import voucher_checks
from message_specs.tax.forms import refund_of
from message_specs.trade.marking import mark_of
from spool.ledger import Ledger
from spool.states import State

MAPS: Final = {"purchases": "invoices-tax111", "exports": "declarations-tax121"}
_SPECS: Final = {"purchases": "TAX111", "exports": "TAX121"}
DELETED: Final = "D"
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
    codes = _codes(home, holder)
    found: list[Finding] = []
    lines: list[_Line] = []
    with file.open("rb") as source:
        run = map_file(source, file.name, used, facts_of(partner, now))
        for batch in run.batches():
            judged = judge(run, batch, transfer_of(facts_of(partner, now).partner), today=now.date())
            found += judged.findings
            for one, document in zip(batch, judged.documents, strict=False):
                lines += _lines(kind, document)
                found += traced(run, replace(one, findings=[]), _checks(kind, document, holder, codes))
    found = [*(placed_in_sheet(run, one) for one in run.findings), *found]
    loaded = Loaded(len(lines), 0, tuple(found))
    return loaded if loaded.is_refused else _written(ledger, kind, holder, lines, tuple(found), iso(now))


def _codes(home: Path, holder: str) -> frozenset[str]:
    """Return every number under which a filed taxpayer exports; none of one who is not filed."""
    known = frozenset(row["code"] for row in own(home, "enterprises") if row["taxpayer"] == holder)
    return known | {holder} if known else known


def _lines(kind: str, document: Document) -> Iterator[_Line]:
    head = dict(document.head)
    if kind == "purchases":
        head["jhpzh"] = voucher_of(head.get("jhpzh", ""))
    for line in document.lines:
        gnum = int(amount(line.get("gnum")))
        body = json.dumps({**head, **line}, ensure_ascii=False, sort_keys=True)
        if kind == "purchases":
            yield _Line(head["jhpzh"], gnum, _day(head.get("kprq", "")), line.get("ckspdm", ""), body)
        else:
            yield _Line(head.get("entryId", ""), gnum, _day(head.get("ckrq", "")), line.get("gcode", ""), body)


def _checks(kind: str, document: Document, holder: str, codes: frozenset[str]) -> Iterator[Finding]:
    if kind != "purchases":
        found, number = document.head.get("jyf", ""), document.head.get("entryId", "")
        # An agent's declaration names the agent; the proof of agency makes it ours.
        if codes and found not in codes and not document.head.get("dlzm"):
            place = "DeclarationHead/jyf"
            yield finding("X142", document=document.ordinal, path=place, value=found, names=number, found=found)
        return
    number = document.head.get("jhpzh", "")
    buyer = document.head.get("gmfsbh", "")
    if buyer != holder:
        place = "InvoiceHead/gmfsbh"
        yield finding("X122", document=document.ordinal, path=place, value=buyer, names=number, expected=holder)
    head = {**document.head, "jhpzh": voucher_of(number)}
    for one in voucher_checks(head, "InvoiceHead/jhpzh", "InvoiceHead/ghfsbh"):
        yield replace(one, document=document.ordinal)
    for row, line in enumerate(document.lines, 1):
        yield from _line_checks(line, f"InvoiceList[{row}]", f"{number}/{line.get('gnum')}", document.ordinal)


def _line_checks(line: Mapping[str, str], place: str, names: str, ordinal: int) -> Iterator[Finding]:
    base, rate, told = amount(line.get("jsje")), amount(line.get("zsl")), line.get("se", "")
    if not all(one.is_finite() and abs(one) < _LARGEST for one in (amount(line.get("sl")), base, rate, amount(told))):
        return  # the spec has told of it
    if min(amount(line.get("sl")), base, rate) <= 0:
        yield finding("X127", document=ordinal, path=f"{place}/sl", value=line.get("sl"), names=names)
        return
    due = refund_of(base, rate)
    if abs(due - amount(told)) > _TOLERANCE:
        yield finding("X113", document=ordinal, path=f"{place}/se", value=told, found=told, expected=f"{due:f}")


def voucher_of(text: str) -> str:
    """Return the number of an invoice as it is known here: of digits with blanks or dashes the digits.

    >>> voucher_of("3300201130-12345678"), voucher_of(" 2633 2000 "), voucher_of("A-1")
    ('330020113012345678', '26332000', 'A-1')
    """
    digits = "".join(text.replace("-", " ").split())
    return digits if digits.isdigit() else text.strip()


def _written(ledger: Ledger, kind: str, holder: str, lines: list[_Line], found: tuple[Finding, ...], at: str) -> Loaded:
    with ledger.writing():
        count = len(lines)
        if kind == "exports":
            lines += _gone(ledger, lines)
        sorted_out = _Sorted.of(ledger, kind, holder, lines)
        if not sorted_out.is_wrong:
            sorted_out.write(ledger, kind, holder, at)
    return Loaded(count, 0 if sorted_out.is_wrong else len(sorted_out.new), (*found, *sorted_out.findings))


@dataclass(slots=True)
class _Sorted:
    """The lines of a file: those that are new, those that take the place of others, and what keeps them out."""

    new: list[_Line]
    changed: list[_Line]
    findings: list[Finding]

    @property
    def is_wrong(self) -> bool:
        """Whether nothing may be written."""
        return any(one.severity is Severity.ERROR for one in self.findings)

    @classmethod
    def of(cls, ledger: Ledger, kind: str, holder: str, lines: list[_Line]) -> "_Sorted":
        """The lines by what the ledger holds under their numbers."""
        found = cls([], [], [])
        seen: dict[tuple[str, int], str] = {}
        for line in lines:
            standing = ledger.one("purchase" if kind == "purchases" else "export", line.number, line.line)
            in_file = seen.setdefault((line.number, line.line), line.body)
            told = finding("X114", path=line.number, value=line.number, names=f"{line.number}/{line.line}")
            if in_file != line.body or (standing is not None and standing["holder"] != holder):
                found.findings.append(told)
            elif standing is None:
                found.new.append(line)
            elif standing["body"] == line.body:
                continue
            elif kind == "purchases" and (standing["used"] or _is_declared(ledger, line)):
                found.findings.append(told)
            else:
                names = f"{line.number}/{line.line}"
                found.findings.append(finding("X139", path=line.number, value=line.number, names=names))
                found.changed.append(line)
        return found

    def write(self, ledger: Ledger, kind: str, holder: str, at: str) -> None:
        """What is new stands in the ledger, and what changed in the place of what was."""
        for line in self.new:
            place = (holder, line.number, line.line, line.day)
            if kind == "purchases":
                ledger.run("add_purchase", *place, line.hs, at, line.body)
            else:
                ledger.run("add_export", *place, at, line.body)
        for line in self.changed:
            of = (at, line.body, line.number, line.line)
            if kind == "purchases":
                ledger.run("amend_purchase", line.day, line.hs, *of)
            else:
                ledger.run("amend_export", line.day, *of)
        for line in (*self.new, *self.changed) if kind == "purchases" else ():
            ledger.run("put_record", whole_key(line.number, line.line), texts_of(line.body).get("sl", ""))


def _is_declared(ledger: Ledger, line: _Line) -> bool:
    """Tell whether a declaration that a partner wrote himself uses the invoice."""
    marks = msgspec.json.encode([mark_of("invoiced", line.number)]).decode()
    return any(row["state"] != State.REFUSED for row in ledger.all("papers_by_marks", marks))


def _gone(ledger: Ledger, lines: list[_Line]) -> list[_Line]:
    """Return the items of these declarations that stand in the ledger and are no more, as deleted."""
    mine = {(one.number, one.line) for one in lines}
    gone = []
    for number in dict.fromkeys(one.number for one in lines):
        for row in ledger.all("items_of_export", number):
            if (number, row["item"]) not in mine:
                texts = texts_of(row["body"]) | {"decState": DELETED}
                body = json.dumps(texts, ensure_ascii=False, sort_keys=True)
                gone.append(_Line(number, row["item"], row["exported_on"], "", body))
    return gone


def _day(text: str) -> str:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()
    except ValueError:
        return ""


def texts_of(body: str) -> dict[str, str]:
    """Return the head and the line as they were loaded."""
    found: dict[str, str] = json.loads(body)
    return found
